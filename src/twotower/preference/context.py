"""How far the towers look: what each head gains as its context grows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from ..data.windows import ScoringRows
from ..processes import ALONE, Processes
from ..statistics.intervals import largest_difference, percentile_interval
from ..statistics.tallies import Floats, resample
from .measured import SETS

if TYPE_CHECKING:
    from ..modeling.model import TowersModel

LIMIT = 4096
"""Tokens that are asked for, spread over the text."""
FEW = 4
"""Tokens of context that count as near: what is gained beyond them is the gain from far context."""


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

    Each token has a full window of its document around it; the text is cut to the context that is tried. A causal tower
    sees the tokens before the one that is asked for, the others half before it and half after it. `starts` (documents,)
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
    mine = np.arange(begins.start, begins.stop)
    if not len(mine):
        return pd.DataFrame()
    chosen = chosen[mine]
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
            for name, values in _score(model, text, place[part] - first[part], rows).items():
                columns.setdefault(name, []).append(values)
        frame: dict[str, Any] = {"document": document, "token": mine, "context": size}
        parts.append(pd.DataFrame(frame | {name: np.concatenate(values) for name, values in columns.items()}))
    return pd.concat(parts, ignore_index=True)


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """What `shortened` returned in several processes, one after the other, in the order of a single one."""
    return frame.sort_values(["context", "token"], kind="stable", ignore_index=True) if len(frame) else frame


def _score(
    model: TowersModel, text: NDArray[np.int64], asked: NDArray[np.int64], rows: ScoringRows
) -> dict[str, NDArray[np.float32]]:
    """Log-probability of the token at place `asked` of each row under each head."""
    from ..modeling.scoring import log_probs_of  # its libraries take seconds, and statistics do without them

    scored = np.zeros(text.shape, dtype=bool)
    scored[np.arange(len(text)), asked] = True
    inputs, targets = text, text
    if model.config.objective == "causal":
        inputs, targets, scored = text[:, :-1], text[:, 1:], scored[:, 1:]
    elif model.config.objective == "masked":
        inputs = np.where(scored, rows.vocabulary.mask, text)
    heads = log_probs_of(model, inputs, targets, scored, rows.vocabulary.pad)
    return {name: values.cpu().numpy() for name, values in heads.items()}


def context(
    table: pd.DataFrame, towers: int, draws: int, confidence: float, generator: np.random.Generator
) -> dict[str, Any] | None:
    """Nats that each head gains as its context grows; None where nothing was tried.

    Args:
        table: `context.parquet` (see `shortened`).
        towers: how many towers.
        draws, confidence, generator: of the bootstrap over documents.

    Returns:
        `tokens`; `curves`: for the joint head and each tower, by the tokens of `context`, the mean log-probability in
        nats and its interval, and its `gain` over the smallest context with an interval of its own; `far`: for each
        tower what it gains beyond `FEW` tokens; `difference`: the first tower's far gain minus the second's (for more
        towers the largest difference between two, see `largest_difference`), with its interval.

    Curves and gains are means over sets of readouts. What two sets differ by is not of the towers, so that the variance
    of the difference between towers is that over documents and, pooled over towers, that over sets of readouts.
    """
    if table.empty:
        return None
    codes, documents = pd.factorize(table.loc[table["context"] == table["context"].min(), "document"])
    sizes = sorted(table["context"].unique().tolist())
    weights = np.vstack([np.ones((1, len(documents))), resample(len(documents), draws, generator)])
    counts = weights @ np.bincount(codes, minlength=len(documents))

    def means(values: Floats) -> Floats:
        """Mean over tokens: of the sample, then of each draw."""
        found: Floats = weights @ np.bincount(codes, weights=values, minlength=len(documents)) / counts
        return found

    def of(head: str, size: int) -> Floats:
        values: Floats = table.loc[table["context"] == size, head].to_numpy(np.float64)
        return values

    few = max((size for size in sizes if size <= FEW), default=sizes[0])
    sets = [name for name in SETS if f"{name}_1" in table]

    def alone(tower: int, size: int) -> Floats:
        mean: Floats = np.mean([of(f"{name}_{tower}", size) for name in sets], axis=0)
        return mean

    def estimate(drawn: Floats) -> dict[str, float]:
        return vars(percentile_interval(float(drawn[0]), drawn[1:], confidence))

    heads: dict[str, Callable[[int], Floats]] = {"joint": partial(of, "joint")}
    heads |= {f"tower {tower}": partial(alone, tower) for tower in range(1, towers + 1)}
    curves = [
        {
            "head": name,
            "points": [
                {
                    "context": size,
                    **estimate(means(head(size))),
                    "gain": estimate(means(head(size) - head(sizes[0]))),
                }
                for size in sizes
            ],
        }
        for name, head in heads.items()
    ]
    gains = np.array([
        [means(of(f"{name}_{tower}", sizes[-1]) - of(f"{name}_{tower}", few)) for name in sets]
        for tower in range(1, towers + 1)
    ])  # fmt: skip
    over_sets = gains.mean(axis=1)
    found: dict[str, Any] = {
        "tokens": len(codes),
        "near": int(few),
        "curves": curves,
        "far": [{"tower": number, **estimate(gain)} for number, gain in enumerate(over_sets, start=1)],
    }
    if towers == 1:
        return found | {"difference": None}
    apart = estimate(over_sets[0] - over_sets[1]) if towers == 2 else largest_difference(over_sets.T, confidence)
    reach = float(stats.t.ppf((1 + confidence) / 2, towers * (len(sets) - 1)))
    reach *= float(np.sqrt(2 * gains[..., 0].var(axis=1, ddof=1).mean() / len(sets)))
    middle = apart["estimate"]
    low, high = (middle + side * np.hypot(middle - apart[end], reach) for end, side in (("low", -1), ("high", 1)))
    return found | {"difference": {"estimate": middle, "low": float(low), "high": float(high)}}
