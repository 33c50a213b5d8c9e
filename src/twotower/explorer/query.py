"""What a reader may look for in the held-out text: words, phrases, word classes, pieces and regular expressions."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import regex
from numpy.typing import NDArray

from ..system.errors import InputError
from .held_words import HeldoutWords, Ids

LONGEST = 200
"""Characters of a query."""
SECONDS = 2.0
"""Processor time that a regular expression may take over all of the held-out text (`regex` counts no other)."""


@dataclass(frozen=True)
class Term:
    """One word of a phrase: a pattern of its letters (`*` any letters, `?` one), a word class, or both."""

    pattern: str
    """`*` for any word."""
    tag: str
    """A universal part of speech; "" for any."""


@dataclass(frozen=True)
class Query:
    """What is looked for."""

    kind: Literal["words", "piece", "expression"]
    terms: tuple[Term, ...] = ()
    """Of a phrase, word by word."""
    text: str = ""
    """The piece of the vocabulary, or the regular expression."""


@dataclass(frozen=True)
class Hits:
    """Where a query was met, in the order of the text; each (hits,)."""

    begin: Ids
    """First occurrence (piece) of the hit."""
    end: Ids
    """One beyond its last occurrence."""
    first: Ids
    """The word that the hit begins in."""
    last: Ids
    """The word that it ends in."""


def read_query(typed: str, tags: Sequence[str]) -> Query:
    """Read what a reader typed.

    `/EXPRESSION/` is a regular expression over the running text, `[PIECE]` a piece of the vocabulary. Otherwise each
    word stands for itself, with `*` for any letters and `?` for one; a word class in capitals (one of `tags`) stands
    for any word of it, and `word_CLASS` for a word of that class. Raises `InputError` for a query that is empty, too
    long or no such thing.
    """
    typed = typed.strip()
    if not typed:
        raise InputError("type a word, a phrase, or a word class such as VERB")
    if len(typed) > LONGEST:
        raise InputError(f"the query has {len(typed)} characters; at most {LONGEST} are read")
    if len(typed) > 2 and typed[0] == "/" and typed[-1] == "/":
        return Query("expression", text=typed[1:-1])
    if len(typed) > 2 and typed[0] == "[" and typed[-1] == "]" and " " not in typed:
        return Query("piece", text=typed[1:-1])
    return Query("words", tuple(_term(word, tags) for word in typed.split()))


def _term(word: str, tags: Sequence[str]) -> Term:
    if word in tags:
        return Term("*", word)
    pattern, _, tag = word.rpartition("_")
    return Term(pattern, tag) if pattern and tag in tags else Term(word, "")


def find(words: HeldoutWords, query: Query, case: bool, pieces: Sequence[str], piece_ids: Ids) -> Hits:
    """Every place at which a query is met.

    Args:
        words: the held-out text.
        query: what is looked for.
        case: whether capitals count.
        pieces: the vocabulary by id.
        piece_ids: the piece of each occurrence, (occurrences,).

    Raises `InputError` for a regular expression that cannot be read or takes too long.
    """
    if query.kind == "piece":
        wanted = [number for number, piece in enumerate(pieces) if piece == query.text]
        begin = np.flatnonzero(np.isin(piece_ids, wanted)).astype(np.int64)
        word = np.searchsorted(words.start, begin, side="right") - 1
        return Hits(begin, begin + 1, word, word)
    first, last = _expression(words, query.text, case) if query.kind == "expression" else _phrase(words, query, case)
    return Hits(words.start[first], words.start[last + 1], first, last)


def _phrase(words: HeldoutWords, query: Query, case: bool) -> tuple[Ids, Ids]:
    length = len(query.terms)
    places = np.arange(max(0, len(words) - length + 1))
    for distance, term in enumerate(query.terms):
        places = places[_meets(words, term, case, places + distance)]
    places = places[words.document[places] == words.document[places + length - 1]]
    return places, places + length - 1


def _meets(words: HeldoutWords, term: Term, case: bool, places: Ids) -> NDArray[np.bool_]:
    met = np.ones(len(places), dtype=bool)
    if term.tag:
        code = words.tags.index(term.tag)
        met &= words.tag[places] == code
    if term.pattern != "*":
        texts = words.texts if case else words.folded
        pattern = term.pattern if case else term.pattern.casefold()
        wild = "*" in pattern or "?" in pattern
        # Brackets are letters here, not sets of letters.
        fits = regex.compile(fnmatch.translate(pattern.replace("[", "[[]"))).match if wild else pattern.__eq__
        known = np.fromiter((bool(fits(text)) for text in texts), dtype=bool, count=len(texts))
        met &= known[words.word[places]]
    return met


def _expression(words: HeldoutWords, expression: str, case: bool) -> tuple[Ids, Ids]:
    """Word by word: a match that begins or ends inside a word counts as the whole word."""
    try:
        compiled = regex.compile(expression, 0 if case else regex.IGNORECASE)
    except (regex.error, RecursionError, OverflowError) as error:
        raise InputError(f"/{expression}/ is no regular expression: {error}") from None
    end = time.process_time() + SECONDS
    spans: list[NDArray[np.int64]] = []
    for number in range(len(words.bounds) - 1):
        text, starts = words.document_text(number)
        try:
            matches = compiled.finditer(text, timeout=max(0.001, end - time.process_time()))
            matched = np.array([match.span() for match in matches if match.end() > match.start()], dtype=np.int64)
        except (TimeoutError, MemoryError):
            raise InputError(
                f"/{expression}/ takes more than {SECONDS:.0f} seconds of computing; repeat fewer things inside things "
                "that are repeated, or look for words with * in them"
            ) from None
        if len(matched):
            spans.append(words.bounds[number] + np.searchsorted(starts, matched - [0, 1], side="right") - 1)
    if not spans:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    both = np.unique(np.concatenate(spans), axis=0)
    return both[:, 0], both[:, 1]
