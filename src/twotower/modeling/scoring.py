"""Held-out text to log-probabilities, batch by batch."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..data.windows import ScoringRows
from .model import TowersModel

NEAR = 8
"""Tokens of a window for scores without far context: about as many as a clause has."""


def score_rows(
    model: TowersModel,
    rows: ScoringRows,
    batch: int,
    passes: int,
    heads: Collection[str] | None = None,
    starts: range | None = None,
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """For each `batch` rows the scored pieces and their log-probabilities (see `TowersModel.log_probs`), on the CPU.

    Pieces, and every head's log-probabilities, have shape (scored tokens,) and come in the order of the text. Under the
    masked objective each row is read `passes` times, and each of its tokens is [MASK] in one of them, the same for all
    heads; with `passes` 0 one token at a time, which is the pseudo-log-likelihood of Salazar et al. (2020). `heads`
    are the ones asked for; all if None. `starts` are the rows at which the batches begin that are wanted; all if None.
    """
    objective = model.config.objective
    for start in range(0, len(rows), batch) if starts is None else starts:
        text, scored = rows.read(slice(start, start + batch))
        if objective == "masked":
            log_probs = _masked(model, text, scored, rows, start, passes, heads)
        else:
            inputs, targets = (text[:, :-1], text[:, 1:]) if objective == "causal" else (text, text)
            log_probs = log_probs_of(model, inputs, targets, scored[:, -targets.shape[1] :], rows.vocabulary.pad, heads)
        pieces = torch.from_numpy(text[scored])
        yield pieces, {name: values.cpu() for name, values in log_probs.items()}


def folds(scored: NDArray[np.bool_], passes: int, first_row: int) -> NDArray[np.int64]:
    """In which pass each scored token is masked, -1 elsewhere; of the shape of `scored`, (rows, length).

    Each row's tokens are dealt out at random, as evenly as they can be; the deal depends on the row's number alone.
    """
    dealt = np.full(scored.shape, -1)
    for number, (row, into) in enumerate(zip(scored, dealt, strict=True), start=first_row):
        places = np.flatnonzero(row)
        into[places] = np.random.default_rng(number).permutation(len(places)) % (passes or max(1, len(places)))
    return dealt


def _masked(
    model: TowersModel,
    text: NDArray[np.int64],
    scored: NDArray[np.bool_],
    rows: ScoringRows,
    start: int,
    passes: int,
    heads: Collection[str] | None,
) -> dict[str, Tensor]:
    dealt = folds(scored, passes, start)
    order = dealt[scored]
    log_probs: dict[str, Tensor] = {}
    for number in range(int(dealt.max()) + 1):
        hidden = dealt == number
        with_hidden = hidden.any(axis=1)
        inputs = np.where(hidden, rows.vocabulary.mask, text)
        part = log_probs_of(
            model, inputs[with_hidden], text[with_hidden], hidden[with_hidden], rows.vocabulary.pad, heads
        )
        for name, values in part.items():
            into = log_probs.setdefault(name, torch.empty(len(order), dtype=values.dtype, device=values.device))
            into[torch.from_numpy(order == number)] = values
    return log_probs


def score_places(
    model: TowersModel,
    text: NDArray[np.int64],
    places: NDArray[np.int64],
    rows: ScoringRows,
    heads: Collection[str] | None = None,
) -> dict[str, Tensor]:
    """Log-probability under each of the `heads` (None: all) of the token at one place of each row, (rows,).

    `text` (rows, length) and `places` (rows,). `rows` say what hides a token and what is padding.
    """
    scored = np.zeros(text.shape, dtype=bool)
    scored[np.arange(len(text)), places] = True
    inputs, targets = text, text
    if model.config.objective == "causal":
        inputs, targets, scored = text[:, :-1], text[:, 1:], scored[:, 1:]
    elif model.config.objective == "masked":
        inputs = np.where(scored, rows.vocabulary.mask, text)
    return log_probs_of(model, inputs, targets, scored, rows.vocabulary.pad, heads)


def log_probs_of(
    model: TowersModel,
    inputs: NDArray[np.int64],
    targets: NDArray[np.int64],
    scored: NDArray[np.bool_],
    pad: int,
    heads: Collection[str] | None = None,
) -> dict[str, Tensor]:
    """`TowersModel.log_probs` of arrays of rows, on the model's device; `pad` in `inputs` is padding."""
    device = model.decoder_bias.device

    def on_device(array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    present = inputs != pad
    mask = None if present.all() else on_device(present)
    return model.log_probs(on_device(inputs), on_device(targets), on_device(scored), mask, heads)
