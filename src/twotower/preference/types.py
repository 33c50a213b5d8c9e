"""The preference of each type, with its standard error and interval."""

from __future__ import annotations

import numpy as np

from ..statistics.intervals import Estimate
from ..statistics.ranking import Bools
from ..statistics.tallies import Floats, Tallies, resample


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
    counts = _dense_blocks(tallies)
    error = np.full(len(mean), np.nan)
    low, high = error.copy(), error.copy()
    tail = (1 - confidence) / 2
    weights = resample(tallies.documents, draws, generator)
    for columns in counts:
        block = tallies.select(columns)
        n = block.counts if isinstance(block.counts, np.ndarray) else block.counts.toarray()
        s = block.sums if isinstance(block.sums, np.ndarray) else block.sums.toarray()
        with np.errstate(invalid="ignore", divide="ignore"):
            clusters = (n > 0).sum(axis=0)
            residual = np.where(n > 0, s - n * mean[columns], 0.0)
            variance = (residual**2).sum(axis=0) / count[columns] ** 2 * clusters / (clusters - 1)
            several = clusters > 1
            error[columns] = np.where(several, np.sqrt(variance), np.nan)
            drawn, _ = block.means(weights)
            limits = np.full((2, drawn.shape[1]), np.nan)
            limits[:, several] = np.nanquantile(drawn[:, several], [tail, 1 - tail], axis=0)
            low[columns], high[columns] = limits
    return {"mean": mean, "standard_error": error, "low": low, "high": high, "count": count}


def _dense_blocks(tallies: Tallies, size: int = 1024) -> list[Bools]:
    types = tallies.counts.shape[1]
    index = np.arange(types)
    return [(index >= start) & (index < start + size) for start in range(0, types, size)]


def group_means(
    tallies: Tallies, draws: int, confidence: float, generator: np.random.Generator
) -> list[tuple[Estimate, int]]:
    """Mean over occurrences for each group (a column of `tallies`), with a bootstrap interval over documents."""
    result = type_preferences(tallies, draws, confidence, generator)
    return [
        (Estimate(float(mean), float(low), float(high)), int(count))
        for mean, low, high, count in zip(result["mean"], result["low"], result["high"], result["count"], strict=True)
    ]
