"""Where words occur in a run's training text, found as runs of pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..data.characters import LETTER, MARK, UNSPACED, kinds_of
from ..data.tokenization import encode_batch, vocabulary_of

CHUNK = 2_000_000
"""Tokens of the stream that are searched at a time."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)

_BEFORE = "a "
"""What stands before a word that is asked for: many tokenizers spell the space with the word after it."""

Stream = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class Occurrences:
    """How often each word occurs, and where some of its occurrences, drawn at random, are."""

    counts: NDArray[np.int64]
    """(words,)"""
    word: NDArray[np.int64]
    """(occurrences,): the word's number; in the order of the text."""
    place: NDArray[np.int64]
    """(occurrences,): the position of its first piece in the stream."""


def pieces_of(words: Sequence[str], tokenizer: Tokenizer) -> list[tuple[int, ...]]:
    """The pieces of each word, as it is spelled after a space.

    None for one that the vocabulary cannot spell, or that is divided at a hyphen. In scripts without spaces, where
    every piece is a word to the tokenizer, a word may be several of them.
    """
    unknown = vocabulary_of(tokenizer).unknown
    spelled = []
    for word, text in zip(words, encode_batch(tokenizer, [_BEFORE + word for word in words]), strict=True):
        inside = text.starts >= len(_BEFORE)
        ids, begins = text.ids[inside], text.begins[inside]
        letters = np.isin(kinds_of(word), (LETTER, MARK, UNSPACED)).all()
        usable = len(ids) and unknown not in ids and (begins.sum() == 1 or letters)
        spelled.append(tuple(ids.tolist()) if usable else ())
    return spelled


def find_occurrences(
    stream: Stream, pieces: Sequence[tuple[int, ...]], begins: NDArray[np.bool_], most: int, seed: int
) -> Occurrences:
    """Search a stream of pieces for whole words.

    Args:
        stream: piece ids, (tokens,), usually memory-mapped.
        pieces: of each word; empty ones are not searched for.
        begins: whether a word begins at each piece of the stream, (tokens,).
        most: occurrences of each word whose places are kept, drawn at random.
        seed: of that draw.
    """
    generator = np.random.default_rng(seed)
    counts = np.zeros(len(pieces), dtype=np.int64)
    word = place = np.empty(0, dtype=np.int64)
    key = np.empty(0)
    for word_numbers, where in _search(stream, pieces, begins):
        counts += np.bincount(word_numbers, minlength=len(pieces))
        word, place = np.concatenate([word, word_numbers]), np.concatenate([place, where])
        key = np.concatenate([key, generator.random(len(word_numbers))])
        order = np.lexsort((key, word))
        word, place, key = word[order], place[order], key[order]
        first = np.searchsorted(word, word, side="left")
        kept = np.arange(len(word)) - first < most
        word, place, key = word[kept], place[kept], key[kept]
    order = np.argsort(place, kind="stable")
    return Occurrences(counts, word[order], place[order])


def count_occurrences(
    stream: Stream, pieces: Sequence[tuple[int, ...]], begins: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """How often each word occurs, (words,); arguments as for `find_occurrences`."""
    counts = np.zeros(len(pieces), dtype=np.int64)
    for word_numbers, _ in _search(stream, pieces, begins):
        counts += np.bincount(word_numbers, minlength=len(pieces))
    return counts


def _search(
    stream: Stream, pieces: Sequence[tuple[int, ...]], begins: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """For each part of the stream the numbers of the words found in it, and their places."""
    longest = max((len(piece) for piece in pieces), default=0)
    by_length: dict[int, list[int]] = {}
    for number, word_pieces in enumerate(pieces):
        by_length.setdefault(len(word_pieces), []).append(number)
    by_length.pop(0, None)
    for begin in range(0, len(stream), CHUNK):
        part = np.asarray(stream[begin : begin + CHUNK + longest], dtype=np.int64)
        edges = np.append(begins[begin : begin + len(part)], True)
        starts = np.flatnonzero(edges[: min(CHUNK, len(part))])
        for length, numbers in by_length.items():
            at = starts[edges[np.minimum(starts + length, len(part))]]
            at = at[at + length <= len(part)]
            spelled = np.array([pieces[number] for number in numbers], dtype=np.int64)
            hashes = _hash(spelled)
            order = np.argsort(hashes)
            rows = part[at[:, None] + np.arange(length)]
            insertions = np.searchsorted(hashes[order], _hash(rows))
            candidate = order[np.minimum(insertions, len(order) - 1)]
            same = (spelled[candidate] == rows).all(axis=1)
            yield np.array(numbers, dtype=np.int64)[candidate[same]], begin + at[same]


def _hash(rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A number for each row of ids, (rows, length) to (rows,)."""
    total = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        total = (total + column.astype(np.uint64) + np.uint64(1)) * _FACTOR
        total ^= total >> np.uint64(29)
    return total
