"""Words that several tokenizers can be compared by: where all of them begin a token, and sums over these words.

The white space before a word belongs to its first token in most tokenizers. So the tokens of a word hold the
probability that it begins but not that it ends, which the token after it holds. The correction of Pimentel and Meister
(2024) and Oh and Schuler (2024) takes the former out and puts the latter in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from ..data.characters import LETTER, MARK, kinds_of

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Units:
    """The units of one document, each array (units,)."""

    starts: Ints
    """The first character of each; a unit reaches to the next one."""
    ends: Ints
    """The character after its last word."""
    word: Ints
    """The number of its word among those of the document; -1 where it holds several, or none."""


def common_units(text: str, words: NDArray[np.integer], token_starts: Sequence[NDArray[np.integer]]) -> Units:
    """Units that begin where a word begins and every tokenizer begins a token.

    `words` (words, 2) are first character and end of each word, in order; `token_starts` the first characters of the
    tokens, for each tokenizer. Words that a tokenizer does not divide are one unit. What stands before the first word
    goes with it.
    """
    first = min((int(starts[0]) for starts in token_starts if len(starts)), default=0)
    shared = reduce(np.intersect1d, [np.asarray(words[:, 0], dtype=np.int64), *map(np.unique, token_starts)])
    starts = np.union1d(shared[1:] if len(shared) and first < shared[0] else shared, [first]).astype(np.int64)
    bounds = np.append(starts, len(text))
    unit_of = np.searchsorted(starts, words[:, 0], side="right") - 1
    held = np.bincount(unit_of[unit_of >= 0], minlength=len(starts))
    number = np.full(len(starts), -1, dtype=np.int64)
    number[unit_of] = np.arange(len(words))
    number[held != 1] = -1
    ends = np.minimum(bounds[1:], len(text))
    last = np.full(len(starts), -1, dtype=np.int64)
    np.maximum.at(last, unit_of, np.asarray(words[:, 1], dtype=np.int64))
    ends = np.where(last > starts, np.minimum(last, ends), ends)
    return Units(starts, ends, number)


def sums_over(units: Units, token_starts: NDArray[np.integer], values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Sums of token values over the units that they begin in, (units,); NaN where any of them is."""
    return np.add.reduceat(values.astype(np.float64), first_tokens(units, token_starts))


def end_of_word_corrections(
    text: str, units: Units, token_starts: NDArray[np.integer], token_ends: NDArray[np.integer],
    beginnings: NDArray[np.floating],
) -> NDArray[np.float64]:  # fmt: skip
    """The correction of each unit's sum, (units,): the log-probability that it ends, less that the unit before ends.

    `beginnings` (tokens,) is the log-probability that a word begins at a token. Where the token before ends in white
    space or punctuation, and at either end of a document, a unit ends for certain.
    """
    first = first_tokens(units, token_starts)
    kinds = kinds_of(text)
    before = kinds[np.maximum(token_ends[np.maximum(first - 1, 0)] - 1, 0)]
    open_end = (first > 0) & ((before == LETTER) | (before == MARK))
    at_own_end = np.where(open_end, beginnings[first], 0.0)
    return np.append(at_own_end[1:], 0.0) - at_own_end


def first_tokens(units: Units, token_starts: NDArray[np.integer]) -> Ints:
    """The first token of each unit, (units,)."""
    first = np.searchsorted(token_starts, units.starts)
    first[0] = 0
    return first.astype(np.int64)
