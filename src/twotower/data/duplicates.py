"""Documents that are the same, or nearly: copies by digest, near ones by MinHash; sentences on both sides of the split.

The sketches are bottom-k MinHash (Broder 1997): of the hashes of all stretches of `STRETCH` characters the smallest.
In NumPy they take 4 seconds for 20 million words; `datasketch` hashes each stretch by a call of Python, which would
take minutes. Characters, not words, so that languages without spaces are served alike.
"""

from __future__ import annotations

import hashlib
import os
import re
from array import array
from collections.abc import Iterator, Mapping
from typing import BinaryIO

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
ROWS_AT_ONCE, PAIRS_AT_ONCE = 20_000, 2_000
"""For which candidates are looked up together, and of which the likeness is estimated together."""
_NONE = np.uint32(np.iinfo(np.uint32).max)
_NO_KEY, _HALF = np.uint64(np.iinfo(np.uint64).max), np.uint64(32)
_FILLING = np.full(SKETCH, _NONE).tobytes()
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
    """The sketches of documents, in the order of reading, in a file; short documents have none.

    In memory are only the `INDEXED` smallest hashes of each, by which candidates are found: 32 bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._indexed, self._owners = bytearray(), array("i")
        self._documents = 0

    def append(self, sketch: Hashes) -> None:
        """Go on with the next document."""
        if len(sketch):
            row = sketch.tobytes() + _FILLING[sketch.nbytes :]
            self._file.write(row)
            self._indexed += row[: INDEXED * sketch.itemsize]
            self._owners.append(self._documents)
        self._documents += 1

    def groups(self, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """The number of a group for each document, (documents,); one that is not `chosen` is alone in its group.

        Documents of one group are nearly the same, or are so by way of others in it.
        """
        self._file.flush()
        indexed = np.frombuffer(self._indexed, dtype=np.uint32).reshape(-1, INDEXED)
        owners = np.asarray(self._owners)
        edges = [np.empty((0, 2), dtype=np.int32)]
        for pairs in _candidates(indexed, None if chosen is None else chosen[owners]):
            alike = _likeness(self._read(pairs[:, 0]), self._read(pairs[:, 1])) >= LIKENESS
            edges.append(owners[pairs[alike]])
        ends = np.concatenate(edges)
        shape = (self._documents, self._documents)
        graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=shape)
        return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)

    def _read(self, numbers: NDArray[np.int64]) -> Hashes:
        """Rows of the file. Not memory-mapped: a page holds 16 rows, and the pages around it are mapped with it."""
        size, file = 4 * SKETCH, self._file.fileno()
        rows = b"".join(os.pread(file, size, size * number) for number in numbers.tolist())
        return np.frombuffer(rows, dtype=np.uint32).reshape(-1, SKETCH)


def _candidates(indexed: Hashes, chosen: NDArray[np.bool_] | None) -> Iterator[NDArray[np.int64]]:
    """The pairs of rows that share `SHARED` of their smallest hashes, (pairs, 2), a few at a time.

    Some rows at a time are looked up among the hashes of all: of ten million documents nearly every hash is another's,
    too, so that all pairs that share one would take far more memory than the hashes.
    """
    keys = np.full(indexed.size + NEIGHBOURS, _NO_KEY)
    blocks = [slice(start, min(start + ROWS_AT_ONCE, len(indexed))) for start in range(0, len(indexed), ROWS_AT_ONCE)]
    for block in blocks:
        keys[block.start * INDEXED : block.stop * INDEXED] = _keys(indexed, block, chosen).ravel()
    keys.sort()  # by hash, then by row
    for block in blocks:
        mine = np.sort(_keys(indexed, block, chosen), axis=None)  # sorted, they are found six times as fast
        mine = mine[mine < _NO_KEY, None]
        near = keys[np.searchsorted(keys, mine) + np.arange(1, 1 + NEIGHBOURS)]
        pairs = (mine << _HALF | near & _NONE)[mine >> _HALF == near >> _HALF]
        shared, often = np.unique(pairs, return_counts=True)
        shared = shared[often >= SHARED]
        for start in range(0, len(shared), PAIRS_AT_ONCE):
            some = shared[start : start + PAIRS_AT_ONCE]
            yield np.stack([some >> _HALF, some & _NONE], axis=1).astype(np.int64)


def _keys(indexed: Hashes, block: slice, chosen: NDArray[np.bool_] | None) -> NDArray[np.uint64]:
    """Each hash of some rows, and behind it the number of its row; `_NO_KEY` for none, and of rows not `chosen`."""
    hashes = indexed[block]
    keys = hashes.astype(np.uint64) << _HALF | np.arange(block.start, block.stop, dtype=np.uint64)[:, None]
    keys[hashes == _NONE] = _NO_KEY
    if chosen is not None:
        keys[~chosen[block]] = _NO_KEY
    return keys


def _likeness(first: Hashes, second: Hashes) -> NDArray[np.float64]:
    """Jaccard's index of pairs of sketches, estimated from them; shape (pairs,)."""
    union = np.sort(np.concatenate([first, second], axis=1), axis=1)
    new = np.diff(union.astype(np.int64), axis=1, prepend=-1) > 0
    there = (union != _NONE) & (np.cumsum(new, axis=1) <= SKETCH)
    return np.asarray((there & ~new).sum(axis=1) / np.maximum(1, (there & new).sum(axis=1)))


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
