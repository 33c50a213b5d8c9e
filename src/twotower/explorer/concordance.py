"""Concordances: the held-out occurrences of a piece in context (KWIC), in the order that is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .explored import ExploredRun
from .plain import column

CONTEXT = 14
"""Pieces on each side of an occurrence."""
DEPTH = 4
"""Neighbours, nearest first, by which occurrences are sorted."""
ORDERS = ("document", "left", "right")


def concordance(
    run: ExploredRun, piece: int, order: str, descending: bool, upos: str, offset: int, limit: int
) -> dict[str, Any]:
    """Some of the occurrences of a piece.

    Args:
        run: whose held-out text.
        piece: piece id.
        order: `document`, `left` or `right` (alphabetically by the neighbours, nearest first), or a measure of
            `ExploredRun.measures`.
        descending: the other way round.
        upos: only occurrences in words of this part of speech; all if empty.
        offset, limit: which of them.

    Returns:
        `total`; `upos`: the parts of speech with their numbers of occurrences; and, each a list with an item for each
        occurrence, `document`, `position`, `tag`, `left` and `right` (lists of pieces), and the measures in nats.
    """
    found = np.flatnonzero(run.piece_ids == piece)
    tags = run.scores["upos"].iloc[found].astype(str).to_numpy()
    names, counts = np.unique(tags, return_counts=True)
    if upos:
        found, tags = found[tags == upos], tags[tags == upos]
    document = np.searchsorted(run.bounds, found, side="right") - 1
    ranked = _ranked(run, found, document, order)
    ranked = ranked[::-1] if descending else ranked
    chosen = ranked[offset : offset + limit]
    places, within = found[chosen], document[chosen]
    first, last = run.bounds[within], run.bounds[within + 1]
    return {
        "total": len(found),
        "offset": offset,
        "upos": [[str(name), int(count)] for name, count in zip(names, counts, strict=True)],
        "document": within.tolist(),
        "position": (places - first).tolist(),
        "tag": tags[chosen].tolist(),
        "left": [_cut(run, max(a, p - CONTEXT), p) for p, a in zip(places, first, strict=True)],
        "right": [_cut(run, p + 1, min(b, p + 1 + CONTEXT)) for p, b in zip(places, last, strict=True)],
        "measures": {name: column(values[places]) for name, values in run.measures.items()},
    }  # fmt: skip


def _cut(run: ExploredRun, begin: int, end: int) -> list[str]:
    return list(run.pieces[run.piece_ids[begin:end]].tolist())


def _ranked(run: ExploredRun, found: NDArray[np.int64], document: NDArray[np.int64], order: str) -> NDArray[np.int64]:
    if order == "document":
        return np.arange(len(found))
    if order in run.measures:
        return np.argsort(run.measures[order][found], kind="stable").astype(np.int64)
    step = -1 if order == "left" else 1
    keys = []
    for distance in range(1, DEPTH + 1):
        place = found + step * distance
        inside = (place >= run.bounds[document]) & (place < run.bounds[document + 1])
        rank = np.full(len(found), -1)
        rank[inside] = run.alphabetical[run.piece_ids[place[inside]]]
        keys.append(rank)
    return np.lexsort(keys[::-1]).astype(np.int64)
