"""Areas under the ROC curve within strata, for many draws or many labellings at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .tallies import Floats

Bools = NDArray[np.bool_]


def stratified_auroc(values: Floats, first: Bools, strata: NDArray[np.int64], weights: Floats | None = None) -> Floats:
    """Probability that a type of the first class has the higher value than another of its stratum (ties count half).

    `values` (draws, types), NaN where a type is missing; `first` and `strata` (types,); `weights` (draws, types), how
    often a draw holds each type (1 if None). Returns (draws,): the Mann-Whitney statistics of the strata added up over
    the pairs in all of them; NaN where there is no pair.
    """
    if weights is None:
        ranks, valid = ranks_in_strata(values, strata)
        return auroc_of_labels(ranks, valid, first[:, None].astype(np.float64), strata)[:, 0]
    weighted = np.where(np.isfinite(values), weights, 0.0)
    wins: Floats = np.zeros(len(values))
    total = wins.copy()
    for stratum in np.unique(strata):
        inside = np.flatnonzero(strata == stratum)
        if first[inside].any() and not first[inside].all():
            won, pairs = _weighted_wins(values[:, inside], weighted[:, inside], first[inside])
            wins += won
            total += pairs
    with np.errstate(invalid="ignore", divide="ignore"):
        auroc: Floats = np.where(total > 0, wins / total, np.nan)
    return auroc


def _weighted_wins(values: Floats, weights: Floats, first: Bools) -> tuple[Floats, Floats]:
    """Weight of the pairs in which the first class is higher (ties count half), and of all pairs; (draws,) each.

    `values` and `weights` (draws, types), `first` (types,). Sorting takes n log n, comparing pairs n squared.
    """
    order = np.argsort(values, axis=1)
    ordered, all_weights = np.take_along_axis(values, order, axis=1), np.take_along_axis(weights, order, axis=1)
    ones = all_weights * first[order]
    others = all_weights - ones
    below = np.cumsum(others, axis=1)
    begins = np.ones(ordered.shape, dtype=bool)
    begins[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    if not begins.all():
        place = np.arange(ordered.shape[1])
        ends = np.append(begins[:, 1:], np.ones((len(begins), 1), dtype=bool), axis=1)
        start = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
        end = np.minimum.accumulate(np.where(ends, place, len(place))[:, ::-1], axis=1)[:, ::-1]
        before = np.take_along_axis(below - others, start, axis=1)
        below = (before + np.take_along_axis(below, end, axis=1)) / 2
    return (ones * below).sum(axis=1), ones.sum(axis=1) * others.sum(axis=1)


def matched(first: Bools, strata: NDArray[np.int64]) -> Bools:
    """Which types have a counterpart: one of the other class in their stratum, (types,)."""
    has_counterpart = np.zeros(len(first), dtype=bool)
    for stratum in np.unique(strata):
        inside = strata == stratum
        if first[inside].any() and not first[inside].all():
            has_counterpart |= inside
    return has_counterpart


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
