"""How often words, of one piece or of several, occur in the training text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..data.heldout import PreparedText
from ..data.tokenization import PREFIX

CHUNK = 1 << 22
"""Tokens of the stream at a time."""
LONGEST = 64
"""Pieces of a word that tell it from others."""
_POWERS = np.cumprod(np.full(LONGEST, 0x9E3779B97F4A7C15, dtype=np.uint64), dtype=np.uint64)
Hashes = NDArray[np.uint64]


def words_of(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[tuple[int, ...]]]:
    """The words of each text as the tokenizer cuts it, each as its piece ids."""
    found: list[list[tuple[int, ...]]] = []
    for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False):
        words: dict[int, list[int]] = {}
        for piece, word in zip(encoding.ids, encoding.word_ids, strict=True):
            words.setdefault(-1 if word is None else word, []).append(piece)
        found.append([tuple(pieces) for pieces in words.values()])
    return found


def count_words(text: PreparedText, words: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], int]:
    """Occurrences in the training text of words that are given as piece ids.

    The stream is read once, in parts; words are compared by a hash of 64 bits over their pieces.
    """
    distinct = sorted(set(words))
    wanted = np.array([int(_hashes(np.asarray(word, dtype=np.uint64), np.zeros(1, np.int64))[0]) for word in distinct],
                      dtype=np.uint64)  # fmt: skip
    order = np.argsort(wanted)
    counts = np.zeros(len(distinct), dtype=np.int64)
    continues = np.array([piece.startswith(PREFIX) and len(piece) > len(PREFIX) for piece in text.pieces])
    stream, begin = text.train, 0
    while begin < len(stream) and distinct:
        part = np.asarray(stream[begin : begin + CHUNK], dtype=np.int64)
        starts = np.flatnonzero(~continues[part])
        if begin + len(part) < len(stream) and len(starts) > 1:
            part, starts = part[: starts[-1]], starts[:-1]  # the last word may go on in the next part
        begin += len(part)
        if not len(starts):
            continue
        found = _hashes(part[starts[0] :].astype(np.uint64), starts - starts[0])
        place = np.searchsorted(wanted, found, sorter=order)
        hit = place < len(wanted)
        hit[hit] = wanted[order[place[hit]]] == found[hit]
        counts += np.bincount(order[place[hit]], minlength=len(distinct))
    return dict(zip(distinct, counts.tolist(), strict=True))


def _hashes(pieces: Hashes, starts: NDArray[np.int64]) -> Hashes:
    """A number for each word: `pieces` (pieces,), of which words begin at `starts` (words,)."""
    lengths = np.diff(np.append(starts, len(pieces)))
    within = np.arange(len(pieces)) - np.repeat(starts, lengths)
    terms = (pieces + np.uint64(1)) * _POWERS[np.minimum(within, LONGEST - 1)]
    summed: NDArray[Any] = np.add.reduceat(terms, starts)
    return summed.astype(np.uint64)
