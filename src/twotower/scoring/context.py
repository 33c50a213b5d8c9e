"""How well every head predicts held-out tokens with more and more of their context."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data.windows import ScoringRows
from ..modeling.model import TowersModel
from ..modeling.scoring import score_places
from ..system.processes import ALONE, Processes

LIMIT = 4096
"""Tokens that are scored, spread over the text."""


def context_sizes(objective: str, window: int) -> list[int]:
    """The numbers of context tokens that are tried: powers of two, and all that a window holds."""
    most = window if objective == "causal" else window - 1
    return [size for size in (1 << power for power in range(most.bit_length())) if size < most] + [most]


def shortened(
    model: TowersModel,
    rows: ScoringRows,
    starts: NDArray[np.int64],
    batch: int,
    processes: Processes = ALONE,
) -> pd.DataFrame:
    """Log-probabilities of a sample of held-out tokens under every head, with more and more of their context.

    Each token has a full window of its document around it; the text is cut to each context in turn. A causal tower
    sees the tokens before the scored one, the others half before it and half after it. `starts` (documents,)
    is where each document begins in the stream.

    Returns one row per token and context: `document` (its number in `starts`), `token`, `context` (tokens), and the
    log-probabilities in nats, one column a head. Empty if no document holds a whole window, or for rows of whole
    sentences, whose lengths differ. One of several `processes` returns the rows of its own tokens (see `in_order`).
    """
    objective, window = model.config.objective, model.config.window
    full = np.flatnonzero((rows.stop - rows.start == rows.length) & (rows.last > rows.first))
    if not len(full) or rows.pairs:
        return pd.DataFrame()
    chosen = full[:: max(1, len(full) // LIMIT)]
    begins = processes.starts(len(chosen), batch)
    own_tokens = np.arange(begins.start, begins.stop)
    if not len(own_tokens):
        return pd.DataFrame()
    chosen = chosen[own_tokens]
    causal = objective == "causal"
    # The last token of a causal row has all of the window before it; elsewhere the middle one has the most around it.
    place = np.where(causal, rows.stop[chosen] - 1, (rows.start[chosen] + rows.stop[chosen]) // 2)
    place = np.clip(place, rows.first[chosen], rows.last[chosen] - 1)
    document = np.searchsorted(starts, place, side="right") - 1
    parts = []
    for size in context_sizes(objective, window):
        before = size if causal else (size + 1) // 2
        first = np.maximum(place - before, rows.start[chosen])
        if not causal:  # as far as the row goes: at its edges more of the other side
            first = np.minimum(first, rows.stop[chosen] - size - 1)
        columns: dict[str, list[NDArray[np.float32]]] = {}
        for begin in range(0, len(chosen), batch):
            part = slice(begin, begin + batch)
            text = np.asarray(rows.tokens[first[part, None] + np.arange(size + 1)], dtype=np.int64)
            for name, values in score_places(model, text, place[part] - first[part], rows).items():
                columns.setdefault(name, []).append(values.cpu().numpy())
        frame: dict[str, Any] = {"document": document, "token": own_tokens, "context": size}
        parts.append(pd.DataFrame(frame | {name: np.concatenate(values) for name, values in columns.items()}))
    return pd.concat(parts, ignore_index=True)


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """What `shortened` returned in several processes, one after the other, in the order of a single one."""
    return frame.sort_values(["context", "token"], kind="stable", ignore_index=True) if len(frame) else frame
