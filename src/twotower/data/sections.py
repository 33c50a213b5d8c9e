"""Long documents cut into sections, each a document of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import accumulate, pairwise

from .documents import Document
from .tokenization import chunks

TYPICAL_WORD = 6
"""Characters of a word and its space, for lines that are longer than a section."""


def stretch(document: Document, start: int, end: int, suffix: str) -> Document:
    """A part of a document, from one character to another, with the words in it."""
    inside = None
    if document.words is not None:
        inside = tuple(
            word._replace(start=word.start - start, end=word.end - start)
            for word in document.words
            if start <= word.start < end
        )
    return replace(document, name=document.name + suffix, text=document.text[start:end], words=inside)


def cut_document(document: Document, words: int) -> Iterator[Document]:
    """A document of much more than `words` words cut into sections of about that many (0: never)."""
    short = len(document.text) <= words  # a word has a letter at least
    texts = [] if short or not words else list(section_texts(document.text.splitlines(keepends=True), words))
    if len(texts) < 2:
        yield document
        return
    places = accumulate(map(len, texts), initial=0)
    for number, (start, end) in enumerate(pairwise(places), start=1):
        yield stretch(document, start, end, f"#{number}")


def cut_text(name: str, lines: Iterable[str], words: int) -> Iterator[Document]:
    """The same of a text that comes line by line, of which no more than two sections are in memory."""
    texts = section_texts(lines, words)
    first, second = next(texts, ""), next(texts, None)
    if second is None:
        yield Document(name, first, section=1)
        return
    for number, text in enumerate((first, second), start=1):
        yield Document(f"{name}#{number}", text, section=number)
    for number, text in enumerate(texts, start=3):
        yield Document(f"{name}#{number}", text, section=number)


def section_texts(lines: Iterable[str], words: int) -> Iterator[str]:
    """The sections of a text, which comes in lines with their ends; joined they are the text.

    Cuts fall at line ends; within a line only where the line alone is longer than a section. A short rest stays with
    the section before it.
    """
    held: str | None = None
    parts, counted = list[str](), 0
    for line in lines:
        for start, end in chunks(line, limit=words * TYPICAL_WORD):
            parts.append(line[start:end])
            counted += len(parts[-1].split())
            if counted >= 0.8 * words:
                if held is not None:
                    yield held
                held, parts, counted = "".join(parts), [], 0
    rest = "".join(parts)
    if held is None or 0 < counted < words / 2:
        yield (held or "") + rest
        return
    yield held
    if rest:
        yield rest
