"""Do the towers divide the work by reading direction? A lesion of the context on either side.

A tower that looks at what comes before and one that looks at what comes after prefer different words, reliably and in
every seed alike; but that is a division of the text's geometry, not of syntax and semantics. So towers that read both
ways are asked for the same tokens with their whole window, without what stands before, and without what stands after.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..statistics.intervals import Estimate, largest_difference, percentile_estimate
from ..statistics.tallies import Floats, sample_and_draws

DIVIDED = 0.2
"""Difference of balance above which towers divide the work by direction."""


@dataclass(frozen=True)
class DirectionOfTower:
    """How much a tower depends on what comes before and after a token."""

    tower: int
    before: Estimate
    """Nats that it loses without what stands before."""
    after: Estimate
    """Nats that it loses without what stands after."""
    balance: Estimate
    """(before - after) / (before + after): 1 for a tower that only looks back, -1 for one that only looks ahead."""


@dataclass(frozen=True)
class Direction:
    """How much the towers depend on what comes before and after a token."""

    tokens: int
    """Tokens that were read without a part of their context."""
    towers: list[DirectionOfTower]
    difference: Estimate
    """The largest difference of balance between two towers."""


def direction(
    lesioned: pd.DataFrame, towers: int, draws: int, confidence: float, generator: np.random.Generator
) -> Direction | None:
    """Lesions of the context on either side; None where nothing was lesioned.

    Intervals by bootstrap over documents; of more than two towers, that of the difference allows for the choice of the
    two (see `largest_difference`).
    """
    if lesioned.empty:
        return None
    codes, documents = pd.factorize(lesioned["document"])
    weights = sample_and_draws(len(documents), draws, generator)

    def losses(without: str, tower: int) -> Floats:
        loss = lesioned[f"whole_{tower}"] - lesioned[f"{without}_{tower}"]
        sums = np.bincount(codes, weights=loss.to_numpy(np.float64), minlength=len(documents))
        means: Floats = weights @ sums / (weights @ np.bincount(codes, minlength=len(documents)))
        return means

    rows, balances = [], []
    for tower in range(1, towers + 1):
        # A token that keeps what stands after it has lost what stands before.
        before, after = losses("after", tower), losses("before", tower)
        balance = (before - after) / (before + after)
        balances.append(balance)
        rows.append(
            DirectionOfTower(tower, *(percentile_estimate(values, confidence) for values in (before, after, balance)))
        )
    if towers > 2:
        difference = largest_difference(np.stack(balances, axis=1), confidence)
    else:
        ordered = sorted(range(towers), key=lambda tower: float(balances[tower][0]))
        difference = percentile_estimate(balances[ordered[-1]] - balances[ordered[0]], confidence)
    return Direction(len(lesioned), rows, difference)


def divides(measured: Direction) -> bool:
    """Whether the interval of the difference lies above `DIVIDED`."""
    return measured.difference.low > DIVIDED
