"""Preference and its statistics: standard errors, reliability, separation within frequency strata.

Throughout, documents are the unit of resampling, and what is chosen on one half of them is scored on the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .tallies import Floats, Tallies, halves, resample

Bools = NDArray[np.bool_]
SPLITS_PER_DRAW = 2
CHUNK = 250


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval."""

    estimate: float
    low: float
    high: float


def type_preferences(
    tallies: Tallies, draws: int, confidence: float, generator: np.random.Generator
) -> dict[str, Floats]:
    """Mean, standard error and bootstrap percentile interval for each type; arrays of shape (types,).

    The standard error is that of a ratio under cluster sampling with documents as clusters (Cochran 1977, eq. 6.13):
    occurrences within a document are not independent. It is NaN for types in fewer than two documents, and so is the
    interval.
    """
    everything = np.ones((1, tallies.documents))
    mean, count = (row[0] for row in tallies.means(everything))
    counts = _dense_blocks(tallies)
    error = np.full(len(mean), np.nan)
    low, high = error.copy(), error.copy()
    tail = (1 - confidence) / 2
    weights = resample(tallies.documents, draws, generator)
    for columns in counts:
        block = tallies.select(columns)
        n = block.counts if isinstance(block.counts, np.ndarray) else block.counts.toarray()
        s = block.sums if isinstance(block.sums, np.ndarray) else block.sums.toarray()
        with np.errstate(invalid="ignore", divide="ignore"):
            clusters = (n > 0).sum(axis=0)
            residual = np.where(n > 0, s - n * mean[columns], 0.0)
            variance = (residual**2).sum(axis=0) / count[columns] ** 2 * clusters / (clusters - 1)
            several = clusters > 1
            error[columns] = np.where(several, np.sqrt(variance), np.nan)
            drawn, _ = block.means(weights)
            limits = np.full((2, drawn.shape[1]), np.nan)
            limits[:, several] = np.nanquantile(drawn[:, several], [tail, 1 - tail], axis=0)
            low[columns], high[columns] = limits
    return {"mean": mean, "standard_error": error, "low": low, "high": high, "count": count}


def _dense_blocks(tallies: Tallies, size: int = 1024) -> list[Bools]:
    types = tallies.counts.shape[1]
    index = np.arange(types)
    return [(index >= start) & (index < start + size) for start in range(0, types, size)]


def reliability(
    preferences: Sequence[Tallies],
    min_count: int,
    splits: int,
    draws: int,
    confidence: float,
    generator: np.random.Generator,
) -> Estimate:
    """Split-half reliability: correlation of type preferences between halves of the documents.

    Pearson's r over the types that occur `min_count` times in each half, averaged over random splits on Fisher's z
    scale. `preferences` holds the tallies of one preference for two towers, and one per tower for more: then r is taken
    over types and towers together, each tower's preferences centred. The interval is a bootstrap over documents, in
    which copies of a document stay in one half; a resample holds fewer distinct documents than the text, which lowers
    r, so the draws are centred on the estimate (on the z scale).
    NaN where fewer than three types are left.
    """
    frequent = np.asarray(preferences[0].counts.sum(axis=0)).ravel() >= 2 * min_count
    preferences = [tallies.select(frequent) for tallies in preferences]
    documents = preferences[0].documents
    z = _half_correlations(preferences, halves(documents, splits, generator), None, min_count)
    estimate = float(np.nanmean(z)) if np.isfinite(z).any() else np.nan
    drawn = np.empty(0)
    if np.isfinite(estimate):
        parts = []
        for start in range(0, draws, CHUNK):
            size = min(CHUNK, draws - start)
            weights = resample(documents, size, generator)
            first = halves(documents, size * SPLITS_PER_DRAW, generator)
            z = _half_correlations(preferences, first, np.repeat(weights, SPLITS_PER_DRAW, axis=0), min_count)
            with np.errstate(invalid="ignore"):
                parts.append(_row_means(z.reshape(size, SPLITS_PER_DRAW)))
        drawn = np.concatenate(parts)
    low, high = centred_interval(estimate, drawn, confidence)
    return Estimate(float(np.tanh(estimate)), float(np.tanh(low)), float(np.tanh(high)))


def spearman_brown(r: float) -> float:
    """Reliability of the whole from the correlation of its halves (Spearman 1910, Brown 1910): 2r / (1 + r)."""
    return 2 * r / (1 + r)


