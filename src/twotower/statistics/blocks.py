"""Very many documents as blocks of neighbours, which are resampled in their place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST = 2_000
"""Blocks. A standard error from so many units has one of its own of 1.6 %, one in the root of twice as many."""


def blocks_of(documents: int) -> NDArray[np.int32]:
    """The block of each document, numbered from 0 in the order of the text, (documents,).

    Up to `MOST` documents each is a block of its own. More are put together with their neighbours, as many in each
    block as in any other, within one. A bootstrap over blocks allows for dependence between neighbours too (Künsch
    1989), and it costs the same for ten million documents as for two thousand.
    """
    places: NDArray[np.int64] = np.arange(documents)
    return (places if documents <= MOST else places * MOST // documents).astype(np.int32)
