"""How often words, of one piece or of several, occur in the training text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer

from ...data.heldout import PreparedText
from ...data.tokenization import encode_batch
from ..occurrences import count_occurrences


def words_of(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[tuple[int, ...]]]:
    """The words of each text as the tokenizer cuts it, each as its piece ids."""
    by_text: list[list[tuple[int, ...]]] = []
    for encoded in encode_batch(tokenizer, texts):
        words = np.split(encoded.ids, np.flatnonzero(encoded.begins)[1:]) if len(encoded.ids) else []
        by_text.append([tuple(pieces.tolist()) for pieces in words])
    return by_text


def count_words(text: PreparedText, words: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], int]:
    """Occurrences in the training text of words that are given as piece ids."""
    distinct = sorted(set(words))
    return dict(zip(distinct, count_occurrences(text.train, distinct, text.begins).tolist(), strict=True))
