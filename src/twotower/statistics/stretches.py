"""Long texts a stretch at a time: whole documents, so that nothing that is counted within one is cut."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

STRETCH = 1_000_000
"""Occurrences in a stretch, or as many as the last document takes."""


def stretches(document: NDArray[np.integer]) -> Iterator[slice]:
    """Slices of the occurrences that hold whole documents, in order; `document` (occurrences,), its number at each.

    All at once where documents are not in ascending order.
    """
    size = STRETCH
    if len(document) <= size or not bool((document[1:] >= document[:-1]).all()):
        yield slice(0, len(document))
        return
    begin = 0
    while begin < len(document):
        last = min(begin + size, len(document)) - 1
        end = int(np.searchsorted(document, document[last], side="right"))
        yield slice(begin, end)
        begin = end
