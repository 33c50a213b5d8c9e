"""Two plain models of a token: a trigram of tags, which knows syntax alone, and a bag of its document's words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .heldout import PreparedText

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
STRENGTH = 10.0
"""Occurrences that the shorter context counts for beside those of the longer one."""
ROUNDS = 30
"""Of expectation and maximization; one weight is known well before."""
TOKENS = 1_000_000
"""Tokens that are counted at a time."""


def tag_trigram(text: PreparedText, piece: Codes, begins: NDArray[np.bool_]) -> Floats:
    """Log-probability of each piece from the tags of the two pieces before it, in nats, (tokens,).

    p(w | a, b) = p(c | a, b) p(w | c), where a piece has the tag c that it has most often (`PreparedText.classes`), or
    that of no word. Tags are counted in the training split, and smoothed towards shorter contexts. `begins` says
    where a document begins: there the tags before are that of a separator.
    """
    names, tag = np.unique(text.classes["upos"].to_numpy(dtype=str), return_inverse=True)
    tags = len(names)
    counts = np.zeros(tags**3)
    for begin in range(0, len(text.train), TOKENS):
        stream = tag[np.asarray(text.train[begin : begin + TOKENS + 2], dtype=np.int64)]
        counts += np.bincount((stream[:-2] * tags + stream[1:-1]) * tags + stream[2:], minlength=tags**3)
    trigrams = counts.reshape(tags, tags, tags)
    bigrams, unigrams = trigrams.sum(axis=0), trigrams.sum(axis=(0, 1))
    after_none = (unigrams + 1) / (unigrams + 1).sum()
    after_one = (bigrams + STRENGTH * after_none) / (bigrams.sum(axis=1, keepdims=True) + STRENGTH)
    after_two = (trigrams + STRENGTH * after_one) / (trigrams.sum(axis=2, keepdims=True) + STRENGTH)
    frequency = text.frequencies + 1.0
    in_tag = frequency / np.bincount(tag, weights=frequency)[tag]
    separator = int(tag[text.vocabulary.sep])
    before = np.where(begins, separator, np.append(separator, tag[piece][:-1]))
    second = np.where(begins, separator, np.append(separator, before[:-1]))
    return np.asarray(np.log(after_two[second, before, tag[piece]] * in_tag[piece]))


def bag_of_words(text: PreparedText, piece: Codes, document: Codes) -> Floats:
    """Log-probability of each piece from the other pieces of its document, in any order, in nats, (tokens,).

    A mixture of their frequencies and of those of the training split; its weight is the likeliest one.
    """
    types = len(text.frequencies)
    _, cell, counts = np.unique(document * types + piece, return_inverse=True, return_counts=True)
    size = np.bincount(document)[document]
    inside = (counts[cell] - 1.0) / np.maximum(size - 1.0, 1.0)
    outside = (text.frequencies[piece] + 1.0) / (text.frequencies + 1.0).sum()
    weight = 0.5
    for _ in range(ROUNDS):
        weight = float((weight * inside / (weight * inside + (1 - weight) * outside)).mean())
    return np.asarray(np.log(weight * inside + (1 - weight) * outside))
