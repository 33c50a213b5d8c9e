"""Do the towers divide the work by reading direction? A lesion of the context on either side.

A tower that looks at what comes before and one that looks at what comes after prefer different words, reliably and in
every seed alike; but that is a division of the text's geometry, not of syntax and semantics. So towers that read both
ways are asked for the same tokens with their whole window, without what stands before, and without what stands after.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..statistics.intervals import largest_difference, percentile_interval
from ..statistics.tallies import Floats, resample

DIVIDED = 0.2
"""Difference of balance from which on towers are said to divide the work by direction."""


def direction(
    lesioned: pd.DataFrame, towers: int, draws: int, confidence: float, generator: np.random.Generator
) -> dict[str, Any] | None:
    """How much each tower depends on what comes before and after a token; None where nothing was lesioned.

    For each tower, the nats that it loses without what stands `before` and without what stands `after`, and its
    `balance`, (before - after) / (before + after): 1 for a tower that only looks back, -1 for one that only looks
    ahead.
    `difference` is the largest difference of balance between two towers. Intervals by bootstrap over documents; of more
    than two towers, that of the difference allows for the choice of the two (see `largest_difference`).
    """
    if lesioned.empty:
        return None
    codes, documents = pd.factorize(lesioned["document"])
    weights = np.vstack([np.ones((1, len(documents))), resample(len(documents), draws, generator)])

    def losses(without: str, tower: int) -> Floats:
        loss = lesioned[f"whole_{tower}"] - lesioned[f"{without}_{tower}"]
        sums = np.bincount(codes, weights=loss.to_numpy(np.float64), minlength=len(documents))
        means: Floats = weights @ sums / (weights @ np.bincount(codes, minlength=len(documents)))
        return means

    each, balances = [], []
    for tower in range(1, towers + 1):
        # Left with what stands after it, a token has lost what stands before.
        before, after = losses("after", tower), losses("before", tower)
        balance = (before - after) / (before + after)
        balances.append(balance)
        values = (("before", before), ("after", after), ("balance", balance))
        each.append({"tower": tower, **{name: _interval(value, confidence) for name, value in values}})
    if towers > 2:
        difference = largest_difference(np.stack(balances, axis=1), confidence)
    else:
        ordered = sorted(range(towers), key=lambda tower: float(balances[tower][0]))
        difference = _interval(balances[ordered[-1]] - balances[ordered[0]], confidence)
    return {"tokens": len(lesioned), "towers": each, "difference": difference}


def divides(found: dict[str, Any]) -> bool:
    """Whether the interval of a `direction`'s difference lies above `DIVIDED`."""
    low = found["difference"]["low"]
    return low is not None and bool(low > DIVIDED)


def _interval(drawn: Floats, confidence: float) -> dict[str, float]:
    return vars(percentile_interval(float(drawn[0]), drawn[1:], confidence))
