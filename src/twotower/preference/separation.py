"""Whether preference tells function from content types of like frequency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..statistics.intervals import centred_interval, row_means
from ..statistics.ranking import Bools, auroc_of_labels, ranks_in_strata, stratified_auroc
from ..statistics.tallies import Floats, Tallies, halves, resample

SPLITS_PER_DRAW = 2
CHUNK = 250


@dataclass(frozen=True)
class Separation:
    """How far preference tells function from content types of like frequency."""

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
    """Area under the ROC curve of function against content types within frequency strata.

    In each random split, which tower is "the function tower" is chosen on one half of the documents and scored on the
    other, both ways; the estimate is the mean over splits. `preferences` is one for two towers (its negative is the
    other tower's), and one per tower for more; it holds only types of the two classes that occur `2 min_count` times in
    all. A type counts in a half where it occurs `min_count / 2` times. The interval is a
    bootstrap over documents, centred as in `reliability`. The null permutes the class labels within strata and repeats
    the choice of the tower.
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
        parts = halves(documents, size * SPLITS_PER_DRAW, generator)
        values = _cross_fitted(preferences, parts, weights, least, function[:, None].astype(np.float64), strata)[:, 0]
        drawn.append(row_means(values.reshape(size, SPLITS_PER_DRAW)))
    low, high = centred_interval(estimate, np.concatenate(drawn), confidence)
    labels = np.empty((len(function), permutations))
    for stratum in np.unique(strata):
        inside = np.flatnonzero(strata == stratum)
        shuffled = generator.permuted(np.tile(function[inside], (permutations, 1)), axis=1)
        labels[inside] = shuffled.T
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
    sides = []
    for half in (first, 1 - first):
        areas = []
        for tallies in preferences:
            means, counts = tallies.means(half * weights)
            ranks, valid = ranks_in_strata(np.where(counts >= least, means, np.nan), strata)
            areas.append(auroc_of_labels(ranks, valid, labels, strata))
        if len(areas) == 1:  # two towers: the other one's preference is the negative
            areas.append(1 - areas[0])
        sides.append(np.stack(areas))
    a, b = sides
    scored = [np.take_along_axis(there, np.argmax(here, axis=0)[None], axis=0)[0] for here, there in ((a, b), (b, a))]
    mean: Floats = (scored[0] + scored[1]) / 2
    return mean
