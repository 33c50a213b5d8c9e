"""Areas under the ROC curve within strata, for many draws or many labellings at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .tallies import Floats

Bools = NDArray[np.bool_]


def stratified_auroc(values: Floats, function: Bools, strata: NDArray[np.int64]) -> Floats:
    """Probability that a function type has the higher value than a content type of its stratum (ties count half).

    `values` (draws, types), NaN where a type is missing; `function` and `strata` (types,). Returns (draws,): the
    Mann-Whitney statistics of the strata added up over the pairs in all of them; NaN where there is no pair.
    """
    ranks, valid = ranks_in_strata(values, strata)
    return auroc_of_labels(ranks, valid, function[:, None].astype(np.float64), strata)[:, 0]


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
