"""How far classes of words lie apart, and how much of the variance between words that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..statistics.intervals import centred_interval
from ..statistics.regression import omega_squared, residuals
from ..statistics.strata import permutations_within, smooth_basis
from ..statistics.tallies import Floats, Tallies
from .labelled import Units, one_hot

FEW_TYPES = 3
"""Classes with fewer words are marked in the profile, and take no part in spread and share of variance."""
CHUNK = 100
"""Draws at a time."""


def spread(
    tallies: Tallies, units: Units, first: Floats, orders: NDArray[np.int64], documents: Floats, words: Floats,
    confidence: float, others: Sequence[Tallies] = (),
) -> dict[str, Any]:  # fmt: skip
    """Standard deviation of the class means, weighted by occurrences, in nats.

    Class means of two halves of the documents are multiplied, so that what is measured badly adds nothing: without an
    effect the mean of their products is 0 (its root is taken as 0 where it is negative). The null gives the labels to
    other words of the same bin of frequency; if this is the largest spread among `others`, it takes the largest, too.
    The interval resamples documents and words.
    """
    hot = one_hot(units.label, len(units.classes))
    found = spread_and_null(tallies, units, first, orders, confidence, others)
    drawn = []
    for start in range(0, len(documents), CHUNK):
        part = slice(start, start + CHUNK)
        splits = np.resize(first, (len(documents[part]), first.shape[1]))
        drawn.append(_spread_of_each(tallies, splits, documents[part], words[part], hot))
    # A resample of words adds spread of its own, whatever the classes: the draws are centred.
    low, high = centred_interval(found["estimate"], np.concatenate(drawn), confidence)
    return {
        "estimate": found["estimate"], "low": max(low, 0.0) if np.isfinite(low) else low, "high": high,
        "null": found["null"], "p_value": found["p_value"],
    }  # fmt: skip


def spread_and_null(
    tallies: Tallies, units: Units, first: Floats, orders: NDArray[np.int64], confidence: float,
    others: Sequence[Tallies] = (),
) -> dict[str, Any]:  # fmt: skip
    """The spread without its interval: `estimate`, `null` (`mean`, `high`) and `p_value`; see `spread`."""
    estimate = spread_of(tallies, first, one_hot(units.label, len(units.classes)))
    null = np.max([_null_spreads(one, first, units, orders) for one in (tallies, *others)], axis=0)
    return {"estimate": estimate, **_against(null, estimate, confidence)}


def _against(null: Floats, estimate: float, confidence: float) -> dict[str, Any]:
    """A figure's `null` (mean, and the bound that it stays below with this confidence) and its one-sided `p_value`."""
    return {
        "null": {"mean": float(null.mean()), "high": float(np.quantile(null, confidence))},
        "p_value": float((1 + (null >= estimate - 1e-12).sum()) / (1 + len(null))),
    }


def spread_of(tallies: Tallies, first: Floats, hot: Floats) -> float:
    """The estimate of `spread`, over all splits; `hot` is the class of each word, (words, classes)."""
    sums, counts = (
        [np.asarray(one @ part) @ hot for one in (first, 1 - first)] for part in (tallies.sums, tallies.counts)
    )
    return _root(float(np.nanmean(_products(sums, counts))))


def _spread_of_each(tallies: Tallies, first: Floats, documents: Floats, words: Floats, hot: Floats) -> Floats:
    """One figure per draw, each with a split and weights of its own; (draws,)."""
    sides = (first * documents, (1 - first) * documents)
    sums = [(np.asarray(one @ tallies.sums) * words) @ hot for one in sides]
    counts = [(np.asarray(one @ tallies.counts) * words) @ hot for one in sides]
    products = _products(sums, counts)
    found: Floats = np.sqrt(np.maximum(products, 0.0))
    return found


