"""Log-probabilities of tokens under a causal or a masked model of `transformers`."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..system.errors import InputError
from ..system.processes import ALONE, Processes
from ..system.progress import Progress
from .batches import Batches, Indices
from .encoded import Encoded
from .loading import ModelFiles
from .rows import Batch, CausalRows, MaskedRows, Rows

Floats = NDArray[np.float32]
LONGEST_WINDOW = 2048
"""Tokens of a window by default: attention to more costs much and predicts little better."""


@dataclass(frozen=True)
class TokenScores:
    """Log-probabilities of the tokens under a model, in nats, each (tokens,); NaN where it does not predict."""

    log_probs: Floats
    beginnings: Floats | None = None
    """Log-probability that a word begins at the token; None where it was not asked for, or the model cannot tell."""


@dataclass(frozen=True)
class Framing:
    """The special tokens that a model's tokenizer puts around a text."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    @classmethod
    def of(cls, files: ModelFiles) -> Framing:
        """For a causal model whose tokenizer puts nothing first, the token that begins or else ends its texts."""
        tokenizer = files.tokenizer
        inner, framed = (tokenizer("a", add_special_tokens=special)["input_ids"] for special in (False, True))
        place = next(place for place in range(len(framed)) if framed[place : place + len(inner)] == inner)
        before, after = tuple(framed[:place]), tuple(framed[place + len(inner) :])
        if files.direction == "causal" and not before:
            first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
            before = () if first is None else (first,)
        return cls(before, after)


def window_of(model: Any, files: ModelFiles, window: int) -> int:
    """The tokens that the model reads at a time. Raises `InputError` if it is asked for more than it can read."""
    config = files.config.get_text_config()
    limits = [files.tokenizer.model_max_length]
    limits += [
        value for name in ("max_position_embeddings", "window") if isinstance(value := getattr(config, name, None), int)
    ]
    for name, module in model.named_modules():  # RoBERTa and models like it count positions from behind the padding's
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            limits.append(module.num_embeddings - module.padding_idx - 1)
    most = min(limits)
    if window > most:
        raise InputError(f"diff.window: {window} is more than {files.named.given} reads ({most} tokens); give less")
    return window or min(most, LONGEST_WINDOW)


def rows_of(files: ModelFiles, encoded: Encoded, window: int, step: int) -> Rows:
    """The rows in which a model reads a text. Raises `InputError` for a masked model without a mask token."""
    framing = Framing.of(files)
    if files.direction == "causal":
        return CausalRows(encoded, framing.before, window, step)
    mask = files.tokenizer.mask_token_id
    if mask is None:
        raise InputError(f"diff: {files.named.given} is a masked model whose tokenizer has no mask token; give another")
    return MaskedRows(encoded, framing.before, framing.after, mask, window, step)


@torch.inference_mode()
def logits_at(model: Any, batch: Batch) -> Tensor:
    """Logits where tokens are asked for, (asked, vocabulary), row by row.

    The head to the vocabulary is computed there alone: a hook cuts down the states that reach it.
    """
    cut = False
    device = model.get_input_embeddings().weight.device
    inputs, present, predicted = (torch.from_numpy(array).to(device) for array in batch[:3])

    def cut_down(_: object, __: object, output: Any) -> Any:
        nonlocal cut
        states = output[0]
        if states.shape[:2] != predicted.shape:
            return output
        cut = True
        needed = states[predicted.to(states.device)][None]
        if isinstance(output, tuple):
            return (needed, *output[1:])
        output[next(iter(output))] = needed
        return output

    options = {"use_cache": False} if "use_cache" in inspect.signature(model.forward).parameters else {}
    hook = model.base_model.register_forward_hook(cut_down) if model.base_model is not model else None
    try:
        logits: Tensor = model(input_ids=inputs, attention_mask=present, **options).logits
    finally:
        if hook is not None:
            hook.remove()
    return logits[0] if cut else logits[predicted.to(logits.device)]


def log_probs_of_targets(logits: Tensor, targets: NDArray[np.integer]) -> NDArray[np.float32]:
    """Log-probability of the target in each row of logits, in nats and single precision, (rows,)."""
    logits = logits.float()
    chosen = torch.from_numpy(targets.astype(np.int64)).to(logits.device)
    log_probs = logits.gather(-1, chosen[:, None])[:, 0] - logits.logsumexp(dim=-1)
    return np.asarray(log_probs.cpu().numpy(), dtype=np.float32)


def score_rows(
    model: Any,
    rows: Rows,
    encoded: Encoded,
    batches: Batches,
    name: str,
    beginning: NDArray[np.bool_] | None = None,
    wanted: NDArray[np.bool_] | None = None,
    processes: Processes = ALONE,
) -> TokenScores:
    """Log-probabilities of the tokens of all rows.

    `beginning` (vocabulary,) says which pieces begin a word, and `wanted` (tokens,) at which tokens the probability of
    these is wanted; None: nowhere. One of several `processes` scores some of the batches, and leaves NaN elsewhere.
    """
    log_probs, begins = np.full((2, len(encoded)), np.nan, dtype=np.float32)
    pieces = None if beginning is None else torch.from_numpy(np.flatnonzero(beginning))
    lengths = rows.lengths
    share = batches.share(lengths, processes)

    def score(chosen: Indices) -> None:
        batch = rows.read(chosen)
        logits = logits_at(model, batch)
        log_probs[batch.tokens] = log_probs_of_targets(logits, encoded.ids[batch.tokens])
        if pieces is not None and wanted is not None and (at := wanted[batch.tokens]).any():
            logits_there = logits[torch.from_numpy(np.flatnonzero(at)).to(logits.device)].float()
            inside = logits_there[:, pieces[pieces < logits_there.shape[1]].to(logits_there.device)].logsumexp(dim=-1)
            begins[batch.tokens[at]] = (inside - logits_there.logsumexp(dim=-1)).cpu().numpy()

    total = sum(int(lengths[batch].sum()) for batch in share)
    with Progress(name, total, "token", quiet=not processes.first) as progress:
        for rows_done in batches.each(share, lengths, score):
            progress.advance(int(lengths[rows_done].sum()))
    return TokenScores(log_probs, None if pieces is None else begins)
