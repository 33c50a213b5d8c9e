"""How reliable preference is: its correlation between halves of the documents, under different sets of readouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..statistics.intervals import GROUPS, Estimate, crossed_error, grouped, row_means, symmetric_interval
from ..statistics.regression import residuals
from ..statistics.tallies import Floats, Tallies, halves
from .measured import Measured, pairs_of_sets

FEW_SPLITS = 6
"""Splits of the documents that are read again without each group of documents or types."""
Sets = Sequence[Sequence[Tallies]]
"""For each set of readouts, the preferences of the types: one for two towers, one per tower for more."""


def reliability_of(measured: Measured) -> Estimate:
    """Correlation of preferences measured on other documents with other readouts; NaN for a single tower."""
    settings, generator = measured.settings, measured.generator("reliability")
    if not measured.contrasts:
        return Estimate(np.nan, np.nan, np.nan)
    sets = [measured.under(name) for name in measured.sets]
    return reliability(sets, settings.min_count, settings.splits, settings.confidence, generator)


def reliability(sets: Sets, min_count: int, splits: int, confidence: float, generator: np.random.Generator) -> Estimate:
    """Correlation of type preferences in half of the documents, under one set of readouts, with those in the other.

    Only the towers are common to both sides, so that the expectation is 0 where they do not differ. Pearson's r over
    the types that occur `min_count` times in each half, each tower's preferences centred; its mean on Fisher's z scale
    is over random splits and ordered pairs of sets. NaN where fewer than three types are left.

    Documents, types and readouts are random, and what readouts do by chance they mostly do to a type: the variance of z
    is the jackknife's over groups of documents, plus that over groups of types, minus that over groups of both
    (Cameron, Gelbach and Miller 2011), but no less than either alone. The interval is Student's.
    """
    first = halves(sets[0][0].documents, splits, generator)
    return reliability_between(sets, first, min_count, confidence, generator)


def reliability_between(
    sets: Sets, first: Floats, min_count: int, confidence: float, generator: np.random.Generator
) -> Estimate:
    """The same between given sides: 1 for the documents of the first, 0 for the others, (splits, documents)."""
    frequent = np.asarray(sets[0][0].counts.sum(axis=0)).ravel() >= 2 * min_count
    sets = [[tallies.select(frequent) for tallies in of_set] for of_set in sets]
    all_documents = _Sides.of_halves(sets, first, np.ones(first.shape[1]), min_count)
    all_types = np.ones(int(frequent.sum()), dtype=bool)
    z = all_documents.mean(all_types)
    documents, types = first.shape[1], len(all_types)
    groups = min(GROUPS, documents, types)
    if not np.isfinite(z) or groups < 3:
        return Estimate(float(np.tanh(z)), np.nan, np.nan)
    group_of_document, group_of_type = (grouped(units, groups, generator) for units in (documents, types))
    first = first[:FEW_SPLITS]
    few_splits = _Sides.of_halves(sets, first, np.ones(documents), min_count)
    without = [
        _Sides.of_halves(sets, first, (group_of_document != left).astype(float), min_count) for left in range(groups)
    ]
    by_document = np.array([sides.mean(all_types) for sides in without])
    by_type = np.array([few_splits.mean(group_of_type != left) for left in range(groups)])
    # Each crossed group leaves another group of documents out of each group of types.
    crossed = [_Sides.spliced(without, (left - group_of_type) % groups).mean(all_types) for left in range(groups)]
    error = crossed_error(by_document, by_type, np.array(crossed))
    on_z = symmetric_interval(z, error, confidence, groups - 1)
    return Estimate(*(float(np.tanh(value)) for value in (on_z.estimate, on_z.low, on_z.high)))


@dataclass(frozen=True)
class _Sides:
    """Preferences of types in either half of the documents, under every set of readouts."""

    means: Floats
    """(sides, sets, contrasts, splits, types)"""
    present: NDArray[np.bool_]
    """Which types are frequent enough in both halves, (splits, types)."""

    @classmethod
    def of_halves(cls, sets: Sets, first: Floats, weights: Floats, min_count: int) -> _Sides:
        """The halves `first` (splits, documents) and the rest, with documents counted by `weights` (documents,)."""
        means, present = [], np.ones(1, dtype=bool)
        for half in (first * weights, (1 - first) * weights):
            counts = half @ sets[0][0].counts
            present = present & (np.asarray(counts) >= min_count)
            means.append([[tallies.means(half)[0] for tallies in of_set] for of_set in sets])
        return cls(np.nan_to_num(np.array(means)), present)

    @classmethod
    def spliced(cls, candidates: Sequence[_Sides], chosen: NDArray[np.int64]) -> _Sides:
        """Each type from the candidate with the number that is `chosen` for it, (types,)."""
        columns = np.arange(len(chosen))
        means = np.moveaxis(np.array([sides.means for sides in candidates])[chosen, ..., columns], 0, -1)
        present = np.moveaxis(np.array([sides.present for sides in candidates])[chosen, :, columns], 0, -1)
        return cls(means, present)

    def mean(self, types: NDArray[np.bool_]) -> float:
        """Fisher's z of the correlation over chosen types (types,), mean over splits and pairs of sets; NaN: none."""
        z = [
            correlations(self.means[0, left], self.means[1, right], self.present & types)
            for left, right in pairs_of_sets(self.means.shape[1])
        ]
        return float(row_means(np.array(z).reshape(1, -1))[0])


def correlations(a: Floats, b: Floats, present: NDArray[np.bool_]) -> Floats:
    """Fisher's z of the correlation over the present types, each tower's values centred, (splits,).

    `a` and `b` (contrasts, splits, types), `present` (splits, types); NaN where fewer than three types are present.
    """
    n = present.sum(axis=-1)
    a, b = (
        np.where(present, means - (np.where(present, means, 0.0).sum(axis=-1) / np.maximum(n, 1))[..., None], 0.0)
        for means in (a, b)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (a * b).sum(axis=(0, -1)) / np.sqrt((a**2).sum(axis=(0, -1)) * (b**2).sum(axis=(0, -1)))
        return np.where(n >= 3, np.arctanh(np.clip(r, -0.999999, 0.999999)), np.nan)


def reliable_share(sets: Sequence[Tallies], first: Floats, base: Floats) -> float:
    """Share of the variance between types, beyond `base` (types, columns), that the towers cause; between 0 and 1.

    The covariance of the types' means across halves of the documents (`first`, (splits, documents)) and across `sets`
    of readouts, over the variance of their mean over all sets and documents: the most that any predictor could reach.
    """
    sides = []
    for half in (first, 1 - first):
        means = [tallies.means(half)[0] for tallies in sets]
        weights = np.isfinite(means[0]).astype(np.float64)
        sides.append([residuals(of_set, weights, base) for of_set in means])
    products = [(sides[0][left] * sides[1][right]).mean() for left, right in pairs_of_sets(len(sets))]
    values = np.mean([tallies.means(np.ones((1, tallies.documents)))[0] for tallies in sets], axis=0)
    variance = float((residuals(values, np.isfinite(values).astype(np.float64), base) ** 2).mean())
    return min(max(float(np.mean(products)) / variance, 0.0), 1.0) if variance > 0 else 0.0
