"""How reliable preference is: its correlation between two halves of the documents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..statistics.intervals import Estimate, centred_interval, row_means
from ..statistics.tallies import Floats, Tallies, halves, resample

SPLITS_PER_DRAW = 2
CHUNK = 250


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
                parts.append(row_means(z.reshape(size, SPLITS_PER_DRAW)))
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
