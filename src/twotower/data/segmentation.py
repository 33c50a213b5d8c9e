"""Where words and sentences are in plain text, for taggers that do not find them themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import regex
from numpy.typing import NDArray

from .characters import LETTER, UNSPACED, kinds_of
from .documents import Word

_LETTERS = r"\p{L}[\p{L}\p{M}\u200c\u200d\u00ad]*"
_PLAIN = regex.compile(
    rf"""
    (?:\p{{L}}\.){{2,}}                                      # z.B.
    | {_LETTERS}(?:['’-]{_LETTERS})*                       # U-Bahn, l'homme
    | \p{{N}}+(?:[.,:/]\p{{N}}+)*                            # 1.000,5
    | \w+
    | [^\w\s]\p{{M}}*
    """,
    regex.VERBOSE,
)
_ENGLISH = re.compile(
    r"""
    (?:[^\W\d_]\.){2,}                                   # U.S., e.g.
    | (?:Mr|Mrs|Ms|Dr|St|Gen|Col|Gov|Hon|Jr|Sr|No|vs)\.(?=\s)  # abbreviations that end no sentence
    | [^\W\d_]+(?=n['’]t\b)                              # do|n't
    | n['’]t\b
    | ['’](?:s|re|ve|ll|d|m)\b                           # they|'re
    | can(?=not\b)
    | [^\W\d_]+(?:['’](?!(?:s|re|ve|ll|d|m|t)\b)[^\W\d_]+)*  # o'clock
    | \d+(?:[.,:/]\d+)*(?:st|nd|rd|th|s)?\b              # 1,000.5, 19th, 1890s
    | \w+
    | [^\w\s]
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?]+$")
_CLOSING = frozenset("\"'”’)]")


def sentences_of(text: str, language: str) -> list[list[tuple[int, int]]]:
    """Words as character spans, by sentence, cut as treebanks of English do or, in other languages, at spaces and
    punctuation. Sentences end at `.`, `!`, `?` before white space, and at blank lines."""
    pattern = _ENGLISH if language == "en" else _PLAIN
    sentences: list[list[tuple[int, int]]] = [[]]
    previous_end, ended = 0, False
    for match in pattern.finditer(text):
        start, end = match.span()
        gap = text[previous_end:start]
        if (ended and gap) or gap.count("\n") > 1:
            sentences.append([])
            ended = False
        token = match.group()
        sentences[-1].append((start, end))
        previous_end = end
        ended = (ended and token in _CLOSING) or (len(token) == 1 and bool(_SENTENCE_END.match(token)))
    return [sentence for sentence in sentences if sentence]


def has_no_spaces(texts: Sequence[str]) -> bool:
    """Whether most letters of texts are of scripts that put no space between words."""
    kinds = np.bincount(kinds_of("".join(texts)), minlength=UNSPACED + 1)
    return bool(kinds[UNSPACED] > kinds[LETTER])


def untagged_words(text: str, language: str) -> list[Word]:
    """The words of a text, without parts of speech."""
    return [Word(start, end, "") for sentence in sentences_of(text, language) for start, end in sentence]


def pieces_as_words(text: str, starts: NDArray[np.int64]) -> Sequence[Word]:
    """A word for each piece of a text, without parts of speech; `starts` are the first characters, (pieces,)."""
    ends = [*starts[1:].tolist(), len(text)]
    spans = [(start, start + len(text[start:end].rstrip())) for start, end in zip(starts.tolist(), ends, strict=True)]
    return [Word(start, end, "") for start, end in dict.fromkeys(spans) if end > start]
