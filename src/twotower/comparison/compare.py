"""What many runs say together: their figures, agreement, profiles, class effects, controls, doses, emergence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..modeling.contrasts import contrasts
from ..preference.class_contrasts import PLANNED
from ..progress import Progress
from ..statistics.strata import FEWEST as FEWEST_IN_BIN
from ..statistics.strata import frequency_bins
from ..statistics.tallies import Tallies, tally
from .agreement import agreement, agreement_of, family_groups
from .class_effect import FEWEST_RUNS, class_effect
from .figures import CONFIDENCE, counts_of, doses, excess_over_strangers, row_of, tests_of
from .knowledge import knowledge_of_runs
from .profiles import compare_profiles
from .reading import (
    FEWEST_TYPES,
    Described,
    OneRun,
    ScoredText,
    by_text,
    observed,
    profiles_of,
    shared_types,
    with_types,
)

DRAWS, PERMUTATIONS = 200, 499
FEW_DRAWS, FEW_PERMUTATIONS = 100, 99
"""Of the agreement at each evaluation, and of the noise floor."""


def compare_runs(described: Sequence[Described]) -> dict[str, Any]:
    """Everything in `study.json`. Raises `InputError` if a run lacks its scores, or they cannot be compared."""
    prepared: dict[tuple[str, ...], ScoredText] = {}
    runs = [OneRun.read(one, prepared) for one in described]
    rows = [row_of(one) for one in runs]
    paired = [one for one in runs if one.paired]
    texts = [(stranger, corpus, some) for stranger in (False, True)
             for corpus, some in by_text([one for one in paired if one.stranger == stranger]).items()]  # fmt: skip
    groups = list(dict.fromkeys((one.group, one.stranger) for one in paired))
    with Progress("compare", total=2 + len(texts) + (len(PLANNED) + 1) * len(groups), unit="comparison") as progress:
        agreements = []
        for stranger, corpus, some in texts:
            if found := progress.counted(_agreement(some)):
                agreements.append({"corpus": corpus, "strangers": stranger, **found})
        profiles = [
            progress.counted(_profiles([one for one in paired if one.stranger == stranger]))
            for stranger in (False, True)
        ]
        effects, consistent = [], []
        for group, stranger in groups:
            mine = [one for one in paired if (one.group, one.stranger) == (group, stranger)]
            of: dict[str, Any] = {"group": group, "stranger": stranger}
            for name, classes in PLANNED.items():
                if effect := progress.counted(_class_effect(mine, classes)):
                    effects.append(of | {"contrast": name} | effect)
            if evaluations := progress.counted(_consistency(mine)):
                consistent.append(of | {"evaluations": evaluations})
    study: dict[str, Any] = {
        "runs": rows,
        "counts": counts_of(rows),
        "profiles": profiles[0],
        "profiles_of_strangers": profiles[1],
        "agreement": agreements,
        "class_effects": effects,
        "excess_over_strangers": excess_over_strangers(rows, runs),
        "doses": doses(rows, runs),
        "emergence": {one.name: one.results["emergence"] for one in runs},
        "context": {one.name: one.results["context"] for one in runs},
        "consistency": consistent,
        "knowledge": knowledge_of_runs(
            [(one.name, one.stranger, one.results["knowledge"]) for one in paired if one.results.get("knowledge")]
        ),
    }
    study["tests"] = tests_of(study)
    return study


def _agreement(runs: Sequence[OneRun]) -> dict[str, Any] | None:
    """Agreement of runs that scored the same text (see `agreement`), its noise floor beside each group of pairs.

    The noise floor puts two readouts of each run's first tower in the place of its towers. None for fewer than two.
    """
    if len(runs) < 2:
        return None
    shared = shared_types(runs)
    groups = family_groups([one.group for one in runs], [one.results["seed"] for one in runs])
    if not groups:
        return None
    found, floor = (
        agreement(signals, shared.bins, groups, draws, permutations, CONFIDENCE, np.random.default_rng(0))
        for signals, draws, permutations in (
            (shared.preferences, DRAWS, PERMUTATIONS), (shared.noise, FEW_DRAWS, FEW_PERMUTATIONS),
        )
    )  # fmt: skip
    for name, group in found["groups"].items():
        group["noise_floor"] = {key: floor["groups"][name][key] for key in ("estimate", "low", "high")}
    if found["subspace"]:
        found["subspace"]["noise_floor"] = floor["subspace"]["estimate"]
    found["spectrum"]["axes"] = [with_types(axis, shared.pieces) for axis in found["spectrum"]["axes"]]
    return {"names": [one.name for one in runs], "shared": shared.kind, **found}


def _profiles(runs: Sequence[OneRun]) -> dict[str, Any] | None:
    found = profiles_of(runs)
    return compare_profiles(found, DRAWS, PERMUTATIONS, CONFIDENCE, np.random.default_rng(1)) if found else None


def _class_effect(runs: Sequence[OneRun], classes: tuple[Any, Any]) -> dict[str, Any] | None:
    """The mixed-effects model of a group of runs; None for too few of them."""
    if len(runs) < FEWEST_RUNS:
        return None
    settings = runs[0].config.analyze
    generator = np.random.default_rng(len(runs))
    return class_effect(
        observed(runs), settings.min_count, settings.frequency_ratio, settings.confidence, generator,
        classes,
    )  # fmt: skip


def _consistency(runs: Sequence[OneRun]) -> list[dict[str, Any]]:
    """The agreement of a group's runs at each evaluation that all of them have, on its sample."""
    text, settings = runs[0].text, runs[0].config.analyze
    parts: dict[int, list[Tallies]] = {}
    where: dict[int, pd.DataFrame] = {}
    with_any = 0
    for one in runs:
        table = one.emergence("tokens", "document", "piece_id", "readout_1", "readout_2")
        with_any += len(table) > 0
        for tokens, part in table.groupby("tokens"):
            part = part.reset_index(drop=True)
            place = where.setdefault(int(tokens), part[["document", "piece_id"]])
            if part[["document", "piece_id"]].equals(place):  # others have another corpus or tokenizer
                counts = np.bincount(place["piece_id"], minlength=len(text.frequencies))
                document = pd.factorize(place["document"])[0]
                added = tally(document, place["piece_id"].to_numpy(), contrasts(2)[0].of(part), len(counts))
                parts.setdefault(int(tokens), []).append(added.select(counts >= settings.min_count))
    found = []
    for tokens, tallies in sorted(parts.items()):
        if with_any < 2 or len(tallies) < with_any or tallies[0].counts.shape[1] < FEWEST_TYPES:
            continue
        counts = np.bincount(where[tokens]["piece_id"], minlength=len(text.frequencies))
        training_counts = text.frequencies[counts >= settings.min_count]
        bins = frequency_bins(training_counts, settings.frequency_ratio, FEWEST_IN_BIN)
        pairs = family_groups(["same"] * len(tallies))["all"]
        generator = np.random.default_rng(tokens)
        group = agreement_of(tallies, bins, {"all": pairs}, FEW_DRAWS, FEW_PERMUTATIONS, settings.confidence, generator)
        found.append({"tokens": tokens, "types": len(bins), "runs": len(tallies), **group.groups["all"]})
    return found
