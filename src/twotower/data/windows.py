"""Documents to windows: the held-out split, the order of training windows, the windows in which text is scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

FEWEST_HELDOUT = 4
"""Two held-out documents in each half is the least from which reliability can be had at all."""


def heldout_documents(sizes: NDArray[np.int64], share: float, seed: int) -> NDArray[np.bool_]:
    """Choose whole documents at random for the held-out split.

    `sizes` are characters, shape (documents,). Documents are taken in a random order until they hold `share` of the
    corpus, with a margin of 5 % because characters only approximate tokens; one that would overshoot by more than half
    of the share is passed over, so that a single huge document does not become the held-out split. Returns a mask of
    shape (documents,). Raises `InputError` if the documents are too few.
    """
    total = int(sizes.sum())
    wanted, ceiling = share * 1.05 * total, share * 1.5 * total
    mask = np.zeros(len(sizes), dtype=bool)
    taken = 0
    for index in np.random.default_rng(seed).permutation(len(sizes)):
        if taken >= wanted and mask.sum() >= FEWEST_HELDOUT:
            break
        if taken + sizes[index] <= ceiling:
            mask[index] = True
            taken += int(sizes[index])
    if taken < share * total or mask.sum() < FEWEST_HELDOUT or mask.all():
        raise InputError(
            f"corpus: {len(sizes)} document{'s' * (len(sizes) != 1)} cannot be split into {share:.0%} held out (at "
            f"least {FEWEST_HELDOUT} whole documents) and the rest for training; give more documents, or cut yours, "
            "for instance with --prepare.section-words 500 or --prepare.documents line"
        )
    return mask


def require_window(tokens: int, window: int) -> None:
    """Raise `InputError` if a training split of `tokens` tokens does not fill one window."""
    if tokens <= window:
        raise InputError(
            f"corpus: its training split has {tokens} tokens, fewer than one window of {window} and the next token; "
            "give more text, or a smaller --train.window"
        )


@dataclass(frozen=True)
class TrainingWindows:
    """Contiguous windows of a token stream in a seeded random order, a new one each epoch.

    What batch a step gets depends on nothing but the fields: not on the number of processes, nor on earlier steps.
    """

    tokens: NDArray[np.integer]
    """The stream, shape (tokens,), usually memory-mapped."""
    window: int
    batch: int
    seed: int

    def __post_init__(self) -> None:
        require_window(len(self.tokens), self.window)

    @property
    def per_epoch(self) -> int:
        """Windows in one pass over the stream; up to one is lost to the random offset at which a pass begins."""
        return max(0, (len(self.tokens) - 1) // self.window - 1) or int(len(self.tokens) > self.window)

    def get(self, step: int) -> NDArray[np.int64]:
        """The windows of update `step`, each with the token that follows it: shape (batch, window + 1)."""
        numbers = np.arange(step * self.batch, (step + 1) * self.batch)
        rows = np.empty((self.batch, self.window + 1), dtype=np.int64)
        for row, number in zip(rows, numbers, strict=True):
            start = self._start(*divmod(int(number), self.per_epoch))
            row[:] = self.tokens[start : start + self.window + 1]
        return rows

    def _start(self, epoch: int, index: int) -> int:
        order, offset = _epoch_order(self.seed, epoch, self.per_epoch, self.window, len(self.tokens))
        return int(order[index]) * self.window + offset


_orders: dict[tuple[int, ...], tuple[NDArray[np.int64], int]] = {}


def _epoch_order(seed: int, epoch: int, count: int, window: int, length: int) -> tuple[NDArray[np.int64], int]:
    key = (seed, epoch, count, window, length)
    if key not in _orders:
        if len(_orders) > 1:
            _orders.clear()  # a batch touches two epochs at the most
        generator = np.random.default_rng([seed, epoch])
        slack = length - 1 - count * window
        offset = int(generator.integers(min(window, slack + 1)))
        _orders[key] = generator.permutation(count), offset
    return _orders[key]


@dataclass(frozen=True)
class ScoringWindows:
    """Overlapping windows such that every token of every document is scored once, within its own document.

    Tokens are numbered in the stream; window k reads the `window` tokens from `start[k]` on, whose next tokens are its
    targets, and scores the targets from `first[k]` up to (not including) `last[k]`. Each array has shape (windows,).
    """

    start: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    window: int

    def __len__(self) -> int:
        return len(self.start)

    def inputs_and_targets(
        self, tokens: NDArray[np.integer], rows: slice, pad: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Inputs, targets and whether each target is scored, each of shape (rows, window)."""
        start, first, last = self.start[rows, None], self.first[rows, None], self.last[rows, None]
        offsets = np.arange(self.window)[None, :]
        reach = start + offsets
        within = offsets < last
        inputs = np.where(within, tokens[np.minimum(reach, len(tokens) - 1)], pad).astype(np.int64)
        targets = np.where(within, tokens[np.minimum(reach + 1, len(tokens) - 1)], pad).astype(np.int64)
        return inputs, targets, within & (offsets >= first)


def scoring_windows(starts: NDArray[np.int64], lengths: NDArray[np.int64], window: int) -> ScoringWindows:
    """Windows over documents that begin at `starts` in the stream, each preceded by a separator.

    The first window of a document scores all its targets; each further one moves on by half a window and scores the
    second half, so that but for the beginning of a document every token has at least `window / 2` tokens of context.
    Windows come in the order of the text, and so do the scored targets.
    """
    half = max(1, window // 2)
    start: list[int] = []
    first: list[int] = []
    last: list[int] = []
    for begin, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        done = 0
        while done < length:
            origin = 0 if done == 0 else done + half - window
            start.append(begin - 1 + origin)
            first.append(done - origin)
            last.append(min(window, length - origin))
            done = origin + last[-1]
    as_array = [np.asarray(values, dtype=np.int64) for values in (start, first, last)]
    return ScoringWindows(as_array[0], as_array[1], as_array[2], window)
