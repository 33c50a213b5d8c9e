"""Rows of unlike length in batches of about equally many tokens, which are halved where memory runs out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..system.processes import ALONE, Processes

Indices = NDArray[np.int64]


class Batches:
    """Hands rows to a function in batches; a size that once did not fit into memory is not tried again."""

    def __init__(self, tokens: int, say: Callable[[str], None] = lambda _: None) -> None:
        self.tokens, self._say = tokens, say

    def share(self, lengths: Sequence[int] | Indices, processes: Processes = ALONE) -> list[Indices]:
        """The batches of this process, as numbers of rows, longest rows first.

        `lengths` are the tokens of each row, (rows,). A batch has rows of similar length to keep padding short.
        Processes take turns, so that batches, and so all figures, are those of a single process.
        """
        order = np.argsort(-np.asarray(lengths), kind="stable")
        return self._divided(order, lengths)[processes.rank :: processes.count]

    def _divided(self, rows: Indices, lengths: Sequence[int] | Indices) -> list[Indices]:
        batches, start = list[Indices](), 0
        while start < len(rows):
            batches.append(rows[start : start + max(1, self.tokens // max(1, int(lengths[rows[start]])))])
            start += len(batches[-1])
        return batches

    def each(
        self, share: Sequence[Indices], lengths: Sequence[int] | Indices, work: Callable[[Indices], None]
    ) -> Iterator[Indices]:
        """Do `work` on the rows of each batch of a `share`, and yield them.

        Raises the library's own error where a single row does not fit.
        """
        from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size

        waiting = deque(share)
        while waiting:
            chosen = waiting[0]
            try:
                work(chosen)
            except RuntimeError as error:
                if len(chosen) == 1 or not should_reduce_batch_size(error):
                    raise
                self.tokens = len(chosen) // 2 * int(lengths[chosen[0]])
                waiting = deque(part for batch in waiting for part in self._divided(batch, lengths))
                clear_device_cache()
                self._say(f"score: memory ran out; going on with batches of {self.tokens:,} tokens")
                continue
            waiting.popleft()
            yield chosen
