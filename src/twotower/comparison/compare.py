"""What many runs say together: their figures, agreement, profiles, class effects, controls, doses, emergence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ..config.schema import AnalyzeConfig
from ..preference.class_contrasts import PLANNED
from .agreement import agreement, family_groups
from .class_effect import FEWEST_RUNS, class_effect
from .families import hypothesis_tests
from .figures import division_of, doses, excess_over_strangers, figures_of, signs_of
from .knowledge import knowledge_of_runs
from .label_agreement import label_agreement
from .profiles import Profiles, compare_profiles
from .reading import (
    Described,
    OneRun,
    ScoredText,
    by_text,
    observed,
    profiles_of,
    shared_types,
)
from .study import AgreementOfText, EffectInGroup, Study
from .together import together


def compare_runs(described: Sequence[Described]) -> Study:
    """Everything in `study.json`. Raises `InputError` if a run lacks its scores, or they cannot be compared."""
    prepared: dict[tuple[str, ...], ScoredText] = {}
    runs = [OneRun.read(description, prepared) for description in described]
    settings = _settings_of([run.config.analyze for run in runs])
    rows = [figures_of(run, division_of(run, runs)) for run in runs]
    paired = [run for run, row in zip(runs, rows, strict=True) if run.paired and (row.natural or row.stranger)]
    texts = [(stranger, corpus, on_text) for stranger in (False, True)
             for corpus, on_text in by_text([run for run in paired if run.stranger == stranger]).items()]  # fmt: skip
    groups = list(dict.fromkeys((run.group, run.stranger) for run in paired))
    members = {group: [run for run in paired if (run.group, run.stranger) == group] for group in groups}
    analyses = together({
        **{
            ("agreement", stranger, corpus): partial(_agreement, corpus, stranger, on_text, settings)
            for stranger, corpus, on_text in texts
        },
        **{
            ("profiles", stranger): partial(_profiles, [run for run in paired if run.stranger == stranger], settings)
            for stranger in (False, True)
        },
        **{
            ("effects", group): partial(_class_effects, *group, mine, settings.confidence)
            for group, mine in members.items()
        },
    })  # fmt: skip
    study = Study(
        runs=rows,
        signs=signs_of(rows),
        profiles=analyses["profiles", False],
        profiles_of_strangers=analyses["profiles", True],
        agreement=[agreed for stranger, corpus, _ in texts if (agreed := analyses["agreement", stranger, corpus])],
        class_effects=[effect for group in groups for effect in analyses["effects", group]],
        excess_over_strangers=excess_over_strangers(rows, settings.confidence),
        doses=doses(rows, runs),
        emergence={run.name: run.results.emergence for run in runs},
        context={run.name: run.results.context for run in runs},
        knowledge=knowledge_of_runs(
            [(run.name, run.stranger, run.results.knowledge) for run in paired if run.results.knowledge],
            settings.confidence,
        ),
    )
    return replace(study, tests=hypothesis_tests(study))


def _settings_of(settings: Sequence[AnalyzeConfig]) -> AnalyzeConfig:
    """What is said of many runs is as sure, and against as many permutations, as the surest of them asks for."""
    return replace(
        settings[0],
        permutations=max(of_run.permutations for of_run in settings),
        confidence=max(of_run.confidence for of_run in settings),
    )


def _agreement(corpus: str, strangers: bool, runs: Sequence[OneRun], settings: AnalyzeConfig) -> AgreementOfText | None:
    """Agreement of runs that scored the same text (see `agreement`). None for fewer than two."""
    if len(runs) < 2:
        return None
    shared = shared_types(runs)
    seeds = [run.results.seed for run in runs]
    groups = family_groups([run.group for run in runs], seeds)
    if not groups:
        return None
    agreed = agreement(
        shared.preferences, shared.frequency, shared.pieces, groups, settings, np.random.default_rng(0), seeds
    )
    kind = shared.kind
    del shared  # megabytes for each run
    labels = label_agreement(runs, groups, settings)
    return AgreementOfText(corpus, strangers, [run.name for run in runs], kind, agreed, labels)


def _profiles(runs: Sequence[OneRun], settings: AnalyzeConfig) -> Profiles | None:
    profiles = profiles_of(runs)
    return compare_profiles(profiles, settings, np.random.default_rng(1)) if profiles else None


def _class_effects(group: str, stranger: bool, runs: Sequence[OneRun], confidence: float) -> list[EffectInGroup]:
    """The mixed-effects model of a group of runs, for each planned contrast that it has the words for."""
    if len(runs) < FEWEST_RUNS:
        return []
    measured, settings = observed(runs), runs[0].config.analyze
    effects = []
    for name, classes in PLANNED.items():
        effect = class_effect(
            measured, settings.min_count, settings.frequency_ratio, confidence,
            np.random.default_rng(len(runs)), classes,
        )  # fmt: skip
        if effect:
            effects.append(EffectInGroup(group, stranger, name, effect))
    return effects
