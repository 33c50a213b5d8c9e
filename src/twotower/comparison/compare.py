"""What many runs say together: their figures, agreement, profiles, class effects, controls, doses, emergence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..preference.class_contrasts import PLANNED
from ..statistics.contrasts import contrasts
from ..statistics.tallies import Tallies
from .agreement import agreement, family_groups
from .class_effect import FEWEST_RUNS, class_effect
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
from .together import together

DRAWS, PERMUTATIONS = 200, 499
FEW_DRAWS, FEW_PERMUTATIONS = 100, 99
"""Of the agreement at each evaluation; of the noise floor, the draws."""


def compare_runs(described: Sequence[Described]) -> dict[str, Any]:
    """Everything in `study.json`. Raises `InputError` if a run lacks its scores, or they cannot be compared."""
    prepared: dict[tuple[str, ...], ScoredText] = {}
    runs = [OneRun.read(one, prepared) for one in described]
    rows = [row_of(one) for one in runs]
    paired = [one for one in runs if one.paired]
    texts = [(stranger, corpus, some) for stranger in (False, True)
             for corpus, some in by_text([one for one in paired if one.stranger == stranger]).items()]  # fmt: skip
    groups = list(dict.fromkeys((one.group, one.stranger) for one in paired))
    members = {group: [one for one in paired if (one.group, one.stranger) == group] for group in groups}
    found = together({
        **{("agreement", stranger, corpus): partial(_agreement, some) for stranger, corpus, some in texts},
        **{
            ("profiles", stranger): partial(_profiles, [one for one in paired if one.stranger == stranger])
            for stranger in (False, True)
        },
        **{("effects", group): partial(_class_effects, mine) for group, mine in members.items()},
        **{("consistency", group): partial(_consistency, mine) for group, mine in members.items()},
    })  # fmt: skip
    of = {group: {"group": group[0], "stranger": group[1]} for group in groups}
    study: dict[str, Any] = {
        "runs": rows,
        "counts": counts_of(rows),
        "profiles": found["profiles", False],
        "profiles_of_strangers": found["profiles", True],
        "agreement": [
            {"corpus": corpus, "strangers": stranger, **one}
            for stranger, corpus, _ in texts
            if (one := found["agreement", stranger, corpus])
        ],
        "class_effects": [of[group] | effect for group in groups for effect in found["effects", group]],
        "excess_over_strangers": excess_over_strangers(rows, runs),
        "doses": doses(rows, runs),
        "emergence": {one.name: one.results["emergence"] for one in runs},
        "context": {one.name: one.results["context"] for one in runs},
        "consistency": [of[group] | {"evaluations": one} for group in groups if (one := found["consistency", group])],
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
    seeds = [one.results["seed"] for one in runs]
    groups = family_groups([one.group for one in runs], seeds)
    if not groups:
        return None
    found, floor = (
        agreement(
            signals, shared.frequency, groups, draws, permutations, CONFIDENCE, np.random.default_rng(0), seeds=seeds
        )
        for signals, draws, permutations in (
            (shared.preferences, DRAWS, PERMUTATIONS),
            (shared.noise, FEW_DRAWS, 1),  # the null of a noise floor is not looked at
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


def _class_effects(runs: Sequence[OneRun]) -> list[dict[str, Any]]:
    """The mixed-effects model of a group of runs, for each planned contrast that it has the words for."""
    if len(runs) < FEWEST_RUNS:
        return []
    measured, settings = observed(runs), runs[0].config.analyze
    found = []
    for name, classes in PLANNED.items():
        effect = class_effect(
            measured, settings.min_count, settings.frequency_ratio, settings.confidence,
            np.random.default_rng(len(runs)), classes,
        )  # fmt: skip
        if effect:
            found.append({"contrast": name, **effect})
    return found


def _consistency(runs: Sequence[OneRun]) -> list[dict[str, Any]]:
    """The agreement of a group's runs at each evaluation that all of them have, on its sample."""
    text, settings = runs[0].text, runs[0].config.analyze
    samples: dict[int, _Sample] = {}
    with_any = 0
    last, usable = pd.DataFrame(), list[tuple[_Sample, NDArray[np.int64]]]()
    for one in runs:
        table = one.emergence("tokens", "document", "piece_id", "readout_1", "readout_2")
        with_any += len(table) > 0
        place = table[["tokens", "document", "piece_id"]]
        if not place.equals(last):  # runs of one corpus, tokenizer and budget have all in common
            last, usable = place, _usable(place, samples, settings.min_count)
        difference = contrasts(2)[0].of(table)
        for sample, rows in usable:
            sample.tallies.append(sample.cells.tally(difference[rows]))
            sample.seeds.append(one.results["seed"])
    found = []
    for tokens, sample in sorted(samples.items()):
        number = len(sample.tallies)
        if with_any < 2 or number < with_any or len(sample.pieces) < FEWEST_TYPES:
            continue
        pairs = family_groups(["same"] * number, sample.seeds).get("all")
        if not pairs:
            continue
        group = agreement(
            sample.tallies, text.frequencies[sample.pieces], {"all": pairs}, FEW_DRAWS, FEW_PERMUTATIONS,
            settings.confidence, np.random.default_rng(tokens), axes=False, seeds=sample.seeds,
        )  # fmt: skip
        found.append({"tokens": tokens, "types": group["types"], "runs": number, **group["groups"]["all"]})
    return found


@dataclass(frozen=True)
class _Sample:
    """What an evaluation scored: where, the pieces that are frequent there, each run's preference of them, its seed."""

    place: pd.DataFrame
    pieces: NDArray[np.int64]
    cells: Cells
    tallies: list[Tallies] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, place: pd.DataFrame, min_count: int) -> _Sample:
        pieces = np.flatnonzero(np.bincount(place["piece_id"]) >= min_count)
        return cls(place, pieces, Cells.of(place, pieces))


def _usable(
    place: pd.DataFrame, samples: dict[int, _Sample], min_count: int
) -> list[tuple[_Sample, NDArray[np.int64]]]:
    """Those of the `samples` that a run has scored, each with its rows of `place`; new ones are added to them."""
    found = []
    for tokens, rows in place.groupby("tokens").indices.items():
        mine = place.iloc[rows].reset_index(drop=True)
        number = int(cast(int, tokens))
        if number not in samples:
            samples[number] = _Sample.of(mine, min_count)
        if mine.equals(samples[number].place):  # others have another corpus or tokenizer
            found.append((samples[number], rows))
    return found
