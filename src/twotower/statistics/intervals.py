"""A figure and its interval; intervals from bootstrap draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .tallies import Floats


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval."""

    estimate: float
    low: float
    high: float


def centred_interval(estimate: float, drawn: Floats, confidence: float) -> tuple[float, float]:
    """Percentile interval of draws that are shifted so that their mean is the estimate; NaN for fewer than 20 draws."""
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < 20 or not np.isfinite(estimate):
        return np.nan, np.nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn - drawn.mean(), [tail, 1 - tail])
    return estimate + float(low), estimate + float(high)


def row_means(values: Floats) -> Floats:
    """Mean of each row over its finite values, (rows,); NaN where there is none."""
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.where(finite, values, 0.0).sum(axis=1) / finite.sum(axis=1)
    return means
