"""Applying a tokenizer: pieces, where words begin, and which ids have a role."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import compress

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from .pieces import read_pieces
from .word_starts import NO_TEXT, DividedText, EncodedText, pieces_suffice, read_encoding, read_ids

CHUNK = 20_000
"""Characters that one core encodes at a time: one encoding holds some hundred bytes per piece."""
MULTIPLE = 8
"""The model's vocabulary is padded to a multiple of this, which matrix products on GPUs like; as in the reference."""
SENTENCE_ENDS = frozenset(".!?。！？｡।॥؟۔։።።၊။។᙮⳹꓿")
"""What ends a sentence: `.`, `!` and `?` as in the reference, and their like in other scripts."""
ROLES = {
    "pad": ("[PAD]", "<pad>", "<|pad|>", "<|padding|>", "<PAD>"),
    "unknown": ("[UNK]", "<unk>", "<|unk|>", "<UNK>"),
    "cls": ("[CLS]", "<s>", "<cls>", "<bos>", "<|begin_of_text|>", "<|startoftext|>"),
    "sep": ("[SEP]", "</s>", "<|endoftext|>", "<|end_of_text|>", "<eos>", "<sep>"),
    "mask": ("[MASK]", "<mask>", "<|mask|>", "<MASK>"),
}
"""What tokenizers call the pieces that have a role; the first name is that of pieces which are added."""


@dataclass(frozen=True)
class Vocabulary:
    """The ids that have a role."""

    pad: int
    mask: int
    cls: int
    sep: int
    special: NDArray[np.int64]
    """The ids of all special tokens."""
    ordinary: NDArray[np.int64]
    """The ids of all other pieces; ids without a piece are in neither."""
    sentence_ends: NDArray[np.int64]
    """The ids of `SENTENCE_ENDS`, as far as the vocabulary has them."""
    unknown: int = -1
    """What stands for characters that the vocabulary cannot spell; -1 where it can spell all."""

    @property
    def never_targets(self) -> NDArray[np.int64]:
        """Padding and [CLS] are read but never predicted."""
        return np.array([self.pad, self.cls])


def vocabulary_of(tokenizer: Tokenizer) -> Vocabulary:
    """The ids that have a role in the vocabulary of a tokenizer that `load_tokenizer` or `train_tokenizer` gave."""
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    ids = {role: vocabulary[name] for role, name in role_names(tokenizer).items()}
    marked = [index for index, token in tokenizer.get_added_tokens_decoder().items() if token.special]
    special = np.array(sorted({*ids.values(), *marked}), dtype=np.int64)
    ends = [index for index, text in enumerate(read_pieces(tokenizer).texts) if text.strip() in SENTENCE_ENDS]
    return Vocabulary(
        pad=ids["pad"],
        mask=ids["mask"],
        cls=ids["cls"],
        sep=ids["sep"],
        unknown=ids.get("unknown", -1),
        special=special,
        ordinary=np.setdiff1d(np.array(sorted(vocabulary.values())), special),
        sentence_ends=np.setdiff1d(np.array(ends, dtype=np.int64), special),
    )


def role_names(tokenizer: Tokenizer) -> dict[str, str]:
    """What the tokenizer calls the pieces that have a role (`ROLES`); those that it lacks are left out."""
    name_of = {
        role: next(name for name in names if tokenizer.token_to_id(name) is not None)
        for role, names in ROLES.items()
        if any(tokenizer.token_to_id(name) is not None for name in names)
    }
    unknown = _unknown_of(tokenizer)
    return {**name_of, "unknown": unknown} if unknown else {k: v for k, v in name_of.items() if k != "unknown"}


def _unknown_of(tokenizer: Tokenizer) -> str | None:
    """What the model writes for what it cannot spell."""
    state = json.loads(tokenizer.model.__getstate__())
    if state.get("type") == "Unigram":
        return None if state["unk_id"] is None else str(state["vocab"][state["unk_id"]][0])
    name = state.get("unk_token")
    return str(name) if name and tokenizer.token_to_id(name) is not None else None


