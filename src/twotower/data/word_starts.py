"""Where the words of a text begin, as its tokenizer cuts them.

A word begins where the tokenizer's own pre-tokenizer begins one. Where that leaves punctuation on words, as
SentencePiece does, one also begins between punctuation and letters. Marks hold letters together: the pattern of GPT-2
cuts Hindi words before and after each vowel sign. In scripts without spaces (Chinese characters, kana, Thai, Lao,
Khmer, Burmese, …) every piece is a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer, models

from .characters import LETTER, MARK, OTHER, SPACE, UNSPACED, WHITE_SPACE, has_dependent, kind_of, kinds_of
from .pieces import read_pieces

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class DividedText:
    """The pieces of a text, each array (pieces,)."""

    ids: Ints
    begins: NDArray[np.bool_]
    """Whether a word begins here."""


@dataclass(frozen=True)
class EncodedText(DividedText):
    """The pieces of a text with the characters that they stand for, each array (pieces,)."""

    starts: Ints
    """The first character that a piece stands for; white space before it is left out. A space that the tokenizer
    writes as a piece of its own before a word starts where the word does."""
    ends: Ints
    """The character after the last one."""

    @property
    def words(self) -> Ints:
        """The number of the word, from 0, that each piece belongs to."""
        return np.cumsum(self.begins) - 1


NO_TEXT = EncodedText(np.empty(0, np.int64), np.empty(0, np.bool_), np.empty(0, np.int64), np.empty(0, np.int64))


def read_encoding(tokenizer: Tokenizer, text: str, encoding: Encoding) -> EncodedText:
    """What a tokenizer has made of a text, with where its words begin."""
    ids = np.asarray(encoding.ids, dtype=np.int64)
    if not len(ids):
        return NO_TEXT
    begin, end = (np.array(edges, dtype=np.int64) for edges in zip(*encoding.offsets, strict=True))
    number = np.array([-1 if word is None else word for word in encoding.word_ids], dtype=np.int64)
    kinds = np.append(kinds_of(text), SPACE)  # a last one, for pieces that stand for nothing at the end of the text
    # From each character on, the next that is no white space.
    visible = np.where(kinds == SPACE, len(kinds) - 1, np.arange(len(kinds)))
    visible = np.minimum.accumulate(visible[::-1])[::-1]
    starts = visible[begin]
    white = starts >= end
    starts = np.where(white, begin, starts)
    lone_space = _are_lone_spaces(tokenizer)[ids]
    same = number[1:] == number[:-1]
    first, last = kinds[np.minimum(starts[1:], len(text))], kinds[np.maximum(end[:-1] - 1, 0)]
    begins = ~same | white[1:] | (starts[1:] > begin[1:]) | (last == SPACE) | (first == UNSPACED)
    begins |= (last == UNSPACED) & ((first == LETTER) | (first == OTHER))
    begins |= (last == MARK) & (first == OTHER)
    if not _splits_punctuation(tokenizer):
        begins |= ((first == LETTER) & (last == OTHER)) | ((first == OTHER) & (last == LETTER))
    touching = starts[1:] == end[:-1]
    begins &= ~(touching & (first == MARK) & (last != SPACE) & (last != OTHER))
    begins &= ~(touching & (first == LETTER) & (last == MARK))
    goes_on = lone_space[:-1] & same & ~white[1:]
    begins &= ~goes_on
    begins &= ~((begin[1:] < end[:-1]) & same)  # bytes of one character
    starts[:-1] = np.where(goes_on, starts[1:], starts[:-1])
    return EncodedText(ids, np.append(True, begins), np.maximum.accumulate(starts), np.maximum(end, starts))


def pieces_suffice(tokenizer: Tokenizer, text: str) -> bool:
    """Whether the names of its pieces alone say where the words of a text begin, so that `read_ids` may read it.

    They do where the tokenizer marks pieces that go on with a word (WordPiece as in Devlin et al. 2019) and divides at
    white space and punctuation, and the text has neither marks on letters nor scripts without spaces.
    """
    return _marks_words(tokenizer) and not has_dependent(text)


def read_ids(tokenizer: Tokenizer, ids: Sequence[int]) -> DividedText:
    """What a tokenizer has made of a text of which `pieces_suffice`: the words are those of `read_encoding`."""
    pieces = np.array(ids, dtype=np.int64)
    return DividedText(pieces, ~_go_on(tokenizer)[pieces])


@lru_cache(maxsize=8)
def _marks_words(tokenizer: Tokenizer) -> bool:
    """Whether the model marks the pieces that go on with a word, no word can begin with that mark, and words end at
    white space and punctuation."""
    model = tokenizer.model
    if not isinstance(model, models.WordPiece) or not model.continuing_subword_prefix:
        return False
    if tokenizer.pre_tokenizer is None or not _splits_punctuation(tokenizer):
        return False
    probe = "".join(f"a{space}" for space in WHITE_SPACE) + model.continuing_subword_prefix + "a"
    normal = tokenizer.normalizer.normalize_str(probe) if tokenizer.normalizer else probe
    parts = [part for part, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal)]
    return parts[: len(WHITE_SPACE)] == ["a"] * len(WHITE_SPACE) and not any(
        part.startswith(model.continuing_subword_prefix) for part in parts
    )


@lru_cache(maxsize=8)
def _go_on(tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """Whether the name of each piece says that it goes on with a word, (pieces,)."""
    return np.array(read_pieces(tokenizer).go_on, dtype=bool)


@lru_cache(maxsize=8)
def _are_lone_spaces(tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """Whether each piece is one space and nothing else, (pieces,)."""
    return np.array([text == " " for text in read_pieces(tokenizer).texts], dtype=bool)


@lru_cache(maxsize=8)
def _splits_punctuation(tokenizer: Tokenizer) -> bool:
    """Whether the pre-tokenizer divides words from punctuation."""
    if tokenizer.pre_tokenizer is None:
        return False
    parts = [part.strip("▁Ġ") for part, _ in tokenizer.pre_tokenizer.pre_tokenize_str("a.b, (c) d")]
    return not any({LETTER, OTHER} <= {kind_of(char) for char in part} for part in parts)
