"""Properties of an occurrence that the difference between towers may follow, for a stretch of the text at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from ..data.bigrams import Bigrams, pieces_before
from ..data.heldout import PreparedText
from ..data.tokenization import SENTENCE_ENDS
from ..statistics.stretches import stretches
from ..statistics.tallies import Floats, ValuesOf
from .measured import Measured

PRIOR = 200.0
"""Tokens of the whole text that are added to a document's, so that a share is never 0."""
NEIGHBOURS = 0.1
"""Share of the documents, the nearest in the corpus' order, that stand for the period of one."""
FAR = (9, 40)
"""Tokens back, from and to, whose topical fit with a word is taken."""
PASSAGE, DIMENSIONS = 256, 50
WINDOW = 64
"""Tokens back within which a type counts as repeated."""
TOKENS = 4_000_000
"""Tokens of the training stream that are counted at a time, a multiple of `PASSAGE`."""
BLOCK = 1 << 15
"""Occurrences whose vectors are held at a time."""


def covariates(measured: Measured) -> tuple[dict[str, ValuesOf], list[str]]:
    """By name, a function that gives the values of a stretch of whole documents; those that need a prepared text.

    A function takes a slice of the occurrences and returns an array of their shape.
    """
    cells = Cells.of_text(measured)
    found = {
        "topicality": lambda part: topicality(measured, cells, part),
        "period": period(measured, cells),
        "surprisal": lambda part: -measured.log_probs("joint", part),
        "far context": lambda part: measured.log_probs("joint", part) - measured.log_probs("near", part),
        "repetition": lambda part: _repetition(measured, part),
        "position": lambda part: np.log1p(sentence_positions(measured, part)),
    }
    text = measured.text
    if text is None:
        return found, ["far words", "bigram gain"]
    vectors = _type_vectors(text, len(measured.pieces))
    found["far words"] = lambda part: _far_words(measured, vectors, part)
    found["bigram gain"] = _bigram_gain(measured, text)
    return found, []


@dataclass(frozen=True)
class Cells:
    """The pairs of a document and a type that occur there, in the order of the documents, then of the types."""

    starts: NDArray[np.int64]
    """The first cell of each document and, last, their number, (documents + 1,)."""
    piece: NDArray[np.int32]
    """(cells,)"""
    count: NDArray[np.int32]
    """Occurrences in each, (cells,)."""
    of: NDArray[np.int32]
    """The cell of each occurrence, (occurrences,)."""

    @classmethod
    def of_text(cls, measured: Measured) -> Cells:
        """Count the occurrences of each type in each document."""
        types = len(measured.pieces)
        of = np.empty(len(measured.piece), dtype=np.int32)
        pieces, counted, known = [np.empty(0, np.int32)], [np.empty(0, np.int32)], 0
        sizes = np.zeros(measured.documents, dtype=np.int64)
        for part in stretches(measured.document):
            cell = measured.document[part].astype(np.int64) * types + measured.piece[part]
            cell, inverse, counts = np.unique(cell, return_inverse=True, return_counts=True)
            of[part] = inverse + known
            known += len(cell)
            document, piece = np.divmod(cell, types)
            sizes += np.bincount(document, minlength=len(sizes))
            pieces.append(piece.astype(np.int32))
            counted.append(counts.astype(np.int32))
        return cls(np.concatenate([[0], np.cumsum(sizes)]), np.concatenate(pieces), np.concatenate(counted), of)


def topicality(measured: Measured, cells: Cells, part: slice) -> Floats:
    """Log share of the type in its document, this occurrence left out, over its share in the text; of a stretch."""
    own = measured.counts[measured.piece[part]] / len(measured.piece)
    there = cells.count[cells.of[part]] - 1 + PRIOR * own
    sizes = np.bincount(measured.document[part])  # whole documents
    found: Floats = np.log(there / (sizes[measured.document[part]] - 1 + PRIOR)) - np.log(own)
    return found


