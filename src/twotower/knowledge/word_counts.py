"""How often words, of one piece or of several, occur in the training text."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer

from ..data.heldout import PreparedText
from .occurrences import count_occurrences


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
    """Occurrences in the training text of words that are given as piece ids."""
    distinct = sorted(set(words))
    return dict(zip(distinct, count_occurrences(text.train, distinct, text.continues).tolist(), strict=True))
