"""How well each tower's readout predicts held-out tokens with all and with half of their context."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from ..data.windows import ScoringRows
from ..modeling.model import TowersModel
from ..modeling.scoring import score_places
from ..system.processes import ALONE, Processes

LIMIT = 1024
"""Tokens that are scored, one in the middle of a row, spread over the text."""
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
    in `starts`), and `CONTEXT_K` for each context and tower K, in nats, the mean over sets of readouts; an empty frame
    for causal towers. One of several `processes` returns its stretch of the rows.
    """
    if model.config.objective == "causal":
        return pd.DataFrame()
    rows = rows.every(max(1, len(rows) // LIMIT))
    parts = []
    for start in processes.starts(len(rows), batch):
        text, scored = rows.read(slice(start, start + batch))
        has_scored = scored.any(axis=1)
        text, scored = text[has_scored], scored[has_scored]
        middle = np.array([places[len(places) // 2] for places in map(np.flatnonzero, scored)], dtype=np.int64)
        document = np.searchsorted(starts, rows.first[start : start + batch][has_scored], side="right") - 1
        columns: dict[str, Any] = {"document": document}
        for context in CONTEXTS:
            for tower, values in enumerate(_score(model, text, middle, context, rows), start=1):
                columns[f"{context}_{tower}"] = values
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _score(
    model: TowersModel, text: NDArray[np.int64], middle: NDArray[np.int64], context: str, rows: ScoringRows
) -> list[NDArray[np.float32]]:
    """Log-probabilities of the middle tokens under each tower's readouts, mean over sets."""
    cut = np.full_like(text, rows.vocabulary.pad)
    for row, into, place in zip(text, cut, middle.tolist(), strict=True):
        left = row[place:] if context == "after" else row[: place + 1] if context == "before" else row
        into[: len(left)] = left
    places = np.zeros_like(middle) if context == "after" else middle
    readouts = [[f"{name}_{tower}" for name in model.config.readouts] for tower in range(1, model.config.towers + 1)]
    log_probs = score_places(model, cut, places, rows, [head for heads in readouts for head in heads])
    return [torch.stack([log_probs[head] for head in heads]).mean(dim=0).cpu().numpy() for heads in readouts]