def period(measured: Measured, cells: Cells) -> ValuesOf:
    """Log share of the type in the documents nearest to its own, that one left out, over its share; of a stretch."""
    near, sizes = _nearby(cells, len(measured.pieces), max(1, round(NEIGHBOURS * measured.documents / 2)))

    def of(part: slice) -> Floats:
        own = measured.counts[measured.piece[part]] / len(measured.piece)
        added = near[cells.of[part]] + PRIOR * own
        found: Floats = np.log(added / (sizes[measured.document[part]] + PRIOR)) - np.log(own)
        return found

    return of


def _nearby(cells: Cells, types: int, reach: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Occurrences of a cell's type in the documents within `reach` of its own, (cells,), and of all types.

    That document itself is left out; the second has shape (documents,). The counts of these documents are kept up while
    going through the text: one enters, one leaves.
    """
    bounds = cells.starts.tolist()
    documents = len(bounds) - 1
    near = np.empty(len(cells.piece), dtype=np.int32)
    window = np.zeros(types, dtype=np.int64)

    def moved(document: int, sign: int) -> None:
        cell = slice(bounds[document], bounds[document + 1])
        window[cells.piece[cell]] += sign * cells.count[cell]

    for document in range(min(reach, documents)):
        moved(document, 1)
    for document in range(documents):
        if document + reach < documents:
            moved(document + reach, 1)
        if document > reach:
            moved(document - reach - 1, -1)
        own = slice(bounds[document], bounds[document + 1])
        near[own] = window[cells.piece[own]] - cells.count[own]
    sizes = np.add.reduceat(np.append(cells.count, 0).astype(np.int64), cells.starts[:-1])
    running, place = np.concatenate([[0], np.cumsum(sizes)]), np.arange(documents)
    around = running[np.minimum(place + reach + 1, documents)] - running[np.maximum(place - reach, 0)]
    return near, around - sizes


def sentence_positions(measured: Measured, part: slice) -> NDArray[np.int64]:
    """Tokens since the beginning of the sentence or of the document, from 0, (occurrences,); of a stretch."""
    ends = np.isin(np.arange(len(measured.pieces)), [
        number for number, piece in enumerate(measured.pieces) if piece.lstrip("▁Ġ") in SENTENCE_ENDS
    ])[measured.piece[part]]  # fmt: skip
    begins = _beginnings(measured.document[part])
    begins[1:] |= ends[:-1]
    return _since(begins)


def _beginnings(document: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether a document begins here, (occurrences,)."""
    found = np.ones(len(document), dtype=bool)
    found[1:] = document[1:] != document[:-1]
    return found


def _since(begins: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Places since the last one that is marked, (occurrences,); the first is marked."""
    place = np.arange(len(begins))
    found: NDArray[np.int64] = place - np.maximum.accumulate(np.where(begins, place, 0))
    return found


def _repetition(measured: Measured, part: slice) -> Floats:
    piece, document = measured.piece[part], measured.document[part]
    order = np.lexsort((np.arange(len(piece)), piece, document))
    same = (np.diff(piece[order]) == 0) & (np.diff(document[order]) == 0)
    found: Floats = np.zeros(len(piece))
    found[order[1:]] = same & (np.diff(order) <= WINDOW)
    return found


def _far_words(measured: Measured, vectors: NDArray[np.float32], part: slice) -> Floats:
    """Cosine of each occurrence's vector with the sum of those `FAR` back in its document, 0 if there are none."""
    piece, place = measured.piece[part], _since(_beginnings(measured.document[part]))
    found: Floats = np.empty(len(place))
    near, most = FAR
    for begin in range(0, len(place), BLOCK):
        start = max(0, begin - most)
        there, own = place[start : begin + BLOCK], vectors[piece[start : begin + BLOCK]].astype(np.float64)
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


def _bigram_gain(measured: Measured, text: PreparedText) -> ValuesOf:
    model = Bigrams.of(text)

    def of(part: slice) -> Floats:
        piece, begins = measured.piece[part].astype(np.int64), _beginnings(measured.document[part])
        before = pieces_before(piece, begins, text.vocabulary.sep)
        found: Floats = model.log_probs(before, piece) - np.log(model.unigram[piece])
        return found

    return of
