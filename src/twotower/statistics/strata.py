"""Types of similar frequency: bins of training frequency, permutation within them, and a smooth function of it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import SplineTransformer

from .tallies import Floats

FEWEST = 8
"""Types that a bin of a permutation holds at least: among the most frequent words no two are alike in frequency, and
labels that nothing can be exchanged with would never move."""
KNOTS = 5


def frequency_bins(frequency: NDArray[np.integer] | Floats, ratio: float, fewest: int = 1) -> NDArray[np.int64]:
    """Bin (0: most frequent) of each type, such that in a bin training frequencies differ by a factor up to `ratio`.

    Bins are filled from the most frequent type on; one that holds fewer than `fewest` types stays open, whatever its
    ratio, and so does the last. Shape (types,).
    """
    order = np.argsort(-np.asarray(frequency), kind="stable")
    logs = np.log(np.asarray(frequency, dtype=np.float64)[order] + 1.0)
    bins = np.zeros(len(order), dtype=np.int64)
    number = start = 0
    while start < len(order):
        ahead = int(np.searchsorted(logs[start] - logs[start:], np.log(ratio), side="right"))
        end = min(start + max(ahead, fewest), len(order))
        bins[order[start:end]] = number
        if end == len(order):
            break
        number, start = number + 1, end
    if number and len(order) - start < fewest:
        bins[bins == number] = number - 1
    return bins


def permutations_within(
    strata: NDArray[np.int64], permutations: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Random orders of the types that move none out of its stratum, shape (permutations, types)."""
    orders, together = permuted_within(np.arange(len(strata)), strata, permutations, generator)
    back = np.empty_like(together)
    back[together] = np.arange(len(together))
    return np.take(orders, back, axis=1)  # an index would leave the columns together, not the rows


def permuted_within(
    labels: NDArray[np.int64], strata: NDArray[np.int64], permutations: int, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels of the types, each given to another type of its stratum, and the types that they are given to.

    Types come stratum by stratum: column k, of (permutations, types), is for type `together[k]`, the second result.
    """
    together = np.argsort(strata, kind="stable")
    ends = np.cumsum(np.unique(strata, return_counts=True)[1])
    permuted = np.empty((permutations, len(strata)), dtype=np.int64)
    for start, end in pairwise([0, *ends]):
        inside = np.tile(labels[together[start:end]], (permutations, 1))
        permuted[:, start:end] = generator.permuted(inside, axis=1)
    return permuted, together


def smooth_basis(frequency: NDArray[np.integer] | Floats) -> Floats:
    """A cubic spline basis of log frequency with knots at its quantiles, for least squares; (types, columns).

    The columns add up to one, so that they hold the intercept.
    """
    logs = np.log(np.asarray(frequency, dtype=np.float64) + 1.0)[:, None]
    if len(np.unique(logs)) < KNOTS:
        return np.ones((len(logs), 1))
    basis: Floats = SplineTransformer(KNOTS, degree=3, knots="quantile", extrapolation="linear").fit_transform(logs)
    return basis[:, basis.std(axis=0) > 0] if basis.shape[1] > 1 else basis
