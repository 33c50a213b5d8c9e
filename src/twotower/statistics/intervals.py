"""A figure and its interval: percentile, centred, logit and jackknife intervals, each in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from .tallies import Floats

FEWEST_DRAWS = 20
"""Bootstrap draws below which there is no interval."""
GROUPS, FEWEST_GROUPS = 20, 5
"""Groups of documents, or of types, that a jackknife leaves out one at a time; as many as it needs for an interval."""


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval."""

    estimate: float
    low: float
    high: float


def negated(estimate: Interval) -> Estimate:
    """The same figure with its sign changed, as when two towers change places."""
    return Estimate(-estimate.estimate, -estimate.high, -estimate.low)


class Interval(Protocol):
    """Whatever has a figure and its interval: an `Estimate`, or a row of a table with more beside it."""

    @property
    def estimate(self) -> float:
        """NaN where it cannot be computed."""

    @property
    def low(self) -> float:
        """NaN where there is no interval."""

    @property
    def high(self) -> float:
        """NaN where there is no interval."""


def is_known(figure: Interval | None) -> bool:
    """Whether there is a figure, and it has an interval."""
    return figure is not None and all(map(isfinite, (figure.estimate, figure.low, figure.high)))


def percentile_interval(estimate: float, drawn: Floats, confidence: float) -> Estimate:
    """The estimate between percentiles of its draws; NaN for fewer than 20 finite draws."""
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < FEWEST_DRAWS or not np.isfinite(estimate):
        return Estimate(estimate, np.nan, np.nan)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Estimate(estimate, float(low), float(high))


def percentile_estimate(drawn: Floats, confidence: float) -> Estimate:
    """A figure, the first of (1 + draws,), and the percentile interval of its draws."""
    return percentile_interval(float(drawn[0]), drawn[1:], confidence)


def centred_interval(estimate: float, drawn: Floats, confidence: float) -> tuple[float, float]:
    """Percentile interval of draws that are shifted so that their mean is the estimate; NaN for fewer than 20 draws."""
    drawn = drawn[np.isfinite(drawn)]
    mean = float(drawn.mean()) if len(drawn) else np.nan
    around = percentile_interval(estimate, drawn - mean + estimate, confidence)
    return around.low, around.high


def centred_estimate(drawn: Floats, confidence: float) -> Estimate:
    """A figure, the first of (1 + draws,), and the centred interval that its draws give it."""
    estimate = float(drawn[0])
    return Estimate(estimate, *centred_interval(estimate, drawn[1:], confidence))


def logit_interval(estimate: float, drawn: Floats, confidence: float, units: int) -> tuple[float, float]:
    """Interval of a probability on the logit scale, which never leaves 0 to 1; NaN for fewer than 20 finite draws.

    The standard error is that of the draws. An estimate nearer to 0 or 1 than half of one in so many `units` counts as
    so near, since its logit would be infinite, and its error is at least that of a share of so many.
    """
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < FEWEST_DRAWS or not np.isfinite(estimate):
        return np.nan, np.nan
    inner = min(max(estimate, 0.5 / units), 1 - 0.5 / units)
    error = float(drawn.std())
    if inner != estimate:
        error = max(error, (inner * (1 - inner) / units) ** 0.5)
    reach = errors_to_each_side(confidence) * error / (inner * (1 - inner))
    return float(special.expit(special.logit(inner) - reach)), float(special.expit(special.logit(inner) + reach))


def jackknife_error(left_out: Floats) -> float:
    """Standard error from the figures with one unit left out each (Efron and Tibshirani 1993, ch. 11)."""
    units = len(left_out)
    return float(np.sqrt((units - 1) / units * ((left_out - left_out.mean()) ** 2).sum()))


def crossed_error(without_first: Floats, without_second: Floats, without_both: Floats) -> float:
    """Standard error where two kinds of units are random at once, from the figures without groups of them.

    The variance over groups of the first kind plus that of the second minus that over groups of both, but no less than
    either alone (Cameron, Gelbach and Miller 2011).
    """
    first, second, crossed = (
        jackknife_error(left_out) ** 2 for left_out in (without_first, without_second, without_both)
    )
    return float(np.sqrt(max(first + second - crossed, first, second)))


def errors_to_each_side(confidence: float, freedom: float | None = None) -> float:
    """How many standard errors an interval reaches to each side: Student's, or without `freedom` the normal one."""
    end = (1 + confidence) / 2
    return float(stats.norm.ppf(end) if freedom is None else stats.t.ppf(end, freedom))


