"""What has the same key, numbered by a table where keys are few, and else by one sort.

`numpy.unique` sorts indices; here a key and its place are one number, and sorting numbers takes a third of the time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
FEW = 8
"""Keys for each place up to which numbering them by a table is faster than sorting."""


def numbered(key: Numbers) -> tuple[Numbers, Numbers]:
    """The keys that occur, ascending, and the number among them of the key at each place, (places,)."""
    most = int(key.max(initial=0)) + 1
    if most <= FEW * len(key):
        occurs = np.zeros(most, dtype=bool)
        occurs[key] = True
        keys = np.flatnonzero(occurs)
        number_of = np.empty(most, np.int32)  # half of the memory, since there are more of these than of places
        number_of[keys] = np.arange(len(keys))
        return keys, number_of[key].astype(np.int64)
    ordered, order = _sorted(key)
    begins = np.ones(len(key), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=begins[1:])
    number = np.empty(len(key), np.int64)
    number[order] = np.cumsum(begins) - 1
    return ordered[begins], number


def _sorted(key: Numbers) -> tuple[Numbers, Numbers]:
    """The keys in ascending order, and their places, which ascend where keys are equal."""
    bits = len(key).bit_length()
    if int(key.max(initial=0)).bit_length() + bits > 63:  # a key and its place do not fit one number
        order = np.argsort(key, kind="stable")
        return key[order], order
    ordered = key << bits
    ordered |= np.arange(len(key))
    ordered.sort()
    order = ordered & ((1 << bits) - 1)
    ordered >>= bits
    return ordered, order
