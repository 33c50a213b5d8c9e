"""Properties of an occurrence that the difference between towers may follow, one stretch of the text at a time."""

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
from ..statistics.grouping import numbered
from ..statistics.stretches import stretches
from ..statistics.tallies import Floats, ValuesOf
from .measured import Measured

PRIOR = 200.0
"""Tokens of the whole text that are added to a document's, so that a share is never 0."""
NEIGHBOURS = 0.1
"""Share of the documents, those nearest in the corpus' order, that stand for the period of a document."""
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
    """By name, a function that gives the values of a stretch of whole documents; then names that need a prepared text.

    A function takes a slice of the occurrences and returns an array of their shape.
    """
    cells = Cells.of_text(measured)
    functions = {
        "topicality": lambda part: topicality(measured, cells, part),
        "period": period(measured, cells),
        "surprisal": lambda part: -measured.log_probs("joint", part),
        "far context": lambda part: measured.log_probs("joint", part) - measured.log_probs("near", part),
        "repetition": lambda part: _repetition(measured, part),
        "position": lambda part: np.log1p(sentence_positions(measured, part)),
    }
    text = measured.text
    if text is None:
        return functions, ["far words", "bigram gain"]
    vectors = _type_vectors(text, len(measured.pieces))
    functions["far words"] = lambda part: _far_words(measured, vectors, part)
    functions["bigram gain"] = _bigram_gain(measured, text)
    return functions, []


@dataclass(frozen=True)
class Cells:
    """The pairs of a document and a type that occur there, in the order of the documents, then of the types."""

    starts: NDArray[np.int64]
    """The first cell of each document and, last, their number, (documents + 1,)."""
    piece: NDArray[np.int32]
    """(cells,)"""
    count: NDArray[np.int32]
    """Occurrences in each, (cells,)."""
    number: NDArray[np.int32]
    """The cell of each occurrence, (occurrences,)."""

    @classmethod
    def of_text(cls, measured: Measured) -> Cells:
        """Count the occurrences of each type in each document."""
        types = len(measured.pieces)
        number = np.empty(len(measured.piece), dtype=np.int32)
        pieces, counted, cells = [np.empty(0, np.int32)], [np.empty(0, np.int32)], 0
        sizes = np.zeros(measured.documents, dtype=np.int64)
        for part in stretches(measured.document):
            cell = measured.document[part].astype(np.int64) * types + measured.piece[part]
            cell, inverse = numbered(cell)
            number[part] = inverse + cells
            cells += len(cell)
            document, piece = np.divmod(cell, types)
            sizes += np.bincount(document, minlength=len(sizes))
            pieces.append(piece.astype(np.int32))
            counted.append(np.bincount(inverse).astype(np.int32))
        return cls(np.concatenate([[0], np.cumsum(sizes)]), np.concatenate(pieces), np.concatenate(counted), number)


def topicality(measured: Measured, cells: Cells, part: slice) -> Floats:
    """Log share of the type in its document, without this occurrence, over its share in the text; for a stretch."""
    share = measured.counts[measured.piece[part]] / len(measured.piece)
    in_document = cells.count[cells.number[part]] - 1 + PRIOR * share
    sizes = np.bincount(measured.document[part])  # whole documents
    log_ratio: Floats = np.log(in_document / (sizes[measured.document[part]] - 1 + PRIOR)) - np.log(share)
    return log_ratio


def period(measured: Measured, cells: Cells) -> ValuesOf:
    """Log share of the type in the documents nearest to its own, without that one, over its share; for a stretch."""
    near, sizes = _nearby(cells, len(measured.pieces), max(1, round(NEIGHBOURS * measured.documents / 2)))

    def log_ratios(part: slice) -> Floats:
        share = measured.counts[measured.piece[part]] / len(measured.piece)
        in_period = near[cells.number[part]] + PRIOR * share
        ratios: Floats = np.log(in_period / (sizes[measured.document[part]] + PRIOR)) - np.log(share)
        return ratios

    return log_ratios


