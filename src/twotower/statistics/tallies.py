"""Occurrences added up by document and type, so that any resampling of documents is a matrix product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
DENSE_LIMIT = 20_000_000
"""Documents x types up to which a dense matrix is faster than a sparse one, and small enough."""


@dataclass(frozen=True)
class Tallies:
    """How often each type occurs in each document, and the sum of a value over those occurrences."""

    counts: sparse.csr_array | Floats
    """(documents, types)"""
    sums: sparse.csr_array | Floats
    """(documents, types)"""

    @property
    def documents(self) -> int:
        """Number of documents."""
        return int(self.counts.shape[0])

    def means(self, weights: Floats) -> tuple[Floats, Floats]:
        """Mean of the value and number of occurrences of each type, under each weighting of the documents.

        `weights` has shape (draws, documents); both results (draws, types). The mean of a type that does not occur is
        NaN.
        """
        counts = np.asarray(weights @ self.counts)
        sums = np.asarray(weights @ self.sums)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(counts > 0, sums / counts, np.nan), counts

    def select(self, types: NDArray[np.bool_]) -> Tallies:
        """Only the types in the mask, shape (types,)."""
        return Tallies(self.counts[:, types], self.sums[:, types])


def tally(
    document: NDArray[np.integer],
    kind: NDArray[np.integer],
    value: Floats,
    types: int,
    documents: int | None = None,
) -> Tallies:
    """Add up occurrences. `document` (numbered from 0), `kind` and `value` have shape (occurrences,).

    There are as many `documents` as that says, or as the highest number of one.
    """
    documents = documents or (int(document.max()) + 1 if len(document) else 0)
    if documents * types <= DENSE_LIMIT:
        cell = document.astype(np.int64) * types + kind
        shape = (documents, types)
        dense = np.bincount(cell, minlength=documents * types).astype(np.float64).reshape(shape)
        added = np.bincount(cell, weights=value, minlength=documents * types).astype(np.float64).reshape(shape)
        return Tallies(dense, added)
    place = (document, kind)
    ones = np.ones(len(value))
    counts = sparse.coo_array((ones, place), shape=(documents, types)).tocsr()
    return Tallies(counts, sparse.coo_array((value, place), shape=(documents, types)).tocsr())


def resample(documents: int, draws: int, generator: np.random.Generator) -> Floats:
    """Bootstrap weights: how often each document is drawn, shape (draws, documents)."""
    return generator.multinomial(documents, np.full(documents, 1 / documents), size=draws).astype(np.float64)


def halves(documents: int, splits: int, generator: np.random.Generator) -> Floats:
    """Random halves of the documents: 1 for the first half, 0 for the second, shape (splits, documents).

    An odd document goes to either half at random.
    """
    order = generator.permuted(np.tile(np.arange(documents), (splits, 1)), axis=1)
    size = documents // 2 + (generator.random((splits, 1)) < 0.5) * (documents % 2)
    return (order < size).astype(np.float64)


def resample_within(groups: NDArray[np.integer], draws: int, generator: np.random.Generator) -> Floats:
    """Bootstrap weights that keep the size of every group, shape (draws, members); `groups` (members,)."""
    weights: Floats = np.zeros((draws, len(groups)))
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        weights[:, inside] = resample(len(inside), draws, generator)
    return weights
