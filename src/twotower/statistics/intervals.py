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


def choice_margin(drawn: Floats, confidence: float) -> float:
    """Half the width of an interval that holds for the differences of all pairs of towers at once.

    Whichever pair is chosen by looking at the figures, its interval then covers as often as it says: in so many draws
    no two towers are further apart, beside their means over the draws, than this (Westfall and Young 1993). `drawn`
    are the bootstrap draws of each tower's figure, (draws, towers); NaN for fewer than 20 finite draws.
    """
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    if len(drawn) < 20:
        return np.nan
    return float(np.quantile(np.ptp(drawn - drawn.mean(axis=0), axis=1), confidence))


def largest_difference(drawn: Floats, confidence: float) -> dict[str, float]:
    """The largest of several towers' figures minus the smallest, and an interval that allows for that choice.

    `drawn` has the sample first, then the bootstrap draws: (1 + draws, towers). See `choice_margin`.
    """
    estimate, margin = float(np.ptp(drawn[0])), choice_margin(drawn[1:], confidence)
    return {"estimate": estimate, "low": estimate - margin, "high": estimate + margin}


def row_means(values: Floats) -> Floats:
    """Mean of each row over its finite values, (rows,); NaN where there is none."""
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.where(finite, values, 0.0).sum(axis=1) / finite.sum(axis=1)
    return means
