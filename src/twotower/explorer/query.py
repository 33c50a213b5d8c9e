"""What a reader may look for in the held-out text: words, phrases, word classes, pieces and regular expressions."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, product
from typing import Literal

import numpy as np
import regex
from numpy.typing import NDArray

from ..system.errors import InputError
from .held_words import HeldoutWords, Ids

UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
PARTS = regex.compile(rf"{UNSPACED}|(?:(?!{UNSPACED})[\w*?])+|\S")
"""What a tokenizer may cut a typed word into: letters of scripts without spaces one by one, words, punctuation."""
MOST_PARTS, MOST_WAYS = 8, 64
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

    `/EXPRESSION/` is a regular expression over the text as lines show it, `[PIECE]` a piece of the vocabulary.
    Otherwise each word stands for itself, with `*` for any letters and `?` for one; a word class in capitals (one of
    `tags`) stands for any word of it, and `word_CLASS` for a word of that class. Raises `InputError` for a query that
    is empty, too long or no such thing.
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
    """Every place of the phrase, under each way in which the text may cut what was typed as one word."""
    fitting = _Fitting(words, case)
    ways = product(*(_cut(fitting, term) for term in query.terms))
    places = [_places(words, fitting, sum(way, ())) for way in islice(ways, MOST_WAYS)]
    first, last = np.unique(np.concatenate(places, axis=1), axis=1)
    return first, last


def _places(words: HeldoutWords, fitting: _Fitting, terms: tuple[Term, ...]) -> NDArray[np.int64]:
    """The first and the last word of each place, (2, places)."""
    length = len(terms)
    places = np.arange(max(0, len(words) - length + 1))
    for distance, term in enumerate(terms):
        met = fitting(term.pattern)[words.word[places + distance]]
        if term.tag:
            met &= words.tag[places + distance] == words.tags.index(term.tag)
        places = places[met]
    places = places[words.document[places] == words.document[places + length - 1]]
    return np.stack([places, places + length - 1])


class _Fitting:
    """Which words fit a pattern, (different words,); each pattern is looked through once."""

    def __init__(self, words: HeldoutWords, case: bool) -> None:
        self.texts, self.case = words.texts if case else words.folded, case
        self._known: dict[str, NDArray[np.bool_]] = {}

    def __call__(self, pattern: str) -> NDArray[np.bool_]:
        if pattern not in self._known:
            letters = pattern if self.case else pattern.casefold()
            wild = "*" in letters or "?" in letters
            # Brackets are letters here, not sets of letters.
            fits = regex.compile(fnmatch.translate(letters.replace("[", "[[]"))).match if wild else letters.__eq__
            self._known[pattern] = np.fromiter((bool(fits(text)) for text in self.texts), bool, len(self.texts))
        return self._known[pattern]


def _cut(fitting: _Fitting, term: Term) -> list[tuple[Term, ...]]:
    """The ways in which the text may have cut a typed word: *two-thirds* is often three words, *people's* two or three.

    Each part fits some word of the text; the word class is that of the last one. The word as it was typed, if there is
    no other way.
    """
    parts = PARTS.findall(term.pattern)
    if not 1 < len(parts) <= MOST_PARTS or fitting(term.pattern).any():
        return [(term,)]
    ways = []
    for ends in product((False, True), repeat=len(parts) - 1):
        starts = [0, *(place for place, end in enumerate(ends, start=1) if end), len(parts)]
        way = ["".join(parts[begin:end]) for begin, end in pairwise(starts)]
        if all(fitting(part).any() for part in way):
            ways.append((*(Term(part, "") for part in way[:-1]), Term(way[-1], term.tag)))
    return ways or [(term,)]


def _expression(words: HeldoutWords, expression: str, case: bool) -> tuple[Ids, Ids]:
    """Word by word: a match that begins or ends inside a word counts as the whole word."""
    try:
        compiled = regex.compile(expression, 0 if case else regex.IGNORECASE)
    except (regex.error, RecursionError, OverflowError) as error:
        raise InputError(f"/{expression}/ is no regular expression: {error}") from None
    documents = words.documents
    end = time.process_time() + SECONDS
    spans: list[NDArray[np.int64]] = []
    for number, (text, starts) in enumerate(documents):
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
    distinct = np.unique(np.concatenate(spans), axis=0)
    return distinct[:, 0], distinct[:, 1]
