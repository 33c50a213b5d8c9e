"""Areas under the ROC curve within strata, for many draws or many labellings at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .tallies import Floats

Bools = NDArray[np.bool_]
PAIRS = 20_000
"""Pairs of types that are compared at a time."""


def stratified_auroc(values: Floats, first: Bools, strata: NDArray[np.int64], weights: Floats | None = None) -> Floats:
    """Probability that a type of the first class has the higher value than another of its stratum (ties count half).

    `values` (draws, types), NaN where a type is missing; `first` and `strata` (types,); `weights` (draws, types), how
    often a draw holds each type (1 if None). Returns (draws,): the Mann-Whitney statistics of the strata added up over
    the pairs in all of them; NaN where there is no pair.
    """
    if weights is None:
        ranks, valid = ranks_in_strata(values, strata)
        return auroc_of_labels(ranks, valid, first[:, None].astype(np.float64), strata)[:, 0]
    left, right = pairs_in_strata(first, strata)
    weighted = np.where(np.isfinite(values), weights, 0.0)
    wins: Floats = np.zeros(len(values))
    total = wins.copy()
    for begin in range(0, len(left), PAIRS):
        a, b = left[begin : begin + PAIRS], right[begin : begin + PAIRS]
        both = weighted[:, a] * weighted[:, b]
        higher = (values[:, a] > values[:, b]) + 0.5 * (values[:, a] == values[:, b])
        wins += (both * higher).sum(axis=1)
        total += both.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(total > 0, wins / total, np.nan)
    return found


def pairs_in_strata(first: Bools, strata: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs of a type of the first class and another of its stratum: two arrays of types, (pairs,)."""
    left, right = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for stratum in np.unique(strata):
        inside = strata == stratum
        ones, others = np.flatnonzero(inside & first), np.flatnonzero(inside & ~first)
        left.append(np.repeat(ones, len(others)))
        right.append(np.tile(others, len(ones)))
    return np.concatenate(left), np.concatenate(right)


def matched(first: Bools, strata: NDArray[np.int64]) -> Bools:
    """Which types have a counterpart: one of the other class in their stratum, (types,)."""
    found = np.zeros(len(first), dtype=bool)
    for stratum in np.unique(strata):
        inside = strata == stratum
        if first[inside].any() and not first[inside].all():
            found |= inside
    return found


def ranks_in_strata(values: Floats, strata: NDArray[np.int64]) -> tuple[list[Floats], list[Floats]]:
    """For each stratum: ranks of the present types (0: missing), and which are present; each (draws, types in it)."""
    ranks, valid = [], []
    for stratum in np.unique(strata):
        columns = values[:, strata == stratum]
        present = np.isfinite(columns)
        # Missing types rank above all others and leave their ranks alone.
        ranks.append(stats.rankdata(np.where(present, columns, np.inf), axis=1) * present)
        valid.append(present.astype(np.float64))
    return ranks, valid


def auroc_of_labels(ranks: list[Floats], valid: list[Floats], labels: Floats, strata: NDArray[np.int64]) -> Floats:
    """AUROC (draws, labellings) for `labels` (types, labellings), 1 for the first class."""
    wins: Floats = np.zeros((ranks[0].shape[0], labels.shape[1]))
    pairs = wins.copy()
    for number, stratum in enumerate(np.unique(strata)):
        chosen = labels[strata == stratum]
        ones = valid[number] @ chosen
        others = valid[number].sum(axis=1, keepdims=True) - ones
        wins += ranks[number] @ chosen - ones * (ones + 1) / 2
        pairs += ones * others
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Floats = np.where(pairs > 0, wins / pairs, np.nan)
    return result