def padded_size(tokenizer: Tokenizer) -> int:
    """The vocabulary's size, ids without a piece included, up to a multiple of `MULTIPLE`."""
    highest = max(tokenizer.get_vocab(with_added_tokens=True).values())
    return padded(highest + 1)


def padded(pieces: int) -> int:
    """A number of pieces, up to a multiple of `MULTIPLE`."""
    return -(-pieces // MULTIPLE) * MULTIPLE


def chunks(text: str, limit: int = CHUNK) -> Iterator[tuple[int, int]]:
    """Spans that cover `text`, each at most `limit` characters and cut before white space, so that no word is divided:
    some tokenizers spell the space with the word after it.

    Within a run of more than `limit` characters without white space the cut falls anywhere.
    """
    start = 0
    while start < len(text):
        end = min(start + limit, len(text))
        if end < len(text):
            back = end
            while back > start and not (text[back].isspace() and not text[back - 1].isspace()):
                back -= 1
            end = back if back > start else end
        yield start, end
        start = end


def encode_batch(tokenizer: Tokenizer, texts: Sequence[str]) -> list[EncodedText]:
    """The pieces of each text, of any length; all cores are used. Special tokens in a text are text."""
    spans = _all_chunks(texts)
    encodings = tokenizer.encode_batch(
        [texts[number][start:end] for number, start, end in spans], add_special_tokens=False
    )
    parts: list[list[tuple[int, EncodedText]]] = [[] for _ in texts]
    for (number, start, end), encoding in zip(spans, encodings, strict=True):
        parts[number].append((start, read_encoding(tokenizer, texts[number][start:end], encoding)))
    written = _written(tokenizer)
    return [replace(text, ids=written[text.ids]) for text in map(_joined, parts)]


def divide_batch(tokenizer: Tokenizer, texts: Sequence[str]) -> list[DividedText]:
    """The pieces and words of `encode_batch` without their characters, which take half of the time to find."""
    spans = _all_chunks(texts)
    chunk_texts = [texts[number][start:end] for number, start, end in spans]
    suffice = [pieces_suffice(tokenizer, text) for text in chunk_texts]
    by_ids = iter(tokenizer.encode_batch_fast(list(compress(chunk_texts, suffice)), add_special_tokens=False))
    others = compress(chunk_texts, (not enough for enough in suffice))
    by_text = iter(tokenizer.encode_batch(list(others), add_special_tokens=False))
    parts: list[list[DividedText]] = [[NO_TEXT] for _ in texts]
    for (number, _, _), text, enough in zip(spans, chunk_texts, suffice, strict=True):
        divided = read_ids(tokenizer, next(by_ids).ids) if enough else read_encoding(tokenizer, text, next(by_text))
        parts[number].append(divided)
    written = _written(tokenizer)
    return [
        DividedText(
            written[np.concatenate([part.ids for part in document])],
            np.concatenate([part.begins for part in document]),
        )
        for document in parts
    ]


def _all_chunks(texts: Sequence[str]) -> list[tuple[int, int, int]]:
    """For each chunk of each text the number of the text, and where it starts and ends in it."""
    return [(number, start, end) for number, text in enumerate(texts) for start, end in chunks(text)]


@lru_cache(maxsize=8)
def _written(tokenizer: Tokenizer) -> NDArray[np.int64]:
    """What is written for each piece that a text has, (pieces,): [UNK] for pieces that no text may hold.

    Unigram finds the names of special tokens in its vocabulary. Without [UNK] every text is spelled otherwise.
    """
    known = vocabulary_of(tokenizer)
    written = np.arange(padded_size(tokenizer))
    if known.unknown >= 0:
        written[[known.pad, known.mask, known.cls, known.sep]] = known.unknown
    return written


def encode(tokenizer: Tokenizer, text: str) -> EncodedText:
    """The pieces of a text of any length."""
    return encode_batch(tokenizer, [text])[0]


def _joined(parts: Sequence[tuple[int, EncodedText]]) -> EncodedText:
    if not parts:
        return NO_TEXT
    return EncodedText(
        np.concatenate([part.ids for _, part in parts]),
        np.concatenate([part.begins for _, part in parts]),
        np.concatenate([start + part.starts for start, part in parts]),
        np.concatenate([start + part.ends for start, part in parts]),
    )
