"""What has the same key, put together by a table where keys are few, and else by one sort.

`numpy.unique` sorts indices; here a key and its place are one number, and sorting numbers takes a third of the time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .tallies import Floats

Numbers = NDArray[np.int64]
FEW = 4
"""Keys for each place up to which numbering them by a table is faster than sorting; sums of rows: one."""


def numbered(key: Numbers) -> tuple[Numbers, Numbers]:
    """The keys that occur, ascending, and the number among them of the key at each place, (places,)."""
    most = int(key.max(initial=0)) + 1
    if most <= FEW * len(key):
        occurs = np.zeros(most, dtype=bool)
        occurs[key] = True
        keys = np.flatnonzero(occurs)
        number_of = np.empty(most, np.int64)
        number_of[keys] = np.arange(len(keys))
        return keys, number_of[key]
    ordered, order = _sorted(key)
    number = np.empty(len(key), np.int64)
    keys, number[order] = runs(ordered)
    return keys, number


def sums_by_key(key: Numbers, rows: Floats) -> tuple[Numbers, Floats]:
    """Keys, ascending, and the sums of the `rows` (places, columns) of each, (keys, columns), added in their order.

    All keys that occur are there; others may be, with sums of 0.
    """
    most, ones = int(key.max(initial=0)) + 1, np.ones(len(key))
    if most <= len(key):
        added = sparse.csc_array((ones, key, np.arange(len(key) + 1)), shape=(most, len(key))) @ rows
        return np.arange(most), np.asarray(added)
    ordered, order = _sorted(key)
    starts = _starts(ordered)
    added = sparse.csr_array((ones, order, np.append(starts, len(key))), shape=(len(starts), len(key))) @ rows
    return ordered[starts], np.asarray(added)


def runs(ordered: Numbers) -> tuple[Numbers, Numbers]:
    """The value of each run of equal ones, (runs,), and the run that each place is in, (places,)."""
    starts = _starts(ordered)
    return ordered[starts], np.repeat(np.arange(len(starts)), np.diff(starts, append=len(ordered)))


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


def _starts(ordered: Numbers) -> Numbers:
    """Where runs of equal values begin, (runs,)."""
    begins = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=begins[1:])
    return np.flatnonzero(begins)