def _products(sums: list[Floats], counts: list[Floats]) -> Floats:
    """Mean over classes, weighted by occurrences, of the product of the two halves' deviations; (splits,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [np.where(n > 0, s / n, np.nan) for s, n in zip(sums, counts, strict=True)]
        overall = [s.sum(axis=-1) / n.sum(axis=-1) for s, n in zip(sums, counts, strict=True)]
    share = counts[0] + counts[1]
    share = share / share.sum(axis=-1, keepdims=True)
    deviations = [mean - whole[..., None] for mean, whole in zip(means, overall, strict=True)]
    found: Floats = np.nansum(share * deviations[0] * deviations[1], axis=-1)
    return found


def _root(value: float) -> float:
    return float(np.sqrt(max(value, 0.0)))


def _null_spreads(tallies: Tallies, first: Floats, units: Units, orders: NDArray[np.int64]) -> Floats:
    """The spread under each permutation of the labels, (permutations,)."""
    sides = (first, 1 - first)
    stacked = np.vstack([np.asarray(one @ part) for part in (tallies.sums, tallies.counts) for one in sides])
    splits, classes = len(first), len(units.classes)
    found = np.empty(len(orders))
    for number, order in enumerate(orders):
        added = stacked @ one_hot(units.label[order], classes)
        sums, counts = (
            [added[:splits], added[splits : 2 * splits]],
            [added[2 * splits : 3 * splits], added[3 * splits :]],
        )
        found[number] = _root(float(np.nanmean(_products(sums, counts))))
    return found


def explained(
    tallies: Tallies, units: Units, frequent: NDArray[np.bool_], first: Floats, orders: NDArray[np.int64],
    documents: Floats, words: Floats, confidence: float,
) -> dict[str, Any] | None:  # fmt: skip
    """Share of the variance between words that class explains beyond a spline of log frequency (omega squared).

    Only frequent words count, each as one. `of_reliable` divides it by the reliability of the words' means (residuals
    of the same spline, halves of the documents, Spearman and Brown): what no predictor could reach is left out.
    """
    label = units.label[frequent]
    kept = np.bincount(label, minlength=len(units.classes)) >= FEW_TYPES
    frequent = frequent & kept[units.label]
    label = np.unique(units.label[frequent], return_inverse=True)[1]
    classes = int(kept.sum())
    base = smooth_basis(units.frequency[frequent])
    if classes < 2 or frequent.sum() < 3 * (classes + base.shape[1]):
        return None
    hot, part = one_hot(label, classes), tallies.select(frequent)
    ones = np.ones((1, int(frequent.sum())))
    values = part.means(np.ones((1, part.documents)))[0]
    estimate = float(omega_squared(values, ones, base, hot)[0])
    drawn = []
    for start in range(0, len(documents), CHUNK):
        chosen = slice(start, start + CHUNK)
        means, _ = part.means(documents[chosen])
        weights = words[chosen][:, frequent] * np.isfinite(means)
        drawn.append(omega_squared(means, weights, base, hot))
    low, high = centred_interval(estimate, np.concatenate(drawn), confidence)
    # Labels move among all words of a bin, and frequent ones keep to themselves: bins hold words of like frequency.
    inside = permutations_within(units.strata[frequent], len(orders), np.random.default_rng(len(label)))
    null = np.array([omega_squared(values, ones, base, hot[order])[0] for order in inside])
    reliable = _reliability(part, base, first)
    return {
        "estimate": estimate, "low": low, "high": high, **_against(null, estimate, confidence),
        "of_reliable": estimate / reliable if reliable > 0.05 else None,
        "reliability": reliable, "types": int(frequent.sum()),
    }  # fmt: skip


def _reliability(part: Tallies, base: Floats, first: Floats) -> float:
    """Spearman and Brown's reliability of the words' means beyond frequency, mean over splits; at least 0."""
    sides = [part.means(side)[0] for side in (first, 1 - first)]
    weights = np.isfinite(sides[0]) & np.isfinite(sides[1])
    a, b = (residuals(side, weights.astype(np.float64), base) for side in sides)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    mean = float(np.nanmean(r)) if np.isfinite(r).any() else 0.0
    return 2 * mean / (1 + mean) if mean > 0 else 0.0
