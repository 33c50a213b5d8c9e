"""The rows of tokens that models read, and at which places of them which tokens of the text are predicted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .encoded import Encoded
from .windows import Windows, causal_windows, surrounding_windows

Indices = NDArray[np.int64]


class Batch(NamedTuple):
    """Some rows, each array but the last (rows, time)."""

    inputs: NDArray[np.int64]
    present: NDArray[np.int64]
    """0 for padding, which comes last."""
    asked: NDArray[np.bool_]
    """Where tokens are predicted."""
    tokens: Indices
    """Which tokens of the text these are, row by row, (asked,)."""


class Rows(Protocol):
    """All rows of a text for one way of predicting."""

    @property
    def lengths(self) -> Indices:
        """Tokens of each row, (rows,)."""
        ...

    def read(self, rows: Indices) -> Batch:
        """The rows of these numbers."""
        ...


@dataclass(frozen=True)
class CausalRows:
    """Rows in which each token is predicted from those before it; each document follows some special tokens."""

    encoded: Encoded
    before: tuple[int, ...]
    window: int
    step: int

    @cached_property
    def _begins(self) -> Indices:
        """Where each document's special tokens begin in the stream, (documents,)."""
        sizes = np.diff(self.encoded.first) + len(self.before)
        begins: Indices = np.cumsum(sizes) - sizes
        return begins

    @cached_property
    def _stream(self) -> Indices:
        """All documents with the special tokens before each."""
        stream = np.zeros(len(self.encoded) + len(self.before) * len(self._begins), dtype=np.int64)
        stream[self._token >= 0] = self.encoded.ids
        for number, special in enumerate(self.before):
            stream[self._begins + number] = special
        return stream

    @cached_property
    def _token(self) -> Indices:
        """Number of the token at each place of the stream, -1 for special tokens."""
        ahead = len(self.before)
        token_at = np.full(len(self.encoded) + ahead * len(self._begins), -1, dtype=np.int64)
        numbers = np.arange(len(self.encoded))
        token_at[numbers + ahead * (self.encoded.document.astype(np.int64) + 1)] = numbers
        return token_at

    @cached_property
    def _windows(self) -> Windows:
        sizes = np.diff(self.encoded.first) + len(self.before)
        return joined([
            causal_windows(begin, size, self.window, self.step)
            for begin, size in zip(self._begins.tolist(), sizes.tolist(), strict=True)
        ])  # fmt: skip

    @property
    def lengths(self) -> Indices:
        """Tokens of each row, (rows,)."""
        return self._windows.stop - self._windows.start

    def read(self, rows: Indices) -> Batch:
        """The rows of these numbers."""
        start, stop = self._windows.start[rows, None], self._windows.stop[rows, None]
        places = start + np.arange(int((stop - start).max()))
        present = places < stop
        places = np.minimum(places, len(self._stream) - 1)
        next_token = self._token[np.minimum(places + 1, len(self._stream) - 1)]
        predicted = present & (places + 1 >= self._windows.first[rows, None]) & (next_token >= 0)
        return Batch(
            np.where(present, self._stream[places], 0), present.astype(np.int64), predicted, next_token[predicted]
        )


@dataclass(frozen=True)
class MaskedRows:
    """One row for each token: itself and the later tokens of its word are hidden (`within_word_l2r`).

    So a word of several tokens does not help to predict itself (Kauf and Ivanova 2023). `window` counts the special
    tokens.
    """

    encoded: Encoded
    before: tuple[int, ...]
    after: tuple[int, ...]
    mask: int
    window: int
    step: int

    @cached_property
    def _windows(self) -> Windows:
        room = self.window - len(self.before) - len(self.after)
        first = self.encoded.first.tolist()
        return joined([
            surrounding_windows(begin, end - begin, room, min(self.step, room))
            for begin, end in pairwise(first) if end > begin
        ])  # fmt: skip

    @cached_property
    def _window_of(self) -> Indices:
        """The window in which each token is predicted, (tokens,): windows predict tokens in their order."""
        sizes = self._windows.last - self._windows.first
        return np.repeat(np.arange(len(sizes)), sizes)

    @cached_property
    def _end_of_word(self) -> Indices:
        """The token after the last one of each token's word, (tokens,)."""
        word = self.encoded.word.astype(np.int64) + (self.encoded.document.astype(np.int64) << 32)
        ends = np.append(np.flatnonzero(word[1:] != word[:-1]) + 1, len(word))
        return ends[np.searchsorted(ends, np.arange(len(word)), side="right")]

    @property
    def lengths(self) -> Indices:
        """Tokens of each row, (rows,)."""
        tokens = (self._windows.stop - self._windows.start)[self._window_of]
        return tokens + len(self.before) + len(self.after)

    def read(self, rows: Indices) -> Batch:
        """The rows of these numbers, which are those of the tokens that they predict."""
        window = self._window_of[rows]
        start, stop = self._windows.start[window, None], self._windows.stop[window, None]
        longest = int((stop - start).max())
        places = start + np.arange(longest)
        inside = places < stop
        text = self.encoded.ids.astype(np.int64)[np.minimum(places, len(self.encoded) - 1)]
        hidden = (places >= rows[:, None]) & (places < self._end_of_word[rows, None])
        ahead, behind, row = len(self.before), len(self.after), np.arange(len(rows))
        inputs = np.zeros((len(rows), ahead + longest + behind), dtype=np.int64)
        present, predicted = np.zeros_like(inputs), np.zeros(inputs.shape, dtype=bool)
        inputs[:, :ahead], present[:, :ahead] = np.array(self.before, dtype=np.int64), 1
        inputs[:, ahead : ahead + longest] = np.where(inside, np.where(hidden, self.mask, text), 0)
        present[:, ahead : ahead + longest] = inside
        for number, special in enumerate(self.after):
            end = ahead + (stop - start)[:, 0] + number
            inputs[row, end], present[row, end] = special, 1
        predicted[row, ahead + rows - start[:, 0]] = True
        return Batch(inputs, present, predicted, rows)


def joined(parts: list[Windows]) -> Windows:
    """The windows of several documents."""
    names = ("start", "stop", "first", "last")
    return Windows(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
