"""What many runs say together: their figures, agreement, profiles, class effects, controls, doses, emergence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..config import AnalyzeConfig
from ..modeling.contrasts import contrasts
from ..preference.class_contrasts import PLANNED
from ..progress import Progress
from ..statistics.strata import FEWEST as FEWEST_IN_BIN
from ..statistics.strata import frequency_bins
from ..statistics.tallies import Tallies
from .agreement import agreement, family_groups
from .class_effect import FEWEST_RUNS, Observed, class_effect
from .figures import CONFIDENCE, counts_of, doses, excess_over_strangers, row_of, tests_of
from .knowledge import knowledge_of_runs
from .profiles import compare_profiles
from .reading import (
    FEWEST_TYPES,
    Cells,
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
            measured = observed(mine) if len(mine) >= FEWEST_RUNS else None
            for name, classes in PLANNED.items():
                if effect := progress.counted(measured and _class_effect(measured, mine[0].config.analyze, classes)):
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


def _class_effect(
    measured: Observed, settings: AnalyzeConfig, classes: tuple[Collection[str], Collection[str]]
) -> dict[str, Any] | None:
    """The mixed-effects model of a group of runs."""
    generator = np.random.default_rng(len(measured.differences))
    return class_effect(measured, settings.min_count, settings.frequency_ratio, settings.confidence, generator, classes)


def _consistency(runs: Sequence[OneRun]) -> list[dict[str, Any]]:
    """The agreement of a group's runs at each evaluation that all of them have, on its sample."""
    text, settings = runs[0].text, runs[0].config.analyze
    samples: dict[int, _Sample] = {}
    with_any = 0
    for one in runs:
        table = one.emergence("tokens", "document", "piece_id", "readout_1", "readout_2")
        with_any += len(table) > 0
        for tokens, part in table.groupby("tokens"):
            place = part[["document", "piece_id"]].reset_index(drop=True)
            if int(tokens) not in samples:
                samples[int(tokens)] = _Sample.of(place, settings.min_count)
            sample = samples[int(tokens)]
            if place.equals(sample.place):  # others have another corpus or tokenizer
                sample.tallies.append(sample.cells.tally(contrasts(2)[0].of(part)))
    found = []
    for tokens, sample in sorted(samples.items()):
        number = len(sample.tallies)
        if with_any < 2 or number < with_any or len(sample.pieces) < FEWEST_TYPES:
            continue
        bins = frequency_bins(text.frequencies[sample.pieces], settings.frequency_ratio, FEWEST_IN_BIN)
        one_group = {"all": family_groups(["same"] * number)["all"]}
        group = agreement(
            sample.tallies, bins, one_group, FEW_DRAWS, FEW_PERMUTATIONS, settings.confidence,
            np.random.default_rng(tokens), axes=False,
        )  # fmt: skip
        found.append({"tokens": tokens, "types": group["types"], "runs": number, **group["groups"]["all"]})
    return found


@dataclass(frozen=True)
class _Sample:
    """What an evaluation scored: where, the pieces that are frequent there, and each run's preference of these."""

    place: pd.DataFrame
    pieces: NDArray[np.int64]
    cells: Cells
    tallies: list[Tallies] = field(default_factory=list)

    @classmethod
    def of(cls, place: pd.DataFrame, min_count: int) -> _Sample:
        pieces = np.flatnonzero(np.bincount(place["piece_id"]) >= min_count)
        return cls(place, pieces, Cells.of(place, pieces))
