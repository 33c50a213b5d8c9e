"""What a corpus is made of: documents, and the words of those whose source has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np

from .characters import visible

T = TypeVar("T")


class Word(NamedTuple):
    """A word of a document: characters `start` to `end` of its text, and its universal part of speech.

    Words of a treebank also have their relation to their head and their morphological features, as CoNLL-U writes them,
    the part of speech of the head (`root` for a root), and how many words before (negative) or after it stands.
    """

    start: int
    end: int
    upos: str
    deprel: str = ""
    feats: str = ""
    head: str = ""
    distance: str = ""
    tag: str = ""
    """The tagger's own tag, which also tells number and tense; of a treebank `feats` does."""


Tagger = Callable[[Sequence[str]], Sequence[Sequence[Word]]]
"""From the texts of documents to their words."""


@dataclass(frozen=True)
class Document:
    """The unit of the held-out split and of resampling."""

    name: str
    text: str
    words: tuple[Word, ...] | None = None
    """Gold words, where the source has them."""
    part: int = 0
    """Which part of a mixture it is from."""
    format: str = "text"
    """What kind of file it was read from."""
    origin: int = 0
    """The number of the whole document; the sections of one share it."""
    section: int = 0
    """The number, from 1, among the sections that its reader cut a document into; 0 for a whole one."""


def adjoining(items: Iterable[T], size_of: Callable[[T], int], enough: int) -> Iterator[list[T]]:
    """Adjoining items together, as many as add up to `enough`: work for all cores, and little enough for memory."""
    group: list[T] = []
    size = 0
    for item in items:
        group.append(item)
        size += size_of(item)
        if size >= enough:
            yield group
            group, size = [], 0
    if group:
        yield group


def middle_of(document: Document, words: int) -> Document:
    """At most so many words (runs of letters without a space; 0: all) from the middle of a document."""
    places = [match.span() for match in re.finditer(r"\S+", document.text)] if words else []
    if len(places) <= words:
        return document
    first = (len(places) - words) // 2
    begin, end = places[first][0], places[first + words - 1][1]
    inside = None
    if document.words is not None:
        inside = tuple(
            word._replace(start=word.start - begin, end=word.end - begin)
            for word in document.words
            if begin <= word.start and word.end <= end
        )
    return replace(document, text=document.text[begin:end], words=inside)


@dataclass(frozen=True)
class Corpus:
    """A named, re-readable stream of documents."""

    name: str
    read: Callable[[], Iterator[Document]]
    has_gold_tags: bool = False
    parts: tuple[str, ...] = ()
    """The names of the parts of a mixture; of one part where it is none."""
    weights: tuple[float, ...] = ()
    """The weights of the parts; none where all text is taken."""
    files: Mapping[str, int] = field(default_factory=dict)
    """The number of files of each format."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """The number of files that are not read, by the reason."""
    notes: tuple[str, ...] = ()
    """What could be read otherwise."""

    def documents(self) -> Iterator[Document]:
        """The documents in a fixed order, without invisible characters; those without any text are left out."""
        documents = (visible_document(document) for document in self.read())
        return (document for document in documents if not document.text.isspace() and document.text)


def visible_document(document: Document) -> Document:
    """A document without invisible characters, its accents composed (`characters.visible`), and its words with it."""
    text = visible(document.text)
    if text == document.text or document.words is None:
        return replace(document, text=text)
    # Piece by piece, so that each word keeps its place.
    edges = sorted({0, len(document.text), *(edge for word in document.words for edge in (word.start, word.end))})
    parts = [visible(document.text[begin:end]) for begin, end in pairwise(edges)]
    place = dict(zip(edges, np.cumsum([0, *map(len, parts)]).tolist(), strict=True))
    words = (word._replace(start=place[word.start], end=place[word.end]) for word in document.words)
    return replace(document, text="".join(parts), words=tuple(word for word in words if word.start < word.end))
