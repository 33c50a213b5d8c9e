"""Parts of a comparison that do not need each other, on all cores."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from threadpoolctl import threadpool_limits

from ..system.processes import usable_cores
from ..system.progress import Progress

MOST = 4
"""Parts at a time: each holds its runs in memory."""


def together(parts: Mapping[Hashable, Callable[[], Any]]) -> dict[Hashable, Any]:
    """What each part returns, by its key, with a line of progress.

    They are threads, since array operations let go of Python's lock. Each has one thread for its products, so that the
    number of cores changes no figure. After an error no further part begins.
    """
    with (
        threadpool_limits(1),
        Progress("compare", total=len(parts), unit="comparison") as progress,
        ThreadPoolExecutor(min(MOST, usable_cores())) as pool,
    ):
        futures = {key: pool.submit(part) for key, part in parts.items()}
        try:
            for future in as_completed(futures.values()):
                future.result()
                progress.advance(1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return {key: future.result() for key, future in futures.items()}
