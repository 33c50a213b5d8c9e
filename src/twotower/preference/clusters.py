"""Reliability between clusters of documents: whether a preference belongs to a type, or to a type in its period."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from ..statistics.blocks import blocks_of
from ..statistics.intervals import Estimate
from ..statistics.tallies import Floats, Sums, Tallies, ValuesOf, add_up, halves
from ..system.errors import InputError
from .measured import Measured
from .reliability import reliability_between

FEWEST_DOCUMENTS = 8
DIMENSIONS = 20


@dataclass(frozen=True)
class ReliabilityBetween(Estimate):
    """`reliability` between clusters of documents."""

    clusters: int
    """Number of clusters."""


@dataclass(frozen=True)
class ReliabilityByCluster:
    """Reliability between halves that keep clusters of documents together; None where it cannot be computed."""

    order: ReliabilityBetween | None = None
    """The first half of the documents against the second, in the order of the corpus, which is that of time where the
    corpus is in order of time."""
    source: ReliabilityBetween | None = None
    """Random halves of the sources, which `analyze.clusters` names; by default the file that sections or lines are cut
    from. None if each document is a source of its own, or there is one source only."""
    topic: ReliabilityBetween | None = None
    """The two clusters of documents that k-means finds in latent semantic vectors of their types."""


def by_cluster(measured: Measured) -> ReliabilityByCluster | None:
    """Correlation across readouts between halves that keep clusters of documents together; None for a single tower.

    Occurrences of a type resemble each other more within a period, a book or a topic than across, so that random halves
    of the documents overstate how general a preference is. Raises `InputError` if `analyze.clusters` does not match a
    document's name.
    """
    if not measured.preferences:
        return None
    documents = measured.documents
    sources = source_numbers(measured.document_names, measured.settings.clusters)
    if documents < FEWEST_DOCUMENTS:
        return ReliabilityByCluster()
    generator = measured.generator("clusters")
    either = np.array([[0.0, 1.0]])
    order = _between(measured, (np.arange(documents) < documents // 2).astype(np.int64), either, generator)
    source = None
    number = int(sources.max()) + 1
    if 1 < number < documents:
        together = blocks_of(number)[sources].astype(np.int64)
        sides = halves(int(together.max()) + 1, measured.settings.splits, generator)
        between = _between(measured, together, sides, generator)
        source = between and replace(between, clusters=number)
    return ReliabilityByCluster(order, source, _between(measured, topics(measured), either, generator))


def source_numbers(names: Sequence[str], pattern: str) -> np.ndarray:
    """The source of each document, numbered from 0, from the first group of a regular expression in its name.

    Without a pattern the name up to the number of a section (`#`) or of a line (`:`).
    """
    sources = []
    for name in names:
        if not pattern:
            sources.append(re.sub(r"[#:]\d+$", "", name))
            continue
        match = re.search(pattern, name)
        if match is None or match.group(1) is None:
            raise InputError(
                f"analyze.clusters: {pattern!r} does not match the document {name!r}; give a regular expression whose "
                "first group is in every document's name"
            )
        sources.append(match.group(1))
    return np.unique(sources, return_inverse=True)[1]


def topics(measured: Measured, number: int = 2) -> NDArray[np.int64]:
    """The topic of each document, one of `number` from 0, (documents,)."""
    types, documents = len(measured.pieces), measured.documents
    counts = sparse.csr_array(add_up(measured.document, measured.piece, None, types, documents))
    weighted = TfidfTransformer(sublinear_tf=True).fit(counts).transform(counts, copy=False)
    dimensions = min(DIMENSIONS, min(weighted.shape) - 1)
    vectors = TruncatedSVD(dimensions, random_state=0).fit_transform(weighted)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return np.asarray(KMeans(number, n_init=10, random_state=0).fit_predict(vectors), dtype=np.int64)


def _between(
    measured: Measured, cluster: NDArray[np.int64], sides: Floats, generator: np.random.Generator
) -> ReliabilityBetween | None:
    """Reliability between sides; `cluster` of each document, (documents,); `sides` (splits, clusters), 1 on one.

    Documents of one block and one cluster are left out together. None without shared types.
    """
    settings, clusters, types = measured.settings, sides.shape[1], len(measured.pieces)
    units, number = np.unique(measured.block_of.astype(np.int64) * clusters + cluster, return_inverse=True)
    unit = number.astype(np.int32)[measured.document]

    def added(values: ValuesOf | None) -> Sums:
        return add_up(unit, measured.piece, values, types, len(units), measured.block)

    counts = added(None)
    sets = [
        [
            Tallies(counts, added(partial(measured.difference, contrast, readouts=name))).select(measured.frequent)
            for contrast in measured.contrasts
        ]
        for name in measured.sets
    ]
    between = reliability_between(sets, sides[:, units % clusters], settings.min_count, settings.confidence, generator)
    return ReliabilityBetween(**vars(between), clusters=clusters) if np.isfinite(between.estimate) else None