def _half_correlations(preferences: Sequence[Tallies], first: Floats, weights: Floats | None, min_count: int) -> Floats:
    """Fisher's z of the correlation between halves, for each split; `first` and `weights` (splits, documents)."""
    weights = np.ones_like(first) if weights is None else weights
    products, squares_a, squares_b = np.zeros((3, len(first)))
    for tallies in preferences:
        a, count_a = tallies.means(first * weights)
        b, count_b = tallies.means((1 - first) * weights)
        valid = (count_a >= min_count) & (count_b >= min_count)
        n = valid.sum(axis=1)
        a, b = np.where(valid, a, 0.0), np.where(valid, b, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            a = np.where(valid, a - (a.sum(axis=1) / n)[:, None], 0.0)
            b = np.where(valid, b - (b.sum(axis=1) / n)[:, None], 0.0)
        products += (a * b).sum(axis=1)
        squares_a += (a**2).sum(axis=1)
        squares_b += (b**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = products / np.sqrt(squares_a * squares_b)
        return np.where(n >= 3, np.arctanh(np.clip(r, -0.999999, 0.999999)), np.nan)


def _row_means(values: Floats) -> Floats:
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.where(finite, values, 0.0).sum(axis=1) / finite.sum(axis=1)
    return means


def centred_interval(estimate: float, drawn: Floats, confidence: float) -> tuple[float, float]:
    """Percentile interval of draws that are shifted so that their mean is the estimate; NaN for fewer than 20 draws."""
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < 20 or not np.isfinite(estimate):
        return np.nan, np.nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn - drawn.mean(), [tail, 1 - tail])
    return estimate + float(low), estimate + float(high)


def frequency_strata(frequency: NDArray[np.integer], strata: int) -> NDArray[np.int64]:
    """Stratum (0: rarest) of each type by its training frequency: equal numbers of types. Shape (types,)."""
    ranks = stats.rankdata(frequency, method="average")
    return np.minimum((ranks - 0.5) * strata / max(len(frequency), 1), strata - 1).astype(np.int64)


def stratified_auroc(values: Floats, function: Bools, strata: NDArray[np.int64]) -> Floats:
    """Probability that a function type has the higher value than a content type of its stratum (ties count half).

    `values` (draws, types), NaN where a type is missing; `function` and `strata` (types,). Returns (draws,): the
    Mann-Whitney statistics of the strata added up over the pairs in all of them; NaN where there is no pair.
    """
    ranks, valid = _ranks(values, strata)
    return _auroc(ranks, valid, function[:, None].astype(np.float64), strata)[:, 0]


def _ranks(values: Floats, strata: NDArray[np.int64]) -> tuple[list[Floats], list[Floats]]:
    """For each stratum: ranks of the present types (0: missing), and which are present; each (draws, types in it)."""
    ranks, valid = [], []
    for stratum in np.unique(strata):
        columns = values[:, strata == stratum]
        present = np.isfinite(columns)
        # Missing types rank above all others and leave their ranks alone.
        ranks.append(stats.rankdata(np.where(present, columns, np.inf), axis=1) * present)
        valid.append(present.astype(np.float64))
    return ranks, valid


def _auroc(ranks: list[Floats], valid: list[Floats], labels: Floats, strata: NDArray[np.int64]) -> Floats:
    """AUROC (draws, labellings) for `labels` (types, labellings), 1 for function types."""
    wins: Floats = np.zeros((ranks[0].shape[0], labels.shape[1]))
    pairs = wins.copy()
    for number, stratum in enumerate(np.unique(strata)):
        chosen = labels[strata == stratum]
        functions = valid[number] @ chosen
        contents = valid[number].sum(axis=1, keepdims=True) - functions
        wins += ranks[number] @ chosen - functions * (functions + 1) / 2
        pairs += functions * contents
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Floats = np.where(pairs > 0, wins / pairs, np.nan)
    return result


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
        drawn.append(_row_means(values.reshape(size, SPLITS_PER_DRAW)))
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
            ranks, valid = _ranks(np.where(counts >= least, means, np.nan), strata)
            areas.append(_auroc(ranks, valid, labels, strata))
        if len(areas) == 1:  # two towers: the other one's preference is the negative
            areas.append(1 - areas[0])
        sides.append(np.stack(areas))
    a, b = sides
    scored = [np.take_along_axis(there, np.argmax(here, axis=0)[None], axis=0)[0] for here, there in ((a, b), (b, a))]
    mean: Floats = (scored[0] + scored[1]) / 2
    return mean


def group_means(
    tallies: Tallies, draws: int, confidence: float, generator: np.random.Generator
) -> list[tuple[Estimate, int]]:
    """Mean over occurrences for each group (a column of `tallies`), with a bootstrap interval over documents."""
    result = type_preferences(tallies, draws, confidence, generator)
    return [
        (Estimate(float(mean), float(low), float(high)), int(count))
        for mean, low, high, count in zip(result["mean"], result["low"], result["high"], result["count"], strict=True)
    ]
