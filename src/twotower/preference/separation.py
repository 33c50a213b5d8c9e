"""Whether preference separates function from content types of like frequency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.heldout import CONTENT_CLASS, FUNCTION_CLASS
from ..statistics.intervals import centred_interval, row_means
from ..statistics.ranking import Bools, auroc_of_labels, matched, ranks_in_strata, stratified_auroc
from ..statistics.strata import frequency_bins, permutations_within
from ..statistics.tallies import Floats, Tallies, halves, resample, resample_within
from .measured import Measured

SPLITS_PER_DRAW = 2
CHUNK = 250


@dataclass(frozen=True)
class Separation:
    """How well preference separates function from content types of like frequency."""

    auroc: float
    low: float
    high: float
    p_value: float
    function_tower: int
    """The tower (from 1) that is the best at function words against content words, on all documents."""


def separation(
    preferences: Sequence[Tallies],
    function: Bools,
    strata: NDArray[np.int64],
    min_count: int,
    splits: int,
    draws: int,
    permutations: int,
    confidence: float,
    generator: np.random.Generator,
) -> Separation:
    """Area under the ROC curve of function against content types within bins of frequency.

    In each random split, which tower is "the function tower" is chosen on one half of the documents and scored on the
    other, both ways; the estimate is the mean over splits. `preferences` is one for two towers (its negative is the
    other tower's), and one per tower for more; it holds only types of the two classes that occur `2 min_count` times in
    all and have a counterpart of the other class in their bin (`strata`, see `frequency_bins`). A type counts in a half
    where it occurs `min_count / 2` times. The interval is a bootstrap over documents and types (of either class),
    centred as in `reliability`. The null permutes the class labels within bins and repeats the choice of the tower:
    within a bin frequency is all but constant, so that labels are exchangeable as far as frequency goes.
    """
    least = min_count / 2
    documents = preferences[0].documents
    first = halves(documents, splits, generator)
    observed = _cross_fitted(preferences, first, None, least, function[:, None].astype(np.float64), strata)[:, 0]
    estimate = float(np.nanmean(observed)) if np.isfinite(observed).any() else np.nan
    drawn = []
    for start in range(0, draws, CHUNK):
        size = min(CHUNK, draws - start)
        weights = np.repeat(resample(documents, size, generator), SPLITS_PER_DRAW, axis=0)
        types = np.repeat(resample_within(function.astype(np.int64), size, generator), SPLITS_PER_DRAW, axis=0)
        parts = halves(documents, size * SPLITS_PER_DRAW, generator)
        values = _resampled(preferences, parts, weights, types, least, function, strata)
        drawn.append(row_means(values.reshape(size, SPLITS_PER_DRAW)))
    low, high = centred_interval(estimate, np.concatenate(drawn), confidence)
    labels = function[permutations_within(strata, permutations, generator)].T.astype(np.float64)
    null = np.nanmean(_cross_fitted(preferences, first, None, least, labels, strata), axis=0)
    p_value = (1 + int((null >= estimate).sum())) / (1 + permutations) if np.isfinite(estimate) else np.nan
    everything = np.ones((1, documents))
    areas = [stratified_auroc(tallies.means(everything)[0], function, strata)[0] for tallies in preferences]
    best = int(np.argmax([*areas, *(1 - area for area in areas if len(areas) == 1)])) + 1
    return Separation(estimate, max(low, 0.0), min(high, 1.0), p_value, best)


def _cross_fitted(
    preferences: Sequence[Tallies],
    first: Floats,
    weights: Floats | None,
    least: float,
    labels: Floats,
    strata: NDArray[np.int64],
) -> Floats:
    """AUROC of the tower that is chosen on the other half, mean of both ways; (splits, labellings)."""
    weights = np.ones_like(first) if weights is None else weights

    def areas_of(half: Floats) -> list[Floats]:
        areas = []
        for tallies in preferences:
            means, counts = tallies.means(half * weights)
            ranks, valid = ranks_in_strata(np.where(counts >= least, means, np.nan), strata)
            areas.append(auroc_of_labels(ranks, valid, labels, strata))
        return areas

    return _chosen_and_scored(areas_of(first), areas_of(1 - first))


def _resampled(
    preferences: Sequence[Tallies],
    first: Floats,
    weights: Floats,
    types: Floats,
    least: float,
    function: Bools,
    strata: NDArray[np.int64],
) -> Floats:
    """The same for the one true labelling, with weights of documents and of types for each split; (splits,)."""

    def areas_of(half: Floats) -> list[Floats]:
        areas = []
        for tallies in preferences:
            means, counts = tallies.means(half * weights)
            areas.append(stratified_auroc(np.where(counts >= least, means, np.nan), function, strata, types))
        return areas

    return _chosen_and_scored(areas_of(first), areas_of(1 - first))


def _chosen_and_scored(here: list[Floats], there: list[Floats]) -> Floats:
    """For each split, the area on one side of the tower that has the largest on the other, mean of both ways."""
    if len(here) == 1:  # two towers: the other one's preference is the negative
        here, there = [here[0], 1 - here[0]], [there[0], 1 - there[0]]
    a, b = np.stack(here), np.stack(there)
    scored = [np.take_along_axis(y, np.argmax(x, axis=0)[None], axis=0)[0] for x, y in ((a, b), (b, a))]
    mean: Floats = (scored[0] + scored[1]) / 2
    return mean


def separation_of(measured: Measured) -> dict[str, Any]:
    """The separation of preference and, as its noise floor, the largest one of two readouts of one tower."""
    settings = measured.settings
    word_class = measured.classes["word_class"].to_numpy()
    chosen = measured.frequent & np.isin(word_class, [FUNCTION_CLASS, CONTENT_CLASS])
    bins = frequency_bins(measured.frequencies[chosen], settings.frequency_ratio)
    function = (word_class == FUNCTION_CLASS)[chosen]
    counterpart = matched(function, bins)
    chosen[chosen] = counterpart
    function, bins = function[counterpart], bins[counterpart]
    counts = {
        "function_types": int(function.sum()), "content_types": int((~function).sum()),
        "unmatched": int((~counterpart).sum()), "frequency_ratio": settings.frequency_ratio,
    }  # fmt: skip
    nothing = dict.fromkeys(("auroc", "low", "high", "p_value", "function_tower"))
    if not function.any():
        return {**nothing, "noise_floor": nothing, **counts}
    generator = measured.generator("separation")

    def separate(parts: list[Tallies]) -> Separation:
        return separation(
            [part.select(chosen) for part in parts], function, bins, settings.min_count, settings.splits,
            settings.bootstrap, settings.permutations, settings.confidence, generator,
        )  # fmt: skip

    found = vars(separate(measured.preferences)) if measured.preferences else nothing
    floor = max((separate([part]) for part in measured.noise), key=lambda one: one.auroc)
    return {**found, "noise_floor": vars(floor), **counts}
