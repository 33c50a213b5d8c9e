"""Unigram and bigram models of the training split: what a piece's frequency, and the piece before it, say of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .heldout import PreparedText

TOKENS = 1_000_000
"""Tokens that are counted at a time."""
STRENGTHS = (5.0, 20.0, 50.0, 100.0, 200.0, 500.0)
"""Occurrences that the unigram model counts for beside those after a piece (Dirichlet smoothing, MacKay and Peto 1995);
the best on the documents kept aside is taken."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bigrams:
    """Counts of the training split, smoothed towards the unigram model: p(w | v) = (n(v, w) + s p(w)) / (n(v) + s)."""

    pairs: NDArray[np.int64]
    """Adjoining pieces, first * vocabulary + second, ascending."""
    counts: NDArray[np.int64]
    """How often each of them occurs."""
    firsts: NDArray[np.int64]
    """How often each piece comes first, (vocabulary,)."""
    unigram: Floats
    """Add-one smoothed probabilities, (vocabulary,)."""
    strength: float

    @classmethod
    def of(cls, text: PreparedText) -> Bigrams:
        """Count the training split."""
        types = len(text.frequencies)
        pairs, counts = np.empty(0, np.int64), np.empty(0, np.int64)
        firsts = np.zeros(types, dtype=np.int64)
        for begin in range(0, len(text.train) - 1, TOKENS):
            stream = np.asarray(text.train[begin : begin + TOKENS + 1], dtype=np.int64)
            firsts += np.bincount(stream[:-1], minlength=types)
            new, times = np.unique(stream[:-1] * types + stream[1:], return_counts=True)
            pairs, inverse = np.unique(np.concatenate([pairs, new]), return_inverse=True)
            counts = np.bincount(inverse, weights=np.concatenate([counts, times])).astype(np.int64)
        unigram = (text.frequencies + 1.0) / (text.frequencies + 1.0).sum()
        sample = np.asarray(text.validation[: 10 * TOKENS], dtype=np.int64)
        models = [cls(pairs, counts, firsts, unigram, strength) for strength in STRENGTHS]
        return max(models, key=lambda model: float(model.log_probs(sample[:-1], sample[1:]).sum()))

    def log_probs(self, before: NDArray[np.int64], piece: NDArray[np.int64]) -> Floats:
        """Log-probability of each piece after the one before it, in nats; all of shape (tokens,)."""
        key = before * len(self.unigram) + piece
        place = np.minimum(np.searchsorted(self.pairs, key), len(self.pairs) - 1)
        count = np.where(self.pairs[place] == key, self.counts[place], 0)
        smoothed = (count + self.strength * self.unigram[piece]) / (self.firsts[before] + self.strength)
        return np.asarray(np.log(smoothed))


def pieces_before(piece: NDArray[np.int64], begins: NDArray[np.bool_], separator: int) -> NDArray[np.int64]:
    """The piece before each, which is the `separator` where a document `begins`; all of shape (tokens,)."""
    before = np.full(len(piece), separator, dtype=np.int64)
    before[1:] = np.where(begins[1:], separator, piece[:-1])
    return before


def baselines(text: PreparedText) -> dict[str, float]:
    """Held-out perplexity of the unigram and of the bigram model; a document's first piece comes after a separator."""
    model = Bigrams.of(text)
    nats = np.zeros(2)
    tokens = 0
    for start, length in text.documents[["start", "tokens"]].itertuples(index=False):
        stream = np.asarray(text.heldout[start - 1 : start + length], dtype=np.int64)
        nats -= np.log(model.unigram[stream[1:]]).sum(), model.log_probs(stream[:-1], stream[1:]).sum()
        tokens += length
    unigram, bigram = np.exp(nats / tokens).tolist()
    return {"unigram": unigram, "bigram": bigram}
