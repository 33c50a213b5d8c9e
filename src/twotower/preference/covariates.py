"""Properties of an occurrence that the difference between towers may follow; each takes memory for itself alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from ..data.heldout import PreparedText
from ..statistics.stretches import stretches
from ..statistics.tallies import Floats
from .measured import Measured

PRIOR = 200.0
"""Tokens of the whole text that are added to a document's, so that a share is never 0."""
NEIGHBOURS = 0.1
"""Share of the documents, the nearest in the corpus' order, that stand for the period of one."""
FAR = (9, 40)
"""Tokens back, from and to, whose topical fit with a word is taken."""
PASSAGE, DIMENSIONS = 256, 50
BACKOFF = 5.0
"""Weight of the unigram in the smoothed bigram, in occurrences of the first piece (MacKay and Peto 1995)."""
WINDOW = 64
"""Tokens back within which a type counts as repeated."""
SENTENCE_ENDS = (".", "!", "?")
TOKENS = 4_000_000
"""Tokens of the training stream that are counted at a time, a multiple of `PASSAGE`."""
BLOCK = 1 << 15
"""Occurrences whose vectors are held at a time."""


def covariates(measured: Measured) -> tuple[dict[str, Callable[[], Floats]], list[str]]:
    """By name, a function that computes a value for each occurrence (occurrences,); those that need a prepared text."""
    cells = cache(lambda: cells_of(measured))

    def scored(head: str) -> Floats:
        return measured.scores[head].to_numpy(np.float64)  # type: ignore[no-any-return]

    found = {
        "topicality": lambda: topicality(measured, cells()),
        "period": lambda: period(measured, cells()),
        "surprisal": lambda: -scored("joint"),
        "far context": lambda: scored("joint") - scored("near"),
        "repetition": lambda: _repetition(measured),
        "position": lambda: np.log1p(sentence_positions(measured)),
    }
    text = measured.text
    if text is None:
        return found, ["far words", "bigram gain"]
    found["far words"] = lambda: _far_words(measured, _type_vectors(text, len(measured.pieces)))
    found["bigram gain"] = lambda: _bigram_gain(measured, text)
    return found, []


@dataclass(frozen=True)
class Cells:
    """The pairs of a document and a type that occur there, in the order of the documents, then of the types."""

    document: NDArray[np.int32]
    """(cells,)"""
    piece: NDArray[np.int32]
    """(cells,)"""
    count: NDArray[np.int64]
    """Occurrences in each, (cells,)."""
    of: NDArray[np.int32]
    """The cell of each occurrence, (occurrences,)."""


def cells_of(measured: Measured) -> Cells:
    """Count the occurrences of each type in each document."""
    types = len(measured.pieces)
    of = np.empty(len(measured.piece), dtype=np.int32)
    parts, counted, known = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for part in stretches(measured.document):
        cell = measured.document[part].astype(np.int64) * types + measured.piece[part]
        cell, inverse, counts = np.unique(cell, return_inverse=True, return_counts=True)
        of[part] = inverse + known
        known += len(cell)
        parts.append(cell)
        counted.append(counts)
    document, piece = np.divmod(np.concatenate(parts), types)
    return Cells(document.astype(np.int32), piece.astype(np.int32), np.concatenate(counted), of)


def topicality(measured: Measured, cells: Cells) -> Floats:
    """Log share of the type in its document, this occurrence left out, over its share in the text; (occurrences,)."""
    sizes = np.bincount(measured.document)
    share = measured.counts / len(measured.piece)
    found: Floats = np.empty(len(measured.piece))
    for part in stretches(measured.document):
        own = share[measured.piece[part]]
        there = cells.count[cells.of[part]] - 1 + PRIOR * own
        found[part] = np.log(there / (sizes[measured.document[part]] - 1 + PRIOR)) - np.log(own)
    return found


def period(measured: Measured, cells: Cells) -> Floats:
    """Log share of the type in the documents nearest to its own, that one left out, over its share; (occurrences,)."""
    documents = measured.documents
    reach = max(1, round(NEIGHBOURS * documents / 2))
    near, sizes = _nearby(cells, documents, reach)
    share = measured.counts / len(measured.piece)
    found: Floats = np.empty(len(measured.piece))
    for part in stretches(measured.document):
        own = share[measured.piece[part]]
        added = near[cells.of[part]] + PRIOR * own
        found[part] = np.log(added / (sizes[measured.document[part]] + PRIOR)) - np.log(own)
    return found


