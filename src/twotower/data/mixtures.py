"""Mixtures of corpora in the proportion of their weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def thin(sizes: NDArray[np.int64], part: NDArray[np.int64], weights: list[float], seed: int) -> NDArray[np.bool_]:
    """Which documents make the largest mixture with these weights; shape (documents,).

    Nothing is repeated: the part that is shortest for its weight is taken whole, and of the others so many whole
    documents, drawn at random, that the parts' sizes are to each other as the weights, to within a document. `sizes`
    (characters) and `part` (number of the part) have shape (documents,).
    """
    totals = np.bincount(part, weights=sizes, minlength=len(weights))
    scale = float(np.min(totals / np.asarray(weights)))
    kept = np.zeros(len(sizes), dtype=bool)
    for number, weight in enumerate(weights):
        order = np.random.default_rng([seed, number]).permutation(np.flatnonzero(part == number))
        before = np.cumsum(sizes[order]) - sizes[order] / 2  # a document that is half inside counts as in
        kept[order[before <= weight * scale]] = True
    return kept
