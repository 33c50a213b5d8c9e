"""Do the towers divide the work by reading direction? A lesion of the context on either side.

A tower that looks at what comes before and one that looks at what comes after prefer different words, reliably and in
every seed alike; but that is a division of the text's geometry, not of syntax and semantics. So towers that read both
ways are asked for the same tokens with their whole window, without what stands before, and without what stands after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data.windows import ScoringRows
from ..processes import ALONE, Processes
from ..statistics.intervals import largest_difference, percentile_interval
from ..statistics.tallies import Floats, resample

if TYPE_CHECKING:
    from ..modeling.model import TowersModel

DIVIDED = 0.2
"""Difference of balance from which on towers are said to divide the work by direction."""
LIMIT = 1024
"""Tokens that are asked for, one in the middle of a row, spread over the text."""
CONTEXTS = ("whole", "after", "before")
"""What is left of the window: all of it, the token and what stands after it, the token and what stands before it."""


def lesion(
    model: TowersModel,
    rows: ScoringRows,
    starts: NDArray[np.int64],
    batch: int,
    processes: Processes = ALONE,
) -> pd.DataFrame:
    """Log-probabilities of the tokens in the middle of rows with all and with half of their context.

    `starts` (documents,) is where each document begins in the stream. Returns one row per token: `document` (its number
    in `starts`), and `CONTEXT_K` for each context and tower K, in nats; an empty frame for causal towers. One of
    several `processes` returns its stretch of the rows.
    """
    if model.config.objective == "causal":
        return pd.DataFrame()
    rows = rows.every(max(1, len(rows) // LIMIT))
    parts = []
    for start in processes.starts(len(rows), batch):
        text, scored = rows.read(slice(start, start + batch))
        kept = scored.any(axis=1)
        text, scored = text[kept], scored[kept]
        middle = np.array([places[len(places) // 2] for places in map(np.flatnonzero, scored)], dtype=np.int64)
        document = np.searchsorted(starts, rows.first[start : start + batch][kept], side="right") - 1
        found: dict[str, Any] = {"document": document}
        for context in CONTEXTS:
            for tower, values in enumerate(_score(model, text, middle, context, rows), start=1):
                found[f"{context}_{tower}"] = values
        parts.append(pd.DataFrame(found))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _score(
    model: TowersModel, text: NDArray[np.int64], middle: NDArray[np.int64], context: str, rows: ScoringRows
) -> list[NDArray[np.float32]]:
    """Log-probabilities of the middle tokens under each tower's readout."""
    from ..modeling.scoring import log_probs_of  # its libraries take seconds, and statistics do without them

    pad, length = rows.vocabulary.pad, text.shape[1]
    inputs, asked = np.full_like(text, pad), np.zeros(text.shape, dtype=bool)
    for row, into, chosen, place in zip(text, inputs, asked, middle.tolist(), strict=True):
        begin = place if context == "after" else 0
        end = place + 1 if context == "before" else length
        into[: end - begin] = row[begin:end]
        chosen[place - begin] = True
    targets = inputs.copy()
    if model.config.objective == "masked":
        inputs[asked] = rows.vocabulary.mask
    heads = log_probs_of(model, inputs, targets, asked, pad)
    return [heads[f"readout_{tower}"].cpu().numpy() for tower in range(1, model.config.towers + 1)]


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
