"""Very many documents as blocks of neighbours, which are resampled in their place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST = 10_000
"""Blocks. An interval from so many units is as wide as one from any larger number, to about a hundredth."""


def blocks_of(documents: int) -> NDArray[np.int32]:
    """The block of each document, numbered from 0 in the order of the text, (documents,).

    Up to `MOST` documents each is a block of its own. More are put together with their neighbours, as many in each
    block as in any other, within one. A bootstrap over blocks allows for dependence between neighbours too (Künsch
    1989), and it costs the same for ten million documents as for ten thousand.
    """
    found: NDArray[np.int64] = np.arange(documents)
    return (found if documents <= MOST else found * MOST // documents).astype(np.int32)
