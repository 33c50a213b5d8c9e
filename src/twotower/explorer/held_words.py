"""The held-out text as words: each is a piece with the pieces that go on with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..data.pieces import GOES_ON

if TYPE_CHECKING:
    from .explored import ExploredRun

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class HeldoutWords:
    """The words of a run's held-out text, in the order of the text."""

    start: Ids
    """The occurrence with which each word begins, and where the last ends, (words + 1,)."""
    word: Ids
    """Which of `texts` each word is, (words,)."""
    texts: list[str]
    """Different words, printable."""
    document: Ids
    """The document of each word, (words,)."""
    tags: list[str]
    """The word classes that occur."""
    tag: Ids
    """Which of `tags` each word has, (words,)."""

    def __len__(self) -> int:
        return len(self.word)

    @cached_property
    def counts(self) -> Ids:
        """How often each of `texts` occurs, (different words,)."""
        return np.bincount(self.word, minlength=len(self.texts))

    @cached_property
    def folded(self) -> list[str]:
        """`texts` without case."""
        return [text.casefold() for text in self.texts]

    @cached_property
    def bounds(self) -> Ids:
        """The first word of each document, and where the last document ends, (documents + 1,)."""
        documents = int(self.document[-1]) + 1 if len(self) else 0
        return np.searchsorted(self.document, np.arange(documents + 1)).astype(np.int64)

    def document_text(self, number: int) -> tuple[str, Ids]:
        """A document as its words with single spaces between them, and the place in it at which each word begins."""
        words = [self.texts[word] for word in self.word[self.bounds[number] : self.bounds[number + 1]]]
        lengths = np.array([len(word) + 1 for word in words], dtype=np.int64)
        return " ".join(words), np.cumsum(lengths) - lengths


def heldout_words(run: ExploredRun) -> HeldoutWords:
    """Read a run's held-out text as words; a document never begins inside one."""
    goes_on = np.array([str(piece).startswith(GOES_ON) for piece in run.pieces], dtype=bool)
    begins = ~goes_on[run.piece_ids]
    begins[run.bounds[:-1]] = True
    start = np.append(np.flatnonzero(begins), len(run.piece_ids)).astype(np.int64)
    shown = [str(piece).removeprefix(GOES_ON) for piece in run.pieces]
    number_of: dict[str, int] = {}
    word = np.empty(len(start) - 1, dtype=np.int64)
    ids = run.piece_ids.tolist()
    for place, (begin, end) in enumerate(zip(start[:-1].tolist(), start[1:].tolist(), strict=True)):
        text = shown[ids[begin]] if end == begin + 1 else "".join(shown[piece] for piece in ids[begin:end])
        word[place] = number_of.setdefault(text, len(number_of))
    tags, codes = np.unique(run.scores["upos"].astype(str).to_numpy(), return_inverse=True)
    document = np.searchsorted(run.bounds, start[:-1], side="right") - 1
    return HeldoutWords(start, word, list(number_of), document, [str(tag) for tag in tags], codes[start[:-1]])
