"""Spearman's correlation over pairs of words, where pairs that share a word are not independent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .intervals import Estimate, errors_to_each_side, symmetric_interval
from .tallies import Floats


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's rho of values and ratings of the same pairs, and what each pair adds to it."""

    rho: float
    influence: Floats
    """(pairs,): the derivative of rho by the weight of each pair, times the number of pairs; its mean is 0."""


def rank_correlation(values: Floats, ratings: Floats) -> RankCorrelation:
    """Spearman's correlation (ties share their mean rank), with its influence function (Croux and Dehon 2010).

    Both arguments have shape (pairs,). NaN where one of them does not vary.
    """
    count = len(values)
    a, b = (stats.rankdata(variable) / count - (1 + count) / (2 * count) for variable in (values, ratings))
    size = float(np.sqrt((a * a).mean() * (b * b).mean()))
    if not size > 0:
        return RankCorrelation(np.nan, np.full(count, np.nan))
    moment = float((a * b).mean())
    # A pair also moves the ranks of all pairs above it.
    moved = _mean_above(values, b) + _mean_above(ratings, a)
    influence = (a * b + moved) / size  # the variances of ranks are fixed
    return RankCorrelation(moment / size, influence - influence.mean())


def _mean_above(keys: Floats, values: Floats) -> Floats:
    """For each pair the sum of `values` over pairs of higher key, plus half of it over those of the same, over all."""
    ordered, inverse = np.unique(keys, return_inverse=True)
    at = np.bincount(inverse, weights=values, minlength=len(ordered))
    above = at[::-1].cumsum()[::-1] - at
    return (above + at / 2)[inverse] / len(keys)


def dyadic_error(influence: Floats, words: NDArray[np.integer]) -> float:
    """Standard error of a mean of `influence` (pairs,) over pairs of `words` (pairs, 2).

    Two pairs depend on each other if they share a word (Aronow, Samii and Assenova 2015, equation 2):

        variance = sum over pairs p, q that share a word of psi_p psi_q, over the number of pairs squared.

    A bootstrap of pairs would take them for independent, one of words counts the noise of each pair three times. Where
    the sum is less than that of independent pairs, which it can be by chance, the latter counts.
    """
    alone = float((influence**2).sum())
    used, where = np.unique(words, return_inverse=True)
    first, second = where.reshape(words.shape).T
    by_word = np.bincount(first, weights=influence, minlength=len(used))
    apart = first != second  # a word paired with itself counts once
    by_word += np.bincount(second[apart], weights=influence[apart], minlength=len(used))
    twice = float((influence[apart] ** 2).sum())  # a pair shares two words with itself
    shared = float((by_word**2).sum()) - twice
    return float(np.sqrt(max(shared, alone))) / len(influence)


def correlation_estimate(correlation: RankCorrelation, words: NDArray[np.integer], confidence: float) -> Estimate:
    """Rho and its interval, on Fisher's scale, so that it stays between -1 and 1."""
    if not np.isfinite(correlation.rho) or len(words) < 5 or abs(correlation.rho) >= 1:
        return Estimate(correlation.rho, np.nan, np.nan)
    reach = errors_to_each_side(confidence) * dyadic_error(correlation.influence, words) / (1 - correlation.rho**2)
    middle = np.arctanh(correlation.rho)
    return Estimate(correlation.rho, float(np.tanh(middle - reach)), float(np.tanh(middle + reach)))


def difference_estimate(
    first: RankCorrelation, second: RankCorrelation, words: NDArray[np.integer], confidence: float
) -> Estimate:
    """Rho of the first minus that of the second, on the same pairs, and its interval."""
    difference = first.rho - second.rho
    if not np.isfinite(difference) or len(words) < 5:
        return Estimate(difference, np.nan, np.nan)
    return symmetric_interval(difference, dyadic_error(first.influence - second.influence, words), confidence)
