"""How reliable preference is: its correlation between two halves of the documents."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from ..statistics.intervals import Estimate, centred_interval, row_means
from ..statistics.tallies import Floats, Tallies, halves, resample
from .measured import Measured

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
    z = half_correlations(preferences, halves(documents, splits, generator), None, min_count)
    estimate = float(np.nanmean(z)) if np.isfinite(z).any() else np.nan
    drawn = np.empty(0)
    if np.isfinite(estimate):
        parts = []
        for start in range(0, draws, CHUNK):
            size = min(CHUNK, draws - start)
            weights = resample(documents, size, generator)
            first = halves(documents, size * SPLITS_PER_DRAW, generator)
            z = half_correlations(preferences, first, np.repeat(weights, SPLITS_PER_DRAW, axis=0), min_count)
            with np.errstate(invalid="ignore"):
                parts.append(row_means(z.reshape(size, SPLITS_PER_DRAW)))
        drawn = np.concatenate(parts)
    low, high = centred_interval(estimate, drawn, confidence)
    return Estimate(float(np.tanh(estimate)), float(np.tanh(low)), float(np.tanh(high)))


def spearman_brown(r: float) -> float:
    """Reliability of the whole from the correlation of its halves (Spearman 1910, Brown 1910): 2r / (1 + r)."""
    return 2 * r / (1 + r)


def half_correlations(preferences: Sequence[Tallies], first: Floats, weights: Floats | None, min_count: int) -> Floats:
    """Fisher's z of the correlation between halves, for each split; `first` and `weights` (splits, documents)."""
    return _correlations(preferences, preferences, first, weights, min_count)


def _correlations(
    one: Sequence[Tallies], other: Sequence[Tallies], first: Floats, weights: Floats | None, min_count: int
) -> Floats:
    """Fisher's z of the correlation of `one` in the first half with `other` in the second, for each split."""
    weights = np.ones_like(first) if weights is None else weights
    products, squares_a, squares_b = np.zeros((3, len(first)))
    for tallies, others in zip(one, other, strict=True):
        a, count_a = tallies.means(first * weights)
        b, count_b = others.means((1 - first) * weights)
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


def across_readouts(
    pairs: Sequence[tuple[Sequence[Tallies], Sequence[Tallies]]],
    min_count: int,
    splits: int,
    draws: int,
    confidence: float,
    generator: np.random.Generator,
) -> Estimate:
    """Correlation of preference under some readouts, in one half of the documents, with that under others in the other.

    Each of the `pairs` holds the same preferences under two sets of readouts, which have only the towers in common.
    Where the towers do not differ its expectation is 0, which is not so for a correlation under one set of readouts.
    Types, splits, interval and the scale of the mean are those of `reliability`; the mean is over splits, pairs and
    both ways round.
    """
    counts = np.asarray(pairs[0][0][0].counts.sum(axis=0)).ravel()
    frequent = counts >= 2 * min_count
    chosen = [tuple([one.select(frequent) for one in side] for side in pair) for pair in pairs]
    documents = pairs[0][0][0].documents

    def correlate(first: Floats, weights: Floats | None) -> Floats:
        both = [
            _correlations(one, other, half, weights, min_count) for one, other in chosen for half in (first, 1 - first)
        ]
        return row_means(np.stack(both, axis=1))

    z = correlate(halves(documents, splits, generator), None)
    estimate = float(np.nanmean(z)) if np.isfinite(z).any() else np.nan
    parts = []
    for start in range(0, draws, CHUNK):
        size = min(CHUNK, draws - start)
        weights = np.repeat(resample(documents, size, generator), SPLITS_PER_DRAW, axis=0)
        z = correlate(halves(documents, size * SPLITS_PER_DRAW, generator), weights)
        parts.append(row_means(z.reshape(size, SPLITS_PER_DRAW)))
    low, high = centred_interval(estimate, np.concatenate(parts), confidence)
    return Estimate(float(np.tanh(estimate)), float(np.tanh(low)), float(np.tanh(high)))


def reliability_of(measured: Measured) -> dict[str, Any]:
    """Reliability of the preference, across documents alone and across documents and readouts.

    `noise_floor` puts two readouts of one tower in the place of two towers (the largest over towers). It is no null:
    the readouts of a pair share initial weights and order of the text, so that what these do to a type cancels, and
    those of the floor share neither. `across_readouts`, over all pairs of sets, is free of it: its null is 0.
    """
    settings, generator = measured.settings, measured.generator("reliability")
    asked = (settings.min_count, settings.splits, settings.bootstrap, settings.confidence, generator)
    found: dict[str, Any] = {"estimate": None, "low": None, "high": None}
    across: dict[str, Any] | None = None
    if measured.preferences:
        found = dict(vars(reliability(measured.preferences, *asked)))
        pairs = list(combinations([_preferences(measured, name) for name in measured.sets], 2))
        across = dict(vars(across_readouts(pairs, *asked))) if pairs else None
    floors = [reliability([floor], *asked) for floor in measured.noise]
    return {
        **found,
        "spearman_brown": spearman_brown(found["estimate"]) if found["estimate"] is not None else None,
        "noise_floor": {
            **vars(max(floors, key=lambda floor: floor.estimate)),
            "towers": [vars(floor) for floor in floors],
        },
        "across_readouts": across,
    }


def _preferences(measured: Measured, readouts: str) -> list[Tallies]:
    return [
        measured.tally(partial(measured.difference, contrast, readouts=readouts)) for contrast in measured.contrasts
    ]
