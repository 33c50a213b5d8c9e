"""Rows of whole sentences, `[CLS] … [SEP] … [SEP] [PAD] …`: the input of BERT, and of the reference for all families.

As in the reference a sentence ends with `.`, `!` or `?`; a row takes as many whole sentences as fit, and its first
[SEP] stands at the sentence end nearest to their middle. Unlike there, no row reads over the end of a document.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .tokenization import Vocabulary

Ids = NDArray[np.integer[Any]]
EXTRA = 3
"""[CLS] and twice [SEP]."""


def next_sentence(tokens: Ids, position: int, length: int, vocabulary: Vocabulary) -> tuple[int, int]:
    """The span of whole sentences with which a row of `length` begins that starts looking at `position`.

    The span begins after the first sentence end or separator at or after `position`; where there is none within two
    rows, at `position` itself. It ends as `sentence_groups` ends it.
    """
    reach = tokens[position : position + 4 * length]
    breaks = np.isin(reach, vocabulary.sentence_ends) | (reach == vocabulary.sep)
    ends = np.flatnonzero(breaks[: 2 * length])
    begin = int(ends[0]) + 1 if len(ends) else 0
    while begin < len(reach) and reach[begin] == vocabulary.sep:
        begin += 1
    if begin >= len(reach):  # the end of the stream: the last sentence before it
        begin = 0
        while begin < len(reach) - 1 and reach[begin] == vocabulary.sep:
            begin += 1
    separators = np.flatnonzero(reach[begin:] == vocabulary.sep)
    end = begin + int(separators[0]) if len(separators) else len(reach)
    return position + begin, _group_end(tokens, position + begin, position + max(end, begin), length, vocabulary)


def sentence_groups(tokens: Ids, begin: int, end: int, length: int, vocabulary: Vocabulary) -> list[tuple[int, int]]:
    """Cut the document from `begin` up to `end` into spans that each fill a row of `length` with whole sentences.

    A sentence that is longer than a row is cut where the row is full.
    """
    groups = []
    while begin < end:
        stop = _group_end(tokens, begin, end, length, vocabulary)
        groups.append((begin, stop))
        begin = stop
    return groups


def _group_end(tokens: Ids, begin: int, end: int, length: int, vocabulary: Vocabulary) -> int:
    full = min(end, begin + length - EXTRA)
    if full == end:
        return end
    ends = np.flatnonzero(np.isin(tokens[begin:full], vocabulary.sentence_ends))
    return begin + int(ends[-1]) + 1 if len(ends) else full


def fill_pair(
    row: NDArray[np.int64],
    tokens: Ids,
    begin: int,
    end: int,
    vocabulary: Vocabulary,
    places: NDArray[np.int64] | None = None,
) -> None:
    """Write the span from `begin` up to `end` into `row` as [CLS], one or two parts each with its [SEP], and [PAD].

    `places`, if given, gets for each token of the row its position in the stream, -1 for what was added.
    """
    text = tokens[begin:end]
    inner = np.flatnonzero(np.isin(text[:-1], vocabulary.sentence_ends)) + 1
    row[:] = vocabulary.pad
    row[0] = vocabulary.cls
    cuts = [0, len(text)]
    if len(inner):
        cuts.insert(1, int(inner[np.argmin(np.abs(inner - len(text) / 2))]))
    at = 1
    for start, stop in pairwise(cuts):
        size = stop - start
        row[at : at + size] = text[start:stop]
        row[at + size] = vocabulary.sep
        if places is not None:
            places[at : at + size] = np.arange(begin + start, begin + stop)
        at += size + 1