def _nearby(cells: Cells, types: int, reach: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Occurrences of a cell's type in the documents within `reach` of its own, (cells,), and of all types.

    That document itself is left out; the second has shape (documents,). A window of counts moves through the text: at
    each document another one enters and another one leaves.
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
        inside = slice(bounds[document], bounds[document + 1])
        near[inside] = window[cells.piece[inside]] - cells.count[inside]
    sizes = np.add.reduceat(np.append(cells.count, 0).astype(np.int64), cells.starts[:-1])
    running, place = np.concatenate([[0], np.cumsum(sizes)]), np.arange(documents)
    around = running[np.minimum(place + reach + 1, documents)] - running[np.maximum(place - reach, 0)]
    return near, around - sizes


def sentence_positions(measured: Measured, part: slice) -> NDArray[np.int64]:
    """Tokens since the beginning of the sentence or of the document, from 0, (occurrences,); for a stretch."""
    ends = np.isin(np.arange(len(measured.pieces)), [
        number for number, piece in enumerate(measured.pieces) if piece.lstrip("▁Ġ") in SENTENCE_ENDS
    ])[measured.piece[part]]  # fmt: skip
    begins = beginnings(measured.document[part])
    begins[1:] |= ends[:-1]
    return since_last(begins)


def beginnings(document: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether a document begins here, (occurrences,)."""
    begins = np.ones(len(document), dtype=bool)
    begins[1:] = document[1:] != document[:-1]
    return begins


def since_last(begins: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Tokens since the last marked one, (occurrences,); the first is marked."""
    place = np.arange(len(begins))
    distance: NDArray[np.int64] = place - np.maximum.accumulate(np.where(begins, place, 0))
    return distance


def since_same_type(piece: NDArray[np.integer], document: NDArray[np.integer]) -> NDArray[np.int64]:
    """Tokens back to the last occurrence of the type in its document, (occurrences,); 0 at its first."""
    order = np.lexsort((np.arange(len(piece)), piece, document))
    same = (np.diff(piece[order]) == 0) & (np.diff(document[order]) == 0)
    distance = np.zeros(len(order), np.int64)
    distance[order[1:]] = np.where(same, np.diff(order), 0)
    return distance


def _repetition(measured: Measured, part: slice) -> Floats:
    distance = since_same_type(measured.piece[part], measured.document[part])
    return ((distance > 0) & (distance <= WINDOW)).astype(np.float64)


def _far_words(measured: Measured, vectors: NDArray[np.float32], part: slice) -> Floats:
    """Cosine of each occurrence's vector with the sum of those `FAR` back in its document, 0 if there are none."""
    piece, place = measured.piece[part], since_last(beginnings(measured.document[part]))
    cosines: Floats = np.empty(len(place))
    near, most = FAR
    for begin in range(0, len(place), BLOCK):
        start = max(0, begin - most)
        places, own_vectors = place[start : begin + BLOCK], vectors[piece[start : begin + BLOCK]].astype(np.float64)
        far = _back(_window_sums(own_vectors, places, most - near + 1), places, near)[begin - start :]
        own_vectors = own_vectors[begin - start :]
        lengths = np.linalg.norm(far, axis=1) * np.linalg.norm(own_vectors, axis=1)
        cosines[begin : begin + BLOCK] = (far * own_vectors).sum(axis=1) / np.maximum(lengths, 1e-12)
    return cosines


def _back(values: Floats, place: NDArray[np.int64], steps: int) -> Floats:
    """The row that stands `steps` places before each row, (rows, columns); 0 before the beginning of a document."""
    shifted = np.zeros_like(values)
    reaches = place[steps:] >= steps
    shifted[steps:][reaches] = values[: len(values) - steps][reaches] if steps < len(values) else 0.0
    return shifted


def _window_sums(values: Floats, place: NDArray[np.int64], width: int) -> Floats:
    """Sums of each row and of those before it in its document, `width` in all, (rows, columns).

    Windows are doubled: each sum is made of the same additions wherever the text is cut, and no running sum loses
    digits in a long text.
    """
    if width == 1:
        return values
    half = _window_sums(values, place, width // 2)
    sums = half + _back(half, place, width // 2)
    return sums + _back(values, place, width - 1) if width % 2 else sums


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
    unit_vectors: NDArray[np.float32] = np.asarray(vectors / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)
    return unit_vectors


def _bigram_gain(measured: Measured, text: PreparedText) -> ValuesOf:
    model = Bigrams.of(text)

    def gains(part: slice) -> Floats:
        piece, begins = measured.piece[part].astype(np.int64), beginnings(measured.document[part])
        before = pieces_before(piece, begins, text.vocabulary.sep)
        gain: Floats = model.log_probs(before, piece) - np.log(model.unigram[piece])
        return gain

    return gains
