"""Within types: at which of its occurrences a word is predicted better by one tower than by the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from ..data.heldout import PreparedText
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


def within_types(measured: Measured) -> dict[str, Any] | None:
    """Regression of the difference between towers on properties of an occurrence, with an intercept per type.

    An intercept per type takes out all that is the same at every occurrence of one: its frequency, its part of speech,
    its mean preference (Mundlak 1978). Standard errors are robust to any dependence within documents (CR1, Liang and
    Zeger 1986), and intervals Student's with documents less one as degrees of freedom. Coefficients are nats per
    standard deviation of the covariate within types. Covariates:

    - `topicality`: how typical the type is of its document, log share there (this occurrence left out) over its share;
    - `period`: the same in the nearest tenth of the other documents, in the corpus' order;
    - `far words`: cosine of the type's vector with the mean vector of the words 9 to 40 back (latent semantic analysis
      of passages of the training split: Deerwester et al. 1990);
    - `bigram gain`: log bigram over log unigram probability, of the training split;
    - `surprisal` under the joint head; `far context`: what that head gains beyond eight tokens of context;
    - `repetition`: whether the type occurred among the 64 tokens before; `position`: log place in the sentence.

    Returns `occurrences`, `types`, `r2` (within types) and `covariates`, one row each with its interval, p-value and
    `noise_floor`, the same for two readouts of the first tower. For more than two towers `towers` has these for each
    tower. `left_out` names covariates that cannot be computed. None for a single tower, or fewer than three documents.
    """
    if measured.towers == 1 or measured.documents < 3:
        return None
    columns, left_out = covariates(measured)
    kept = measured.counts[measured.piece] >= 2
    document = measured.document[kept]
    piece = np.unique(measured.piece[kept], return_inverse=True)[1]
    names = list(columns)
    centred = [_centred(columns[name][kept], piece) for name in names]
    varying = [number for number, one in enumerate(centred) if one.std() > 1e-9]
    left_out += [names[number] for number in range(len(names)) if number not in varying]
    design = np.column_stack([centred[number] / centred[number].std() for number in varying])
    names = [names[number] for number in varying]
    floor = _fit(_centred(measured.noise_difference(1)[kept], piece), design, document, measured.settings.confidence)
    found = []
    for contrast in measured.contrasts:
        values = _centred(measured.difference(contrast)[kept], piece)
        fitted = _fit(values, design, document, measured.settings.confidence)
        rows = [
            {"name": name, **row, "noise_floor": {key: under[key] for key in ("estimate", "low", "high")}}
            for name, row, under in zip(names, fitted["rows"], floor["rows"], strict=True)
        ]
        found.append({"tower": contrast.tower, "r2": fitted["r2"], "covariates": rows})
    shared = {"occurrences": int(kept.sum()), "types": int(piece.max()) + 1, "left_out": left_out}
    if len(found) == 1:
        return {**shared, "r2": found[0]["r2"], "covariates": found[0]["covariates"]}
    return {**shared, "towers": found}


def _centred(values: Floats, piece: NDArray[np.int64]) -> Floats:
    means = np.bincount(piece, weights=values) / np.bincount(piece)
    found: Floats = values - means[piece]
    return found


def _fit(values: Floats, design: Floats, document: NDArray[np.int64], confidence: float) -> dict[str, Any]:
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)  # covariates of an odd text may be collinear
    beta = inverse @ (design.T @ values)
    left = values - design @ beta
    clusters = len(np.unique(document))
    sums = np.column_stack([np.bincount(document, weights=column * left) for column in design.T])
    covariance = inverse @ (sums.T @ sums) @ inverse * clusters / (clusters - 1)
    variance = np.diag(covariance)
    error = np.sqrt(np.where(variance > 0, variance, np.nan))  # rounding alone, where residuals are all alike
    reach = stats.t.ppf((1 + confidence) / 2, clusters - 1) * error
    p_values = 2 * stats.t.sf(np.abs(beta / error), clusters - 1)
    rows = [
        {"estimate": float(b), "low": float(b - r), "high": float(b + r), "p_value": float(p)}
        for b, r, p in zip(beta, reach, p_values, strict=True)
    ]
    return {"rows": rows, "r2": float(1 - (left**2).sum() / (values**2).sum())}


def covariates(measured: Measured) -> tuple[dict[str, Floats], list[str]]:
    """By name, a value for each occurrence (occurrences,); and the names of those that need a prepared text."""
    scores = measured.scores
    joint, near = scores["joint"].to_numpy(np.float64), scores["near"].to_numpy(np.float64)
    found = {
        "topicality": topicality(measured),
        "period": period(measured),
        "surprisal": -joint,
        "far context": joint - near,
        "repetition": _repetition(measured),
        "position": np.log1p(sentence_positions(measured)),
    }
    if measured.text is None:
        return found, ["far words", "bigram gain"]
    found["far words"] = _far_words(measured, measured.text)
    found["bigram gain"] = _bigram_gain(measured, measured.text)
    return found, []


def topicality(measured: Measured) -> Floats:
    """Log share of the type in its document, this occurrence left out, over its share in the text; (occurrences,)."""
    types = len(measured.pieces)
    cell = measured.document * types + measured.piece
    _, inverse, counts = np.unique(cell, return_inverse=True, return_counts=True)
    sizes = np.bincount(measured.document)
    share = measured.counts / len(measured.piece)
    there = counts[inverse] - 1 + PRIOR * share[measured.piece]
    found: Floats = np.log(there / (sizes[measured.document] - 1 + PRIOR)) - np.log(share[measured.piece])
    return found


def period(measured: Measured) -> Floats:
    """Log share of the type in the documents nearest to its own, that one left out, over its share; (occurrences,)."""
    documents, types = measured.documents, len(measured.pieces)
    ones = np.ones(len(measured.piece))
    counts = sparse.coo_array((ones, (measured.document, measured.piece)), shape=(documents, types)).tocsr()
    reach = max(1, round(NEIGHBOURS * documents / 2))
    offsets = [offset for offset in range(-reach, reach + 1) if offset and abs(offset) < documents]
    rows = np.concatenate([np.arange(max(0, -offset), documents - max(0, offset)) for offset in offsets])
    columns = np.concatenate([np.arange(max(0, offset), documents - max(0, -offset)) for offset in offsets])
    band = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(documents, documents)).tocsr()
    near = sparse.csr_array(band @ counts)
    sizes = np.asarray(near.sum(axis=1), dtype=np.float64).ravel()
    share = measured.counts / len(measured.piece)
    here = np.asarray(near[measured.document, measured.piece]).ravel()
    added = here + PRIOR * share[measured.piece]
    found: Floats = np.log(added / (sizes[measured.document] + PRIOR)) - np.log(share[measured.piece])
    return found


def sentence_positions(measured: Measured) -> NDArray[np.int64]:
    """Tokens since the beginning of the sentence or of the document, from 0, (occurrences,)."""
    ends = np.isin(measured.piece, [number for number, piece in enumerate(measured.pieces) if piece in SENTENCE_ENDS])
    begins = np.ones(len(ends), dtype=bool)
    begins[1:] = ends[:-1] | (measured.document[1:] != measured.document[:-1])
    places = np.arange(len(ends))
    found: NDArray[np.int64] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return found


def _repetition(measured: Measured) -> Floats:
    order = np.lexsort((np.arange(len(measured.piece)), measured.piece, measured.document))
    same = (np.diff(measured.piece[order]) == 0) & (np.diff(measured.document[order]) == 0)
    found: Floats = np.zeros(len(order))
    found[order[1:]] = same & (np.diff(order) <= WINDOW)
    return found


def _far_words(measured: Measured, text: PreparedText) -> Floats:
    vectors = _type_vectors(text, len(measured.pieces))
    running = np.vstack([np.zeros((1, vectors.shape[1]), np.float32), np.cumsum(vectors[measured.piece], axis=0)])
    places = np.arange(len(measured.piece))
    starts = np.searchsorted(measured.document, np.arange(measured.documents))[measured.document]
    last = np.maximum(places - FAR[0] + 1, starts)
    first = np.maximum(places - FAR[1], starts)
    far = running[last] - running[np.minimum(first, last)]
    own = vectors[measured.piece]
    lengths = np.linalg.norm(far, axis=1) * np.linalg.norm(own, axis=1)
    found: Floats = np.where(lengths > 0, (far * own).sum(axis=1) / np.maximum(lengths, 1e-12), 0.0).astype(np.float64)
    return found


def _type_vectors(text: PreparedText, types: int) -> NDArray[np.float32]:
    """Latent semantic vectors of the types, from passages of the training split, (vocabulary, dimensions)."""
    stream = np.asarray(text.train, dtype=np.int64)
    passage = np.arange(len(stream)) // PASSAGE
    words = ~np.isin(stream, text.vocabulary.special)
    shape = (int(passage[-1]) + 1, types)
    ones = np.ones(int(words.sum()), np.float32)
    counts = sparse.coo_matrix((ones, (passage[words], stream[words])), shape=shape).tocsr()
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    dimensions = min(DIMENSIONS, *(size - 1 for size in shape))
    svd = TruncatedSVD(dimensions, random_state=0).fit(weighted)
    vectors: NDArray[np.float32] = (svd.components_.T * svd.singular_values_).astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: NDArray[np.float32] = np.asarray(vectors / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)
    return found


def _bigram_gain(measured: Measured, text: PreparedText) -> Floats:
    types = len(measured.pieces)
    stream = np.asarray(text.train, dtype=np.int64)
    pairs, counts = np.unique(stream[:-1] * types + stream[1:], return_counts=True)
    firsts = np.bincount(stream[:-1], minlength=types)
    unigram = (measured.frequencies + 1.0) / (measured.frequencies + 1.0).sum()
    before = np.full(len(measured.piece), text.vocabulary.sep)
    before[1:] = np.where(measured.document[1:] == measured.document[:-1], measured.piece[:-1], before[1:])
    key = before * types + measured.piece
    place = np.minimum(np.searchsorted(pairs, key), len(pairs) - 1)
    seen = np.where(pairs[place] == key, counts[place], 0)
    own = unigram[measured.piece]
    found: Floats = np.log((seen + BACKOFF * own) / (firsts[before] + BACKOFF)) - np.log(own)
    return found
