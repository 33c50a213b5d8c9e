"""What a word is to each tower: its input, and the mean of its states in context."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ...modeling.layers import layer_states
from ...modeling.model import EmbeddingNorm, TowersModel
from ...modeling.towers import Tower
from ...system.progress import Progress
from ..occurrences import Occurrences, Stream

T = TypeVar("T")
BATCH = 64
"""Windows at a time."""


@dataclass(frozen=True)
class WordView:
    """One vector for each word."""

    name: str
    tower: int
    """Counted from 1; 0 for what the towers share."""
    layer: int | None
    """0 for the tower's input without a context; None for the shared embedding."""
    trained: bool
    vectors: NDArray[np.float64]
    """(words, width)"""

    @property
    def labels(self) -> dict[str, Any]:
        """What it is, as `results.json` says it."""
        return {"view": self.name, "tower": self.tower, "layer": self.layer, "trained": self.trained}


@torch.no_grad()
def input_views(model: TowersModel, pieces: list[tuple[int, ...]], trained: bool) -> list[WordView]:
    """The shared embedding of each word (mean over its pieces), and what each tower's input map makes of it.

    Positions are left out: the view knows no context. Towers as wide as the embedding have no input map, and so no
    view of their own.
    """
    embedded = torch.stack([model.embedding.weight[list(piece)].mean(dim=0) for piece in pieces])
    views = [WordView("shared embedding", 0, None, trained, embedded.double().numpy())]
    normed = model.embedding_norm.norm(embedded) if isinstance(model.embedding_norm, EmbeddingNorm) else embedded
    for number, tower in enumerate(cast(list[Tower], model.towers), start=1):
        if not isinstance(tower.input_map, nn.Identity):
            mapped = tower.input_map(normed).double().numpy()
            views.append(WordView(f"tower {number}, input map", number, 0, trained, mapped))
    return views


@torch.no_grad()
def contextual_views(
    model: TowersModel,
    stream: Stream,
    pieces: list[tuple[int, ...]],
    occurrences: Occurrences,
    frame: tuple[int, int] | None,
    trained: bool,
) -> list[WordView]:
    """The mean state of each word over the occurrences that were found, at each layer of each tower.

    The stream is cut into windows that overlap by half, and every occurrence is read in the window that gives it the
    most context: the end of one for a causal tower, the middle for others. The state of a word is the mean over its
    pieces. `frame` are [CLS] and [SEP] for towers that are used to whole sentences between them.
    """
    window = min(model.config.window - 2 * (frame is not None), len(stream))
    half = max(1, window // 2)
    lengths = np.array([len(piece) for piece in pieces])[occurrences.word]
    ends = occurrences.place + lengths
    if model.config.objective == "causal":
        row = -(-(ends - window) // half)
    else:
        row = (2 * occurrences.place + lengths - window + half) // (2 * half)
    last = -(-max(0, len(stream) - window) // half)
    starts = np.minimum(np.clip(row, 0, last) * half, len(stream) - window)
    fits = (occurrences.place >= starts) & (ends <= starts + window)
    wanted, which = np.unique(starts, return_inverse=True)
    order = np.argsort(which, kind="stable")
    order = order[fits[order]]
    sums: list[list[NDArray[np.float64]]] = []
    times_seen = np.zeros(len(pieces))
    np.add.at(times_seen, occurrences.word[fits], 1)
    name = "towers in context" if trained else "untrained towers in context"
    with Progress(name, total=len(wanted), unit="window") as progress:
        for begin in range(0, len(wanted), BATCH):
            window_starts = wanted[begin : begin + BATCH]
            rows = np.asarray(stream[window_starts[:, None] + np.arange(window)], dtype=np.int64)
            if frame is not None:
                edges = np.ones((len(rows), 1), dtype=np.int64)
                rows = np.concatenate([frame[0] * edges, rows, frame[1] * edges], axis=1)
            states = layer_states(model, torch.from_numpy(rows))
            lower, upper = np.searchsorted(which[order], [begin, begin + len(window_starts)])
            chosen = order[lower:upper]
            offset = occurrences.place[chosen] - starts[chosen] + (frame is not None)
            owner = np.repeat(np.arange(len(chosen)), lengths[chosen])
            inside = np.arange(len(owner)) - np.repeat(np.cumsum(lengths[chosen]) - lengths[chosen], lengths[chosen])
            flat = torch.from_numpy((which[chosen] - begin)[owner] * rows.shape[1] + offset[owner] + inside)
            share = 1 / lengths[chosen][owner]
            if not sums:
                sums = [[np.zeros((len(pieces), state.shape[-1])) for state in tower] for tower in states]
            for tower, into in zip(states, sums, strict=True):
                for state, total in zip(tower, into, strict=True):
                    picked = state.flatten(0, 1)[flat].double().numpy()
                    np.add.at(total, occurrences.word[chosen][owner], picked * share[:, None])
            progress.advance(len(window_starts))
    with np.errstate(invalid="ignore", divide="ignore"):
        return [
            WordView(f"tower {tower}, layer {layer}", tower, layer, trained, total / times_seen[:, None])
            for tower, layers in enumerate(sums, start=1)
            for layer, total in enumerate(layers)
            if layer > 0
        ]


def same_layer(known: list[tuple[WordView, T]]) -> list[tuple[tuple[WordView, T], tuple[WordView, T]]]:
    """Pairs of views of two towers at one layer."""
    return [
        (first, other)
        for first, other in combinations(known, 2)
        if first[0].layer == other[0].layer and first[0].tower != other[0].tower
    ]
