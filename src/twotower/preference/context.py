"""How far the towers look: what each head gains as its context grows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from ..statistics.intervals import Estimate, errors_to_each_side, largest_difference, percentile_estimate
from ..statistics.tallies import Floats, sample_and_draws
from .measured import SETS

FEW = 4
"""Tokens of context that count as near: what is gained beyond them is the gain from far context."""


@dataclass(frozen=True)
class PointOfContext:
    """Mean log-probability of a head with so much context, in nats, with its interval."""

    context: int
    """Tokens of context."""
    estimate: float
    low: float
    high: float
    gain: Estimate
    """What is gained over the smallest context."""


@dataclass(frozen=True)
class CurveOfContext:
    """How well a head predicts with more and more context."""

    head: str
    """`joint`, or `tower K`."""
    points: list[PointOfContext]


@dataclass(frozen=True)
class FarGain:
    """What a tower gains from context beyond `near` tokens, in nats per token, with its interval."""

    tower: int
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Context:
    """How far the towers look."""

    tokens: int
    """Tokens that were read with less and less context."""
    near: int
    """Tokens of context that count as near."""
    curves: list[CurveOfContext]
    """Of the joint head and of each tower."""
    far: list[FarGain]
    difference: Estimate | None
    """The first tower's far gain minus the second's; for more towers the largest difference between two (see
    `statistics.intervals.largest_difference`); None for a single tower."""


def context(
    table: pd.DataFrame, towers: int, draws: int, confidence: float, generator: np.random.Generator
) -> Context | None:
    """Nats that each head gains as its context grows; None where nothing was tried.

    Args:
        table: `context.parquet` (see `scoring.context.shortened`).
        towers: how many towers.
        draws, confidence, generator: of the bootstrap over documents.

    Curves and gains are means over sets of readouts. Sets differ by chance alone, so the variance of the difference
    between towers is that over documents plus, pooled over towers, that over sets of readouts.
    """
    if table.empty:
        return None
    codes, documents = pd.factorize(table.loc[table["context"] == table["context"].min(), "document"])
    sizes = sorted(table["context"].unique().tolist())
    weights = sample_and_draws(len(documents), draws, generator)
    counts = weights @ np.bincount(codes, minlength=len(documents))

    def means(values: Floats) -> Floats:
        """Mean over tokens: of the sample, then of each draw."""
        mean: Floats = weights @ np.bincount(codes, weights=values, minlength=len(documents)) / counts
        return mean

    def log_probs(head: str, size: int) -> Floats:
        values: Floats = table.loc[table["context"] == size, head].to_numpy(np.float64)
        return values

    few = max((size for size in sizes if size <= FEW), default=sizes[0])
    sets = [name for name in SETS if f"{name}_1" in table]

    def alone(tower: int, size: int) -> Floats:
        mean: Floats = np.mean([log_probs(f"{name}_{tower}", size) for name in sets], axis=0)
        return mean

    estimate = partial(percentile_estimate, confidence=confidence)
    heads: dict[str, Callable[[int], Floats]] = {"joint": partial(log_probs, "joint")}
    heads |= {f"tower {tower}": partial(alone, tower) for tower in range(1, towers + 1)}
    curves = [
        CurveOfContext(name, [
            PointOfContext(size, **vars(estimate(means(head(size)))), gain=estimate(means(head(size) - head(sizes[0]))))
            for size in sizes
        ])
        for name, head in heads.items()
    ]  # fmt: skip
    gains = np.array([
        [means(log_probs(f"{name}_{tower}", sizes[-1]) - log_probs(f"{name}_{tower}", few)) for name in sets]
        for tower in range(1, towers + 1)
    ])  # fmt: skip
    over_sets = gains.mean(axis=1)
    far = [FarGain(number, **vars(estimate(gain))) for number, gain in enumerate(over_sets, start=1)]
    if towers == 1:
        return Context(len(codes), int(few), curves, far, None)
    apart = estimate(over_sets[0] - over_sets[1]) if towers == 2 else largest_difference(over_sets.T, confidence)
    reach = errors_to_each_side(confidence, towers * (len(sets) - 1))
    reach *= float(np.sqrt(2 * gains[..., 0].var(axis=1, ddof=1).mean() / len(sets)))
    middle = apart.estimate
    ends = (float(middle + side * np.hypot(middle - end, reach)) for end, side in ((apart.low, -1), (apart.high, 1)))
    return Context(len(codes), int(few), curves, far, Estimate(middle, *ends))