def _nearby(cells: Cells, documents: int, reach: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Occurrences of a cell's type in the documents within `reach` of its own, (cells,), and of all types.

    That document itself is left out; the second has shape (documents,). Differences of running sums, which are exact
    for counts.
    """
    order = np.lexsort((cells.document, cells.piece))
    key = cells.piece[order].astype(np.int64) * documents + cells.document[order]
    running = np.concatenate([[0], np.cumsum(cells.count[order])])
    base = cells.piece.astype(np.int64) * documents
    first = np.searchsorted(key, base + np.maximum(cells.document - reach, 0))
    last = np.searchsorted(key, base + np.minimum(cells.document + reach, documents - 1), side="right")
    near = running[last] - running[first] - cells.count
    sizes = np.bincount(cells.document, weights=cells.count, minlength=documents).astype(np.int64)
    running, place = np.concatenate([[0], np.cumsum(sizes)]), np.arange(documents)
    around = running[np.minimum(place + reach + 1, documents)] - running[np.maximum(place - reach, 0)]
    return near, around - sizes


def sentence_positions(measured: Measured) -> NDArray[np.int64]:
    """Tokens since the beginning of the sentence or of the document, from 0, (occurrences,)."""
    ends = np.isin(np.arange(len(measured.pieces)), [
        number for number, piece in enumerate(measured.pieces) if piece in SENTENCE_ENDS
    ])[measured.piece]  # fmt: skip
    begins = _beginnings(measured)
    begins[1:] |= ends[:-1]
    return _since(begins)


def _beginnings(measured: Measured) -> NDArray[np.bool_]:
    """Whether a document begins here, (occurrences,)."""
    found = np.ones(len(measured.document), dtype=bool)
    found[1:] = measured.document[1:] != measured.document[:-1]
    return found


def _since(begins: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Places since the last one that is marked, (occurrences,); the first is marked."""
    found: NDArray[np.int64] = np.arange(len(begins))
    last = np.where(begins, found, 0)
    found -= np.maximum.accumulate(last, out=last)
    return found


def _repetition(measured: Measured) -> Floats:
    found: Floats = np.zeros(len(measured.piece))
    for part in stretches(measured.document):
        piece, document = measured.piece[part], measured.document[part]
        order = np.lexsort((np.arange(len(piece)), piece, document))
        same = (np.diff(piece[order]) == 0) & (np.diff(document[order]) == 0)
        found[part.start + order[1:]] = same & (np.diff(order) <= WINDOW)
    return found


def _far_words(measured: Measured, vectors: NDArray[np.float32]) -> Floats:
    """Cosine of each occurrence's vector with the sum of those `FAR` back in its document, 0 if there are none."""
    place = _since(_beginnings(measured))
    found: Floats = np.empty(len(place))
    near, most = FAR
    for begin in range(0, len(place), BLOCK):
        start = max(0, begin - most)
        there, own = place[start : begin + BLOCK], vectors[measured.piece[start : begin + BLOCK]].astype(np.float64)
        far = _back(_window_sums(own, there, most - near + 1), there, near)[begin - start :]
        own = own[begin - start :]
        lengths = np.linalg.norm(far, axis=1) * np.linalg.norm(own, axis=1)
        found[begin : begin + BLOCK] = (far * own).sum(axis=1) / np.maximum(lengths, 1e-12)
    return found


def _back(values: Floats, place: NDArray[np.int64], steps: int) -> Floats:
    """What stands so many places before each row, (rows, columns); 0 before the beginning of a document."""
    found = np.zeros_like(values)
    known = place[steps:] >= steps
    found[steps:][known] = values[: len(values) - steps][known] if steps < len(values) else 0.0
    return found


def _window_sums(values: Floats, place: NDArray[np.int64], width: int) -> Floats:
    """Sums of each row and of those before it in its document, `width` in all, (rows, columns).

    Windows are doubled: each sum is made of the same additions wherever the text is cut, and no running sum loses
    digits in a long text.
    """
    if width == 1:
        return values
    half = _window_sums(values, place, width // 2)
    found = half + _back(half, place, width // 2)
    return found + _back(values, place, width - 1) if width % 2 else found


def _type_vectors(text: PreparedText, types: int) -> NDArray[np.float32]:
    """Latent semantic vectors of the types, from passages of the training split, (vocabulary, dimensions)."""
    parts = []
    for begin in range(0, len(text.train), TOKENS):
        stream = np.asarray(text.train[begin : begin + TOKENS], dtype=np.int64)
        passage = np.arange(len(stream)) // PASSAGE
        words = ~np.isin(stream, text.vocabulary.special)
        shape = (int(passage[-1]) + 1, types)
        ones = np.ones(int(words.sum()), np.float32)
        parts.append(sparse.coo_matrix((ones, (passage[words], stream[words])), shape=shape).tocsr())
    counts = sparse.vstack(parts, format="csr")
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    dimensions = min(DIMENSIONS, *(size - 1 for size in counts.shape))
    svd = TruncatedSVD(dimensions, random_state=0).fit(weighted)
    vectors: NDArray[np.float32] = (svd.components_.T * svd.singular_values_).astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: NDArray[np.float32] = np.asarray(vectors / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)
    return found


def _bigrams(text: PreparedText, types: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Adjoining pieces of the training stream: first * types + second, ascending; their counts; counts of firsts."""
    pairs, counts = np.empty(0, np.int64), np.empty(0, np.int64)
    firsts = np.zeros(types, dtype=np.int64)
    for begin in range(0, len(text.train) - 1, TOKENS):
        stream = np.asarray(text.train[begin : begin + TOKENS + 1], dtype=np.int64)
        firsts += np.bincount(stream[:-1], minlength=types)
        new, times = np.unique(stream[:-1] * types + stream[1:], return_counts=True)
        pairs, inverse = np.unique(np.concatenate([pairs, new]), return_inverse=True)
        counts = np.bincount(inverse, weights=np.concatenate([counts, times])).astype(np.int64)
    return pairs, counts, firsts


def _bigram_gain(measured: Measured, text: PreparedText) -> Floats:
    types = len(measured.pieces)
    pairs, counts, firsts = _bigrams(text, types)
    unigram = (measured.frequencies + 1.0) / (measured.frequencies + 1.0).sum()
    found: Floats = np.empty(len(measured.piece))
    for part in stretches(measured.document):
        piece, document = measured.piece[part].astype(np.int64), measured.document[part]
        before = np.full(len(piece), text.vocabulary.sep, dtype=np.int64)
        before[1:] = np.where(document[1:] == document[:-1], piece[:-1], before[1:])
        key = before * types + piece
        place = np.minimum(np.searchsorted(pairs, key), len(pairs) - 1)
        seen = np.where(pairs[place] == key, counts[place], 0)
        own = unigram[piece]
        found[part] = np.log((seen + BACKOFF * own) / (firsts[before] + BACKOFF)) - np.log(own)
    return found
