"""The preference of each type, with its standard error and interval."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data.tagging import UPOS
from ..statistics.intervals import Estimate
from ..statistics.ranking import Bools
from ..statistics.tallies import Floats, Tallies, ValuesOf, resample, tally
from .labelled import label_codes
from .measured import Measured

CELLS = 20_000_000
"""Pairs of a document and a type that are held as dense arrays at a time."""
FEWEST_TYPES, MOST_TYPES, FEWEST_DRAWS = 16, 1024, 10


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
            several = clusters > 1
            error[columns] = np.where(several, np.sqrt(variance), np.nan)
            limits = np.full((2, len(clusters)), np.nan)
            limits[:, several] = np.nanquantile(drawn[:, columns][:, several], [tail, 1 - tail], axis=0)
            low[columns], high[columns] = limits
    return {"mean": mean, "standard_error": error, "low": low, "high": high, "count": count}


def _blocks(types: int, size: int) -> list[Bools]:
    """So many types at a time, each as a mask (types,)."""
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


def types_table(measured: Measured) -> pd.DataFrame:
    """`preference.parquet`: one row per type that occurs in the held-out text."""
    count = measured.counts
    table = pd.DataFrame({
        "piece_id": np.arange(len(measured.pieces), dtype=np.int32),
        "piece": measured.pieces,
        "upos": measured.classes["upos"],
        "word_class": measured.classes["word_class"],
        "training_count": measured.frequencies,
        "count": count,
        "documents": _documents_with(measured),
    })  # fmt: skip
    settings, generator = measured.settings, measured.generator("types")
    for contrast, tallies in zip(measured.contrasts, measured.preferences, strict=True):
        columns = type_preferences(tallies, settings.bootstrap, settings.confidence, generator)
        for name in ("mean", "standard_error", "low", "high"):
            table[name + contrast.suffix] = columns[name]
    for head in ("joint", *(f"readout_{tower}" for tower in range(1, measured.towers + 1))):
        table[head] = measured.type_means(partial(measured.log_probs, head))
    table["noise"] = measured.type_means(partial(measured.noise_difference, 1))
    return table[table["count"] > 0].reset_index(drop=True)


def _documents_with(measured: Measured) -> NDArray[np.int64]:
    """In how many documents each type occurs, (vocabulary,)."""
    found = np.zeros(len(measured.pieces), dtype=np.int64)
    for _, piece, _ in measured.cells():
        found += np.bincount(piece, minlength=len(found))
    return found


def perplexity(measured: Measured) -> dict[str, Any]:
    """Held-out perplexity of all towers together and of each alone under its readout."""

    def of(head: str) -> float:
        return math.exp(-measured.log_probs(head).mean())

    return {"joint": of("joint"), "towers": [of(f"readout_{tower}") for tower in range(1, measured.towers + 1)]}


def spread_of_types(measured: Measured) -> dict[str, Any]:
    """Standard deviation and mean of the preferences of frequent types, in nats."""
    frequent = measured.frequent

    def deviation(values_of: ValuesOf) -> float:
        return float(pd.Series(measured.type_means(values_of)[frequent]).std())

    each = [
        {
            "tower": contrast.tower,
            "sd": deviation(partial(measured.difference, contrast)),
            "mean": float(measured.difference(contrast).mean()),
        }
        for contrast in measured.contrasts
    ]
    pooled = math.sqrt(sum(one["sd"] ** 2 for one in each) / len(each)) if each else None
    return {
        "types": int(frequent.sum()),
        "occurrences": len(measured.scores),
        "sd": pooled,
        "mean": each[0]["mean"] if len(each) == 1 else None,
        "noise_sd": deviation(partial(measured.noise_difference, 1)),
        "definition": [contrast.name for contrast in measured.contrasts],
        **({"towers": each} if len(each) > 1 else {}),
    }


def by_upos(measured: Measured) -> dict[str, dict[str, Any]]:
    """Mean preference over whole-word occurrences of each part of speech; for more than two towers, of each tower."""
    names, codes = label_codes(measured.upos, left_out=tuple(set(measured.upos.categories) - set(UPOS)))
    # -1 stands last: it is the code of what is left out, too
    numbers = np.array([*(UPOS.index(name) if name in UPOS else -1 for name in names.tolist()), -1], dtype=np.int8)
    kinds = np.where(measured.scores["whole_word"].to_numpy(bool), numbers[codes], np.int8(-1))
    settings, generator = measured.settings, measured.generator("by upos")
    table: dict[str, dict[str, Any]] = {}
    for contrast in measured.contrasts:
        tallies = tally(measured.block, kinds, partial(measured.difference, contrast), len(UPOS))
        means = group_means(tallies, settings.bootstrap, settings.confidence, generator)
        for tag, (estimate, count) in zip(UPOS, means, strict=True):
            if count:
                row = table.setdefault(tag, {"occurrences": count})
                figures = {"mean": estimate.estimate, "low": estimate.low, "high": estimate.high}
                if len(measured.contrasts) == 1:
                    row.update(figures)
                else:
                    row.setdefault("towers", []).append({"tower": contrast.tower, **figures})
    return table
