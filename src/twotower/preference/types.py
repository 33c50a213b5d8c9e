"""The preference of each type, with its standard error and interval."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..config.conversion import OMITTED
from ..statistics.intervals import errors_to_each_side, finite_quantiles
from ..statistics.ranking import Bools
from ..statistics.tallies import Floats, Tallies, resample
from .measured import Measured

CELLS = 20_000_000
"""Pairs of a document and a type that are held as dense arrays at a time."""
FEWEST_TYPES, MOST_TYPES, FEWEST_DRAWS = 16, 1024, 10
POOLED = 50
"""Types of similar count whose variance between readouts is pooled."""


def type_preferences(
    tallies: Tallies, draws: int, confidence: float, generator: np.random.Generator
) -> dict[str, Floats]:
    """Mean, standard error and bootstrap percentile interval for each type; arrays of shape (types,).

    The standard error is that of a ratio under cluster sampling with documents as clusters (Cochran 1977, eq. 6.13):
    occurrences within a document are not independent. It is NaN for types in fewer than two documents, and so is the
    interval.
    """
    everything = np.ones((1, tallies.documents))
    mean, count = (row[0] for row in tallies.means(everything))
    error = np.full(len(mean), np.nan)
    low, high = error.copy(), error.copy()
    tail = (1 - confidence) / 2
    blocks = _blocks(len(mean), max(FEWEST_TYPES, min(MOST_TYPES, CELLS // tallies.documents)))
    drawn = np.empty((draws, len(mean)))
    at_a_time = max(FEWEST_DRAWS, 5 * CELLS // tallies.documents)
    for start in range(0, draws, at_a_time):
        weights = resample(tallies.documents, min(at_a_time, draws - start), generator)
        for columns in blocks:
            drawn[start : start + len(weights), columns] = tallies.select(columns).means(weights)[0]
    for columns in blocks:
        block = tallies.select(columns)
        n = block.counts if isinstance(block.counts, np.ndarray) else block.counts.toarray()
        s = block.sums if isinstance(block.sums, np.ndarray) else block.sums.toarray()
        with np.errstate(invalid="ignore", divide="ignore"):
            clusters = (n > 0).sum(axis=0)
            residual = np.where(n > 0, s - n * mean[columns], 0.0)
            variance = (residual**2).sum(axis=0) / count[columns] ** 2 * clusters / (clusters - 1)
            resampled = clusters > 1
            error[columns] = np.where(resampled, np.sqrt(variance), np.nan)
            limits = np.full((2, len(clusters)), np.nan)
            limits[:, resampled] = finite_quantiles(drawn[:, columns][:, resampled], (tail, 1 - tail))
            low[columns], high[columns] = limits
    return {"mean": mean, "standard_error": error, "low": low, "high": high, "count": count}


def _blocks(types: int, size: int) -> list[Bools]:
    """Blocks of `size` types, each as a mask (types,)."""
    index = np.arange(types)
    return [(index >= start) & (index < start + size) for start in range(0, types, size)]


def types_table(measured: Measured) -> pd.DataFrame:
    """`preference.parquet`: one row per type that occurs in the held-out text."""
    count = measured.counts
    table = pd.DataFrame({
        "piece_id": np.arange(len(measured.pieces), dtype=np.int32),
        "piece": measured.pieces,
        "upos": measured.classes["upos"],
        "word_class": measured.classes["word_class"],
        **({} if measured.exact else {"training_count": measured.frequencies}),
        "count": count,
        "documents": _documents_with(measured),
    })  # fmt: skip
    settings, generator = measured.settings, measured.generator("types")
    for number, (contrast, tallies) in enumerate(zip(measured.contrasts, measured.preferences, strict=True)):
        columns = type_preferences(tallies, settings.bootstrap, settings.confidence, generator)
        sets = {name: _means_of(measured.under(name)[number]) for name in measured.sets}
        columns = with_readouts(columns, np.stack(list(sets.values())), settings.confidence)
        for name in ("mean", "standard_error", "low", "high"):
            table[name + contrast.suffix] = columns[name]
        for name, means in sets.items() if not measured.exact else ():
            table[f"under_{name}{contrast.suffix}"] = means
    if not measured.exact:
        table["joint"] = measured.type_means(partial(measured.log_probs, "joint"))
    for tower in range(1, measured.towers + 1):
        table[f"{measured.sets[0]}_{tower}"] = measured.type_means(partial(measured.alone, tower))
    return table[table["count"] > 0].reset_index(drop=True)


def with_readouts(columns: dict[str, Floats], sets: Floats, confidence: float) -> dict[str, Floats]:
    """Standard errors and intervals of `type_preferences`, with the variance of readouts added to that of documents.

    `sets` (sets, types) are the means under each set of readouts. Half-widths are added in quadrature. A single set is
    exact, and adds nothing.
    """
    if len(sets) == 1:
        return columns
    mean, variance = columns["mean"], pooled_variance(sets, columns["count"]) / len(sets)
    reach = errors_to_each_side(confidence) * np.sqrt(variance)
    return columns | {
        "standard_error": np.sqrt(columns["standard_error"] ** 2 + variance),
        "low": mean - np.hypot(mean - columns["low"], reach),
        "high": mean + np.hypot(columns["high"] - mean, reach),
    }


def pooled_variance(sets: Floats, count: Floats) -> Floats:
    """Variance between sets of readouts of what each set (sets, units) says of units such as types, (units,).

    A few sets say next to nothing about a single unit: the variance is pooled over `POOLED` units of similar `count`.
    It is NaN where the count is 0.
    """
    order = np.argsort(-count, kind="stable")
    order = order[count[order] > 0]
    pooled = np.full(len(count), np.nan)
    variance = sets.var(axis=0, ddof=1)
    for part in np.array_split(order, max(1, len(order) // POOLED)):
        pooled[part] = variance[part].mean()
    return pooled


def _means_of(tallies: Tallies) -> Floats:
    means: Floats = tallies.means(np.ones((1, tallies.documents)))[0][0]
    return means


def _documents_with(measured: Measured) -> NDArray[np.int64]:
    """Number of documents that each type occurs in, (vocabulary,)."""
    documents = np.zeros(len(measured.pieces), dtype=np.int64)
    for _, piece, _ in measured.cells():
        documents += np.bincount(piece, minlength=len(documents))
    return documents


@dataclass(frozen=True)
class Perplexity:
    """Held-out perplexity."""

    joint: float
    """Of all towers together."""
    towers: list[float]
    """Of each tower alone, under its readouts; mean nats are taken over all sets."""


def perplexity(measured: Measured) -> Perplexity:
    """Held-out perplexity of all towers together and of each alone."""
    return Perplexity(
        math.exp(-measured.log_probs("joint").mean()),
        [math.exp(-measured.alone(tower).mean()) for tower in range(1, measured.towers + 1)],
    )


@dataclass(frozen=True)
class SpreadOfTower:
    """How far the preferences for one of several towers lie apart, in nats."""

    tower: int
    sd: float
    """Standard deviation over the frequent types."""
    mean: float
    """Mean over all occurrences."""


@dataclass(frozen=True)
class Spread:
    """How far the preferences of types lie apart, in nats."""

    types: int
    """Frequent ones, which are measured."""
    occurrences: int
    """Of all types, in the held-out text."""
    sd: float | None
    """Standard deviation over the frequent types, pooled over towers; None for a single tower."""
    mean: float | None
    """Mean over all occurrences; None unless there are two towers."""
    definition: list[str]
    """What is measured, such as `tower 1 minus tower 2`."""
    towers: list[SpreadOfTower] | None = field(default=None, metadata=OMITTED)
    """Of each tower; only for more than two."""


def spread_of_types(measured: Measured) -> Spread:
    """Standard deviation and mean of the preferences of frequent types, in nats."""
    frequent = measured.frequent
    spreads = [
        SpreadOfTower(
            contrast.tower,
            sd=float(pd.Series(_means_of(tallies)[frequent]).std()),
            mean=float(measured.difference(contrast).mean()),
        )
        for contrast, tallies in zip(measured.contrasts, measured.preferences, strict=True)
    ]
    pooled = math.sqrt(sum(spread.sd**2 for spread in spreads) / len(spreads)) if spreads else None
    return Spread(
        types=int(frequent.sum()),
        occurrences=len(measured.scores),
        sd=pooled,
        mean=spreads[0].mean if len(spreads) == 1 else None,
        definition=[contrast.name for contrast in measured.contrasts],
        towers=spreads if len(spreads) > 1 else None,
    )
