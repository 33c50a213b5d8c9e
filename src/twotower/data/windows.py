"""Documents to windows: the held-out split, and the rows of text in which the towers are trained and scored.

Rows are *contiguous* cuts of the stream, documents divided by [SEP]; or *pairs*, whole sentences of one document as
`[CLS] … [SEP] … [SEP] [PAD] …`, the input of BERT and of the reference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..system.errors import InputError
from ..system.printing import in_percent
from .sentences import fill_pair, next_sentence, sentence_groups
from .tokenization import Vocabulary

Ids = NDArray[np.integer]
FEWEST_HELDOUT = 4
"""Two held-out documents in each half is the least from which reliability can be had at all."""
VALIDATION = 0.02
"""Share of the training split that is kept aside: neither towers nor readouts train on it, and readouts stop by it."""


def heldout_documents(
    sizes: NDArray[np.int64],
    share: float,
    seed: int,
    label: str = "",
    group: NDArray[np.int64] | None = None,
    remedy: str = "give more documents, or cut them, for instance with --prepare.section-words 500",
) -> NDArray[np.bool_]:
    """Choose whole documents at random for the held-out split.

    `sizes` are characters, shape (documents,). Documents are taken in a random order until they hold `share` of the
    corpus, with a margin of 5 % because characters only approximate tokens; one that would overshoot by more than half
    of the share is passed over, so that a single huge document does not become the held-out split. Those of one number
    in `group`, (documents,), are taken together. Returns a mask of shape (documents,). Raises `InputError`, beginning
    with `label` and ending in `remedy`, if the documents are too few.
    """
    total = int(sizes.sum())
    wanted, ceiling = share * 1.05 * total, share * 1.5 * total
    mask = np.zeros(len(sizes), dtype=bool)
    number = np.arange(len(sizes)) if group is None else np.unique(group, return_inverse=True)[1]
    members, begins = np.argsort(number), np.append(0, np.cumsum(np.bincount(number)))
    taken = 0
    for index in np.random.default_rng(seed).permutation(len(sizes)):
        if taken >= wanted and mask.sum() >= FEWEST_HELDOUT:
            break
        chosen = members[begins[number[index]] : begins[number[index] + 1]]  # all of its group
        size = int(sizes[chosen].sum())
        if not mask[index] and taken + size <= ceiling:
            mask[chosen] = True
            taken += size
    if taken < share * total or mask.sum() < FEWEST_HELDOUT or mask.all():
        raise InputError(
            f"corpus: {label}{len(sizes)} document{'s' * (len(sizes) != 1)} cannot be split into {in_percent(share)} "
            f"held out (at least {FEWEST_HELDOUT} whole documents) and the rest for training; {remedy}"
        )
    return mask


def validation_documents(sizes: NDArray[np.int64], seed: int, label: str = "") -> NDArray[np.bool_]:
    """Choose whole documents of the training split to keep aside: `VALIDATION` of it, at least one document.

    `sizes` are characters of the documents of the training split, shape (documents,). Documents are taken in a random
    order; one that would overshoot by half is passed over. Where that leaves nothing, the shortest is taken. Returns a
    mask of shape (documents,). Raises `InputError`, beginning with `label`, where nothing would be left for training.
    """
    if len(sizes) < 2:
        raise InputError(
            f"corpus: {label}one document is left for training, and one must be kept aside, on which readouts are "
            "stopped; give more documents, or cut them, for instance with --prepare.section-words 500"
        )
    wanted = VALIDATION * int(sizes.sum())
    mask = np.zeros(len(sizes), dtype=bool)
    taken = 0
    for index in np.random.default_rng([seed, 2]).permutation(len(sizes)):
        if taken < wanted and taken + sizes[index] <= 1.5 * wanted:
            mask[index] = True
            taken += int(sizes[index])
    if not mask.any():
        mask[sizes.argmin()] = True
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
    """Windows of a token stream in a seeded random order, a new one each epoch.

    What rows a step gets depends on nothing but the fields: not on the number of processes, nor on earlier steps.
    """

    tokens: Ids
    """The stream, shape (tokens,), usually memory-mapped."""
    window: int
    batch: int
    seed: int
    row: int = 0
    """Tokens of a row: `window`, or one more for the causal objective's last target (0: one more)."""
    pairs: Vocabulary | None = None
    """For rows of whole sentences, the ids that make them; None for contiguous rows."""

    def __post_init__(self) -> None:
        require_window(len(self.tokens), self.window)

    @property
    def per_epoch(self) -> int:
        """Windows in one pass over the stream; up to one is lost to the random offset at which a pass begins."""
        return max(0, (len(self.tokens) - 1) // self.window - 1) or int(len(self.tokens) > self.window)

    def get(self, step: int) -> NDArray[np.int64]:
        """The rows of update `step`: shape (batch, row)."""
        length = self.row or self.window + 1
        numbers = np.arange(step * self.batch, (step + 1) * self.batch)
        rows = np.empty((self.batch, length), dtype=np.int64)
        for row, number in zip(rows, numbers, strict=True):
            start = self._start(*divmod(int(number), self.per_epoch))
            if self.pairs is None:
                row[:] = self.tokens[start : start + length]
            else:
                fill_pair(row, self.tokens, *next_sentence(self.tokens, start, length, self.pairs), self.pairs)
        return rows

    def _start(self, epoch: int, index: int) -> int:
        order, offset = _epoch_order(self.seed, epoch, self.per_epoch, self.window, len(self.tokens))
        return int(order[index]) * self.window + offset


_orders: dict[tuple[int, ...], tuple[NDArray[np.unsignedinteger[Any]], int]] = {}


def _epoch_order(
    seed: int, epoch: int, count: int, window: int, length: int
) -> tuple[NDArray[np.unsignedinteger[Any]], int]:
    key = (seed, epoch, count, window, length)
    if key not in _orders:
        if len(_orders) > 1:
            _orders.clear()  # a batch touches two epochs at the most
        generator = np.random.default_rng([seed, epoch])
        slack = length - 1 - count * window
        offset = int(generator.integers(min(window, slack + 1)))
        # The order is all that grows with the corpus in memory: four bytes per window, while they do.
        kind: type[np.unsignedinteger[Any]] = np.uint32 if count < 1 << 32 else np.uint64
        order: NDArray[np.unsignedinteger[Any]] = np.arange(count, dtype=kind)
        generator.shuffle(order)
        _orders[key] = order, offset
    return _orders[key]


@dataclass(frozen=True)
class ScoringRows:
    """Rows of held-out text such that every token of every document is scored once, within its own document.

    Row k reads the tokens from `start[k]` up to `stop[k]` of the stream, as they stand or, for `pairs`, as sentences;
    of these it scores those from `first[k]` up to `last[k]`. Rows come in the order of the text, and so do the tokens
    that they score. Each array has shape (rows,).
    """

    tokens: Ids
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    length: int
    """Tokens of a row, padding included."""
    vocabulary: Vocabulary
    pairs: bool = False

    def __len__(self) -> int:
        return len(self.start)

    @property
    def scored(self) -> int:
        """Tokens that are scored in all."""
        return int((self.last - self.first).sum())

    def every(self, step: int) -> ScoringRows:
        """Every `step`-th row, for a sample that is spread over the text."""
        start, stop, first, last = (part[::step] for part in (self.start, self.stop, self.first, self.last))
        return replace(self, start=start, stop=stop, first=first, last=last)

    def read(self, chosen: slice) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The text of some rows, and which of its tokens are scored; each of shape (rows, length)."""
        start, stop = self.start[chosen], self.stop[chosen]
        rows = np.full((len(start), self.length), self.vocabulary.pad, dtype=np.int64)
        places = np.full(rows.shape, -1)
        for row, place, begin, end in zip(rows, places, start.tolist(), stop.tolist(), strict=True):
            if self.pairs:
                fill_pair(row, self.tokens, begin, end, self.vocabulary, place)
            else:
                row[: end - begin] = self.tokens[begin:end]
                place[: end - begin] = np.arange(begin, end)
        return rows, (places >= self.first[chosen, None]) & (places < self.last[chosen, None])


def sliding_rows(
    tokens: Ids, starts: NDArray[np.int64], lengths: NDArray[np.int64], window: int, vocabulary: Vocabulary
) -> ScoringRows:
    """Overlapping rows, one token longer than the window, for the causal objective.

    Documents begin at `starts` in the stream, each preceded by a separator. The first row of a document scores all its
    tokens but the separator; each further one moves on by half a window and scores the second half, so that but for
    the beginning of a document every token has at least `window / 2` tokens of context.
    """
    half = max(1, window // 2)
    bounds: list[tuple[int, int, int, int]] = []
    for begin, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        covered = 0
        while covered < length:
            origin = 0 if covered == 0 else covered + half - window
            end = min(origin + window, length)
            bounds.append((begin - 1 + origin, begin + end, begin + covered, begin + end))
            covered = end
    return _scoring_rows(tokens, bounds, window + 1, vocabulary)


def contiguous_rows(
    tokens: Ids, starts: NDArray[np.int64], lengths: NDArray[np.int64], window: int, vocabulary: Vocabulary
) -> ScoringRows:
    """Adjoining rows over each document and the separators around it, for objectives that read both directions."""
    bounds: list[tuple[int, int, int, int]] = []
    for begin, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        end = begin + length
        for start in range(begin - 1, end + 1, window):
            stop = min(start + window, end + 1)
            first, last = max(start, begin), min(stop, end)
            if first < last:
                bounds.append((start, stop, first, last))
    return _scoring_rows(tokens, bounds, window, vocabulary)


def pair_rows(
    tokens: Ids, starts: NDArray[np.int64], lengths: NDArray[np.int64], window: int, vocabulary: Vocabulary
) -> ScoringRows:
    """Rows of whole sentences that adjoin each other, as the reference makes them for training."""
    bounds: list[tuple[int, int, int, int]] = []
    for begin, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        groups = sentence_groups(tokens, begin, begin + length, window, vocabulary)
        bounds += [(start, stop, start, stop) for start, stop in groups]
    return _scoring_rows(tokens, bounds, window, vocabulary, pairs=True)


def _scoring_rows(
    tokens: Ids, bounds: list[tuple[int, int, int, int]], length: int, vocabulary: Vocabulary, pairs: bool = False
) -> ScoringRows:
    start, stop, first, last = np.asarray(bounds, dtype=np.int64).reshape(-1, 4).T
    return ScoringRows(tokens, start, stop, first, last, length, vocabulary, pairs)
