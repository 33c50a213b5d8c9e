"""The tokens of all documents under one tokenizer, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..data.characters import LETTER, MARK, kind_of
from ..data.pieces import GOES_ON, read_pieces
from ..data.word_starts import EncodedText, read_encoding

Ints = NDArray[np.int64]
TOGETHER = 64
"""Documents that are encoded together."""


@dataclass(frozen=True)
class Encoded:
    """Tokens of documents, each array (tokens,) but for `first`."""

    ids: NDArray[np.int32]
    starts: NDArray[np.int32]
    """The first character that a token stands for, white space before it left out, in its document."""
    ends: NDArray[np.int32]
    """The character after the last one."""
    begins: NDArray[np.bool_]
    """Whether a word begins here (see `data.word_starts`)."""
    word: NDArray[np.int32]
    """The number of the word in its document, as the tokenizer itself divides text before it looks for pieces."""
    first: Ints
    """Where each document begins and, last, the number of tokens, (documents + 1,)."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def document(self) -> NDArray[np.int32]:
        """The place of each token's document, from 0, (tokens,)."""
        return np.repeat(np.arange(len(self.first) - 1, dtype=np.int32), np.diff(self.first))

    def of(self, document: int) -> slice:
        """The tokens of a document."""
        return slice(int(self.first[document]), int(self.first[document + 1]))

    def same_as(self, other: Encoded) -> bool:
        """Whether these are the same tokens at the same characters."""
        return (
            np.array_equal(self.first, other.first) and np.array_equal(self.ids, other.ids)
            and np.array_equal(self.starts, other.starts)
        )  # fmt: skip


def encode_documents(tokenizer: Tokenizer, texts: Sequence[str]) -> Encoded:
    """Divide each text as a whole, as the model's own tokenizer does, without special tokens."""
    read, words = list[EncodedText](), list[NDArray[np.int32]]()
    for start in range(0, len(texts), TOGETHER):
        group = texts[start : start + TOGETHER]
        for text, encoding in zip(group, tokenizer.encode_batch(group, add_special_tokens=False), strict=True):
            read.append(read_encoding(tokenizer, text, encoding))
            words.append(np.array([-1 if word is None else word for word in encoding.word_ids], dtype=np.int32))
    return Encoded(
        np.concatenate([document.ids for document in read]).astype(np.int32),
        np.concatenate([document.starts for document in read]).astype(np.int32),
        np.concatenate([document.ends for document in read]).astype(np.int32),
        np.concatenate([document.begins for document in read]),
        np.concatenate(words),
        np.cumsum([0, *(len(document.ids) for document in read)]).astype(np.int64),
    )


def encoded_tokens(documents: Sequence[Sequence[str]]) -> tuple[Encoded, list[str]]:
    """The tokens of a table, whose texts joined together are the documents, and the name of each id."""
    numbers: dict[str, int] = {}
    ids = [numbers.setdefault(token, len(numbers)) for tokens in documents for token in tokens]
    starts, ends, begins = list[int](), list[int](), list[bool]()
    for tokens in documents:
        edges = np.cumsum([0, *map(len, tokens)]).tolist()
        for token, (begin, end) in zip(tokens, pairwise(edges), strict=True):
            visible = begin + len(token) - len(token.lstrip())
            starts.append(visible if token.strip() else begin)
            ends.append(end)
            begins.append(begin == 0 or visible > begin)
    first = np.cumsum([0, *map(len, documents)]).astype(np.int64)
    encoded = Encoded(
        np.array(ids, np.int32), np.array(starts, np.int32), np.array(ends, np.int32), np.array(begins, bool),
        np.zeros(len(ids), np.int32), first,
    )  # fmt: skip
    return encoded, [label_of(token) for token in numbers]


def label_of(token: str) -> str:
    """What a token of text is called: without white space, after `##` where it goes on with a word."""
    visible = token.strip() or repr(token)[1:-1]
    if not visible:  # one of several tokens that are the bytes of one character
        return ""
    goes_on = token[0] == visible[0] and kind_of(visible[0]) in (LETTER, MARK)
    return GOES_ON + visible if goes_on else visible


def word_beginning_pieces(tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """Which entries of the vocabulary can follow a whole word, (vocabulary,): all but those that go on with one.

    That is what begins with white space or with punctuation, what is not marked as a continuation, and the special
    tokens, among them the end of the text.
    """
    return np.array([not label.startswith(GOES_ON) for label in read_pieces(tokenizer).labels], dtype=bool)
