"""Rows of unlike length in batches of about so many tokens, which are halved where memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


class Batches:
    """Hands rows to a function in batches; what once did not fit into memory is not tried again."""

    def __init__(self, tokens: int, say: Callable[[str], None] = lambda _: None) -> None:
        self.tokens, self._say = tokens, say

    def each(self, lengths: Sequence[int] | Indices, work: Callable[[Indices], None]) -> Iterator[Indices]:
        """Do `work` on the numbers of the rows of each batch, longest rows first, and say which were done.

        `lengths` are the tokens of each row, (rows,). A batch has rows of similar length to keep padding short. Raises
        the library's own error where a single row does not fit.
        """
        from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size

        order = np.argsort(-np.asarray(lengths), kind="stable")
        done = 0
        while done < len(order):
            longest = int(lengths[order[done]])
            chosen = order[done : done + max(1, self.tokens // max(1, longest))]
            try:
                work(chosen)
            except RuntimeError as error:
                if len(chosen) == 1 or not should_reduce_batch_size(error):
                    raise
                self.tokens = len(chosen) // 2 * longest
                clear_device_cache()
                self._say(f"score: memory ran out; going on with batches of {self.tokens:,} tokens")
                continue
            done += len(chosen)
            yield chosen
