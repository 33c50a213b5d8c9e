"""Keeps freed memory for the next tensor, instead of returning it to the system and faulting it in page by page.

glibc gives large blocks back when they are freed, and a step of training frees and takes the same ones again: up to
150,000 page faults an update, 3 to 15 % of its time (docs/performance.md).
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Numbers of `mallopt`'s parameters, and below their usual values: <malloc.h> and mallopt(3)."""
USUAL_TRIM_THRESHOLD, USUAL_MMAP_MAX = 128 << 10, 65_536
LARGEST = 2**31 - 1


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Within, the process keeps what is freed; at the end it gives it back. Without glibc, nothing changes."""
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_MAX, 0)
    libc.mallopt(M_TRIM_THRESHOLD, LARGEST)
    try:
        yield
    finally:
        libc.mallopt(M_MMAP_MAX, USUAL_MMAP_MAX)
        libc.mallopt(M_TRIM_THRESHOLD, USUAL_TRIM_THRESHOLD)
        libc.malloc_trim(0)