def symmetric_interval(estimate: float, error: float, confidence: float, freedom: float | None = None) -> Estimate:
    """A figure and its interval from its standard error; see `errors_to_each_side`."""
    reach = errors_to_each_side(confidence, freedom) * error
    return Estimate(estimate, estimate - reach, estimate + reach)


def with_variance(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """The sum of two independent variances, each with its degrees of freedom, and the sum's (Satterthwaite 1946)."""
    total = one[0] + other[0]
    return total, total**2 / max(sum(variance**2 / freedom for variance, freedom in (one, other)), 1e-300)


def jackknife_interval(values: Floats, confidence: float) -> Estimate:
    """A figure, the first of (1 + groups,), and its interval from its values without each group, the others.

    Student's t with one degree of freedom fewer than there are groups (Efron and Tibshirani 1993, section 11.5). NaN
    bounds for fewer than 5 groups.
    """
    estimate, left_out = float(values[0]), values[1:]
    if len(left_out) < FEWEST_GROUPS or not np.isfinite(values).all():
        return Estimate(estimate, np.nan, np.nan)
    return symmetric_interval(estimate, jackknife_error(left_out), confidence, len(left_out) - 1)


def grouped(units: int, groups: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """A group at random for each unit, numbered from 0, so that groups are alike in size, (units,)."""
    return generator.permutation(np.arange(units) % groups)


def without_each(group: NDArray[np.integer]) -> Floats:
    """Weights of units (units,) that leave out one group of them each, (groups, units)."""
    weights: Floats = (group != np.arange(int(group.max()) + 1)[:, None]).astype(np.float64)
    return weights


def log_interval(estimate: float, error: float, freedom: int, confidence: float) -> tuple[float, float]:
    """Student's interval of a figure above 0 on the log scale, m exp(± t se / m); on its own scale for others."""
    reach = errors_to_each_side(confidence, freedom) * error
    if estimate <= 0:
        return estimate - reach, estimate + reach
    factor = float(np.exp(reach / estimate))
    return estimate / factor, estimate * factor


def choice_margin(drawn: Floats, confidence: float) -> float:
    """Half the width of an interval that holds for the differences of all pairs of towers at once.

    Whichever pair is chosen by looking at the figures, its interval then covers as often as it says: in so many draws
    no two towers are further apart, beside their means over the draws, than this (Westfall and Young 1993). `drawn`
    are the bootstrap draws of each tower's figure, (draws, towers); NaN for fewer than 20 finite draws.
    """
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    if len(drawn) < FEWEST_DRAWS:
        return np.nan
    return float(np.quantile(np.ptp(drawn - drawn.mean(axis=0), axis=1), confidence))


def largest_difference(drawn: Floats, confidence: float) -> Estimate:
    """The largest of several towers' figures minus the smallest, and an interval that allows for that choice.

    `drawn` has the sample first, then the bootstrap draws: (1 + draws, towers). See `choice_margin`.
    """
    estimate, margin = float(np.ptp(drawn[0])), choice_margin(drawn[1:], confidence)
    return Estimate(estimate, estimate - margin, estimate + margin)


def exceedance(estimate: float, null: Floats) -> float:
    """How probable a figure as high as the estimate is among the finite draws of its null, (draws,).

    NaN where the estimate is, or all draws are.
    """
    drawn = null[np.isfinite(null)]
    if not np.isfinite(estimate) or not len(drawn):
        return float("nan")
    return float((1 + (drawn >= estimate - 1e-12).sum()) / (1 + len(drawn)))


def row_means(values: Floats) -> Floats:
    """Mean of each row over its finite values, (rows,); NaN where there is none."""
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.where(finite, values, 0.0).sum(axis=1) / finite.sum(axis=1)
    return means


def finite_quantiles(values: Floats, levels: Sequence[float]) -> Floats:
    """Quantiles of the finite values of each column, (levels, columns); `values` has some in each of its columns.

    `numpy.nanquantile` gives the same one column at a time, which takes three times as long.
    """
    ordered = np.sort(np.ascontiguousarray(values.T), axis=1)  # NaN last
    last = np.isfinite(ordered).sum(axis=1) - 1
    place = last * np.asarray(levels)[:, None]
    below = place.astype(np.int64)
    low, high = (np.take_along_axis(ordered, at.T, axis=1).T for at in (below, np.minimum(below + 1, last)))
    quantiles: Floats = low + (high - low) * (place - below)
    return quantiles
