"""Windows over a long text that predict every token once, with as much context as the stride allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Windows:
    """Rows of a stream of tokens, each array (rows,): row k reads `start` to `stop`, and predicts from `first` on.

    A causal row predicts the tokens `first` to `stop` (the last of which it does not read); a row that reads both
    directions predicts the tokens `first` to `last`, all of which it reads.
    """

    start: Indices
    stop: Indices
    first: Indices
    last: Indices


def causal_windows(begin: int, tokens: int, window: int, step: int) -> Windows:
    """Rows over the `tokens` tokens of a stream that begins at `begin`; the first of them is never predicted.

    The first row reads up to `window` tokens and predicts each next one. Every further row predicts the next `step`
    tokens and reads the `window` tokens before the last of these: with a step of half a window each of them has half a
    window of context or more. With a step of a whole window these are the rolling windows of lm-evaluation-harness.
    """
    last = tokens - 1  # the last token that is predicted
    ends = [min(window, last), *range(min(window, last) + step, last + step, step)] if last > 0 else []
    stop = np.minimum(np.asarray(ends, dtype=np.int64), max(0, last))
    start = np.maximum(0, stop - window)
    first = np.concatenate([[1], stop[:-1] + 1])[: len(stop)].astype(np.int64)
    return Windows(begin + start, begin + stop, begin + first, begin + stop + 1)


def surrounding_windows(begin: int, tokens: int, window: int, step: int) -> Windows:
    """Rows over the tokens of a stream for models that read both directions; every token is in the middle of one.

    A text that fits is one row. Otherwise rows move on by `step`, and each predicts what lies around its middle, the
    first and the last one also the beginning and the end of the text.
    """
    starts = [0]
    while starts[-1] + window < tokens:
        starts.append(min(starts[-1] + step, tokens - window))
    start = np.asarray(starts, dtype=np.int64)
    stop = np.minimum(start + window, tokens)
    between = (stop[:-1] + start[1:]) // 2  # the middle of what two rows share
    first, last = np.concatenate([[0], between]), np.concatenate([between, [tokens]])
    return Windows(begin + start, begin + stop, begin + first, begin + last)
