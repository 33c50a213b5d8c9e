"""Documents that are the same, or nearly: copies by digest, near ones by MinHash; sentences on both sides of the split.

The sketches are bottom-k MinHash (Broder 1997): of the hashes of all stretches of `STRETCH` characters the smallest.
In NumPy they take 4 seconds for 20 million words; `datasketch` hashes each stretch by a call of Python, which would
take minutes. Characters, not words, so that languages without spaces are served alike.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .inventory import SENTENCE_WORDS

Hashes = NDArray[np.uint32]
STRETCH = 16
"""Characters, without white space, of which likeness is made: about three words."""
SKETCH = 64
"""Hashes that are kept of a document."""
SHORTEST = 100
"""Characters, without white space, below which likeness is no sign of copying: *Thank you very much, Mr. Speaker.*"""
INDEXED, SHARED = 8, 2
"""Two documents are compared if their so many smallest hashes have so many in common."""
NEIGHBOURS = 4
"""With how many documents that have the same hash each is compared; groups are closed over likeness."""
LIKENESS = 0.3
"""The share of stretches in common (Jaccard's index) from which documents are nearly the same. With one word in ten
exchanged it is about 0.5; unlike addresses of one president have 0.05."""
MOST_SENTENCES = 1 << 22
_NONE = np.iinfo(np.uint32).max
_FILLING = np.full(SKETCH, _NONE, dtype=np.uint32).tobytes()
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？।])|\n+")


class Fingerprint:
    """A document as it is read, part by part: its digest without white space, and its sketch."""

    def __init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=8)
        self._characters = 0
        self._smallest = np.empty(0, dtype=np.uint32)

    def add(self, text: str) -> None:
        """Go on with the next part of the document."""
        letters = "".join(text.split())
        self._digest.update(letters.encode("utf-8", "surrogatepass"))
        self._characters += len(letters)
        hashes = np.append(self._smallest, _stretches(letters.lower()))
        few = 2 * SKETCH
        while len(smallest := _smallest(hashes, few)) < SKETCH and few < len(hashes):
            few *= 4  # a text that repeats itself
        self._smallest = smallest[:SKETCH]

    @property
    def digest(self) -> int:
        """Equal for texts that differ in white space only; 64 bits."""
        return int.from_bytes(self._digest.digest(), "big")

    @property
    def sketch(self) -> Hashes:
        """At most `SKETCH` hashes, sorted; none of a short document."""
        return self._smallest if self._characters >= SHORTEST else self._smallest[:0]


def _smallest(hashes: Hashes, few: int) -> Hashes:
    smallest: Hashes = np.unique(np.partition(hashes, few - 1)[:few] if few < len(hashes) else hashes)
    return smallest


def _stretches(text: str) -> Hashes:
    """A hash of each stretch of `STRETCH` characters; of the whole text where it is shorter."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    width = min(STRETCH, len(codes))
    hashes = np.zeros(len(codes) - width + 1 if width else 0, dtype=np.uint64)
    for place in range(width):  # a polynomial modulo 2**64
        hashes *= _FACTOR
        hashes += codes[place : len(codes) - width + 1 + place]
    hashes ^= hashes >> np.uint64(31)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray(np.minimum(hashes >> np.uint64(32), _NONE - 1), dtype=np.uint32)


class Sketches:
    """The sketches of documents, in the order of reading: four bytes for each hash of those that have any."""

    def __init__(self) -> None:
        self._rows, self._owners = bytearray(), array("q")
        self._documents = 0

    def append(self, sketch: Hashes) -> None:
        """Go on with the next document."""
        if len(sketch):
            self._rows += sketch.tobytes()
            self._rows += _FILLING[sketch.nbytes :]
            self._owners.append(self._documents)
        self._documents += 1

    def groups(self, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """The number of a group for each document, (documents,); one that is not `chosen` is alone in its group.

        Documents of one group are nearly the same, or are so by way of others in it.
        """
        rows = np.frombuffer(self._rows, dtype=np.uint32).reshape(-1, SKETCH)
        owners = np.asarray(self._owners)
        first, second = _candidates(rows, None if chosen is None else chosen[owners])
        alike = _likeness(rows, first, second) >= LIKENESS
        ends = owners[first[alike]], owners[second[alike]]
        graph = coo_array((np.ones(alike.sum()), ends), shape=(self._documents, self._documents))
        return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _candidates(rows: Hashes, chosen: NDArray[np.bool_] | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs of rows that share `SHARED` of their smallest hashes; two arrays (pairs,)."""
    indexed = rows[:, :INDEXED]
    keys = (indexed.astype(np.uint64) << np.uint64(32)) | np.arange(len(rows), dtype=np.uint64)[:, None]
    counted = indexed != _NONE
    if chosen is not None:
        counted &= chosen[:, None]
    keys = keys[counted]
    keys.sort()  # by hash, then by row
    values, owner = (keys >> np.uint64(32)).astype(np.uint32), keys.astype(np.uint32)
    pairs = [np.empty(0, dtype=np.uint64)]
    for apart in range(1, NEIGHBOURS + 1):
        same = values[apart:] == values[:-apart]
        pairs.append((owner[:-apart][same].astype(np.uint64) << np.uint64(32)) | owner[apart:][same])
    shared, often = np.unique(np.concatenate(pairs), return_counts=True)
    shared = shared[often >= SHARED]
    return (shared >> np.uint64(32)).astype(np.int64), (shared & np.uint64(_NONE)).astype(np.int64)


def _likeness(rows: Hashes, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    """Jaccard's index of pairs of sketches, estimated from them; shape (pairs,)."""
    estimates = [np.empty(0)]
    for start in range(0, len(first), 10_000):
        chosen = slice(start, start + 10_000)
        union = np.sort(np.concatenate([rows[first[chosen]], rows[second[chosen]]], axis=1), axis=1)
        new = np.diff(union.astype(np.int64), axis=1, prepend=-1) > 0
        there = (union != _NONE) & (np.cumsum(new, axis=1) <= SKETCH)
        estimates.append((there & ~new).sum(axis=1) / np.maximum(1, (there & new).sum(axis=1)))
    return np.concatenate(estimates)


class Sentences:
    """The sentences of at least `SENTENCE_WORDS` words on both sides of the split, eight bytes each.

    Of more than `MOST_SENTENCES` those of the smallest hashes stand for all, on both sides.
    """

    def __init__(self) -> None:
        self._training, self._heldout = array("Q"), array("Q")
        self._limit = 1 << 64

    def add(self, text: str, heldout: bool) -> None:
        """Count the sentences of a document."""
        known = self._heldout if heldout else self._training
        known.extend(number for number in _sentence_hashes(text) if number < self._limit)
        self._keep_few()

    def _keep_few(self) -> None:
        while len(self._training) + len(self._heldout) > MOST_SENTENCES:
            self._cut(self._limit // 2)

    def _cut(self, limit: int) -> None:
        self._limit = limit
        for side in (self._training, self._heldout):
            side[:] = array("Q", (number for number in side if number < limit))

    def state(self) -> dict[str, NDArray[np.uint64]]:
        """What `merge` takes."""
        last = np.array([self._limit - 1], dtype=np.uint64)
        return {
            "training": np.array(self._training, dtype=np.uint64), "heldout": np.array(self._heldout, dtype=np.uint64),
            "last": last,
        }  # fmt: skip

    def merge(self, state: Mapping[str, NDArray[np.uint64]]) -> None:
        """Add the sentences of another part of the text."""
        limit = min(self._limit, int(state["last"][0]) + 1)
        if limit < self._limit:
            self._cut(limit)
        for side, name in ((self._training, "training"), (self._heldout, "heldout")):
            side.frombytes(state[name][state[name] <= np.uint64(limit - 1)].tobytes())
        self._keep_few()

    def shared(self) -> float | None:
        """Share of the held-out ones that stand in training as well; None without any."""
        if not self._heldout:
            return None
        return float(np.isin(np.asarray(self._heldout), np.asarray(self._training)).mean())


def _sentence_hashes(text: str) -> Iterator[int]:
    """Case and white space make no difference."""
    for sentence in _SENTENCE.split(text):
        words = sentence.lower().split()
        if len(words) >= SENTENCE_WORDS:
            joined = " ".join(words).encode("utf-8", "surrogatepass")
            yield int.from_bytes(hashlib.blake2b(joined, digest_size=8).digest(), "big")
