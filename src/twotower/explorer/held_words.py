"""The held-out text as words: each is a piece with the pieces that go on with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..data.pieces import GOES_ON
from ..report.passages import are_glued

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

    @cached_property
    def documents(self) -> list[tuple[str, Ids]]:
        """Each document as its lines show it, and the place in it at which each word begins."""
        return [self._document(number) for number in range(len(self.bounds) - 1)]

    def _document(self, number: int) -> tuple[str, Ids]:
        words = [self.texts[word] for word in self.word[self.bounds[number] : self.bounds[number + 1]]]
        spaces = np.array([not glued for glued in are_glued(words)], dtype=np.int64)
        spaces[:1] = 0
        text = "".join(" " * space + word for space, word in zip(spaces.tolist(), words, strict=True))
        lengths = np.array([len(word) for word in words], dtype=np.int64)
        return text, np.cumsum(spaces + lengths) - lengths


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
