"""Occurrences added up by document and type, so that any resampling of documents is a matrix product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .stretches import stretches

Floats = NDArray[np.float64]
Sums: TypeAlias = sparse.csr_array | Floats
ValuesOf: TypeAlias = Callable[[slice], Floats]
"""Gives the values of a stretch of the text, (occurrences of that slice,)."""
DENSE_LIMIT = 20_000_000
"""Documents x types up to which a dense matrix is faster than a sparse one, and small enough."""


@dataclass(frozen=True)
class Tallies:
    """How often each type occurs in each document, and the sum of a value over those occurrences."""

    counts: Sums
    """(documents, types)"""
    sums: Sums
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


def mean_of(several: Sequence[Tallies]) -> Tallies:
    """The mean of values that were added up over the same occurrences."""
    total = several[0].sums
    for tallies in several[1:]:
        total = cast(Sums, total + tallies.sums)
    return Tallies(several[0].counts, cast(Sums, total / len(several)))


def tally(
    document: NDArray[np.integer],
    kind: NDArray[np.integer],
    value: Floats | ValuesOf,
    types: int,
    documents: int | None = None,
) -> Tallies:
    """Add up occurrences. `document` (numbered from 0), `kind` and `value` have shape (occurrences,).

    There are as many `documents` as that says, or as the highest number of one. Occurrences of a negative kind are left
    out. In place of `value` stands a function that gives those of a stretch, where all together would take much memory.
    """
    counts = add_up(document, kind, None, types, documents)
    return Tallies(counts, add_up(document, kind, value, types, documents))


def add_up(
    document: NDArray[np.integer],
    kind: NDArray[np.integer],
    value: Floats | ValuesOf | None,
    types: int,
    documents: int | None = None,
    cut: NDArray[np.integer] | None = None,
) -> Sums:
    """Sums of a value (None: counts) by document and type, (documents, types); see `tally`, which is two of these.

    A stretch of the text is added up at a time. Each cell is in one stretch, so that cuts change no sum. What is called
    a document here may be any unit whose numbers do not return once `cut` (occurrences,) has gone on to its next value;
    by default that is the document itself.
    """
    documents = documents or (int(document.max()) + 1 if len(document) else 0)
    dense = documents * types <= DENSE_LIMIT
    sums: Floats = np.zeros(documents * types if dense else 0)
    parts, start = [], 0
    for part in stretches(document if cut is None else cut):
        inside = kind[part] >= 0
        rows, columns = document[part][inside].astype(np.int64), kind[part][inside]
        values_of_part = value(part) if callable(value) else None if value is None else value[part]
        values = np.ones(len(rows)) if values_of_part is None else values_of_part[inside]
        if dense:
            first = int(rows.min()) * types if len(rows) else 0
            added = np.bincount(rows * types + columns - first, weights=values)
            sums[first : first + len(added)] += added
            continue
        last = documents if part.stop == len(document) else int(document[part].max()) + 1
        parts.append(sparse.coo_array((values, (rows - start, columns)), shape=(last - start, types)).tocsr())
        start = last
    if dense:
        return sums.reshape(documents, types)
    return parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr")


def resample(documents: int, draws: int, generator: np.random.Generator) -> Floats:
    """Bootstrap weights: how often each document is drawn, shape (draws, documents)."""
    return generator.multinomial(documents, np.full(documents, 1 / documents), size=draws).astype(np.float64)


def sample_and_draws(units: int, draws: int, generator: np.random.Generator) -> Floats:
    """Weights of the units: all alike for the sample, then how often each is drawn, shape (1 + draws, units)."""
    return np.vstack([np.ones((1, units)), resample(units, draws, generator)])


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
