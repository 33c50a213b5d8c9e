"""Mixtures of corpora: `A+B`, with weights `A@7+B@3`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError


def parse_mixture(name: str) -> list[tuple[str, float | None]]:
    """The parts of a corpus name and their weights (None: no weights); a path that exists is one part as it is.

    Raises `InputError` for an empty part, or weights that are not positive numbers or not on all parts.
    """
    if "+" not in name or Path(name).expanduser().exists():
        return [(name, None)]
    parts = [_parse_part(part.strip(), name) for part in name.split("+")]
    weighted = [weight is not None for _, weight in parts]
    if any(weighted) and not all(weighted):
        raise InputError(f"corpus: {name!r} has weights on some parts only; give all parts one (A@7+B@3), or none")
    return parts


def _parse_part(part: str, whole: str) -> tuple[str, float | None]:
    number: str | None
    source, at, number = part.rpartition("@")
    if not at or Path(part).expanduser().exists():
        source, number = part, None
    if not source:
        raise InputError(f"corpus: the mixture {whole!r} has an empty part; write it as A+B, or A@7+B@3 with weights")
    if number is None:
        return source, None
    try:
        weight = float(number)
    except ValueError:
        weight = 0.0
    if not 0 < weight < float("inf"):
        raise InputError(f"corpus: {whole!r}: the weight {number!r} is not a positive number; write A@7+B@3")
    return source, weight


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
