"""Strata of training frequency, and permutation within them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats


def frequency_strata(frequency: NDArray[np.integer], strata: int) -> NDArray[np.int64]:
    """Stratum (0: rarest) of each type by its training frequency: equal numbers of types. Shape (types,)."""
    ranks = stats.rankdata(frequency, method="average")
    return np.minimum((ranks - 0.5) * strata / max(len(frequency), 1), strata - 1).astype(np.int64)
