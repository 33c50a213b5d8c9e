"""Training, loading and applying a WordPiece tokenizer (Hugging Face `tokenizers`)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from ..errors import InputError

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PREFIX = "##"
ALPHABET_LIMIT = 1000
CHUNK = 100_000
"""Characters encoded at a time: one encoding holds some hundred bytes per piece."""


def train_tokenizer(texts: Callable[[], Iterator[list[str]]], vocabulary: int) -> Tokenizer:
    """An uncased WordPiece tokenizer of `vocabulary` pieces.

    `texts()` is iterated twice; each item is a list of strings. The trainer of `tokenizers` numbers word-internal
    letters in hash order, so that two trainings on one text differ; here the alphabet is counted first and handed over
    in a fixed order, and the result depends on the text alone.
    """
    tokenizer = _empty_tokenizer({})
    counts: Counter[str] = Counter()
    for batch in texts():
        for text in batch:
            counts.update(tokenizer.normalizer.normalize_str(text))
    common = sorted((char for char in counts if not char.isspace()), key=lambda char: (-counts[char], char))
    alphabet = sorted(common[:ALPHABET_LIMIT])
    split = tokenizer.pre_tokenizer.pre_tokenize_str
    continuing = [PREFIX + char for char in alphabet if len(split("a" + char)) == 1]
    smallest = len(SPECIAL_TOKENS) + len(alphabet) + len(continuing)
    if vocabulary < smallest:
        raise InputError(
            f"prepare.vocabulary: {vocabulary} is too small: the letters of this corpus alone need {smallest} pieces"
        )
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        special_tokens=[*SPECIAL_TOKENS, *alphabet, *continuing],
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(), trainer)
    return _empty_tokenizer(tokenizer.get_vocab(with_added_tokens=True))


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in a `tokenizer.json`, or an uncased WordPiece tokenizer over a BERT `vocab.txt`.

    Raises `InputError` if the file is missing, unreadable, or lacks one of the special tokens.
    """
    if not path.is_file():
        raise InputError(f"prepare.tokenizer: {path} does not exist; give a tokenizer.json or a vocab.txt")
    try:
        if path.suffix == ".txt":
            pieces = path.read_text(encoding="utf-8").split("\n")
            tokenizer = _empty_tokenizer({piece.rstrip("\r"): index for index, piece in enumerate(pieces) if piece})
        else:
            tokenizer = Tokenizer.from_file(str(path))
    except UnicodeDecodeError as error:
        raise InputError(f"prepare.tokenizer: {path}: byte {error.start} is not UTF-8") from None
    except InputError:
        raise
    except Exception as error:  # `tokenizers` raises bare Exceptions
        raise InputError(f"prepare.tokenizer: {path} is not a tokenizer.json ({error})") from None
    missing = [token for token in SPECIAL_TOKENS if tokenizer.token_to_id(token) is None]
    if missing:
        raise InputError(f"prepare.tokenizer: {path} lacks {', '.join(missing)}; twotower needs a WordPiece vocabulary")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, path: Path) -> None:
    """Write `tokenizer.json`."""
    path.write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, indent=1), encoding="utf-8")


def special_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """The ids of the special tokens, by name (`[PAD]`, `[UNK]`, …)."""
    return {token: index for token in SPECIAL_TOKENS if (index := tokenizer.token_to_id(token)) is not None}


def chunks(text: str, limit: int = CHUNK) -> Iterator[tuple[int, int]]:
    """Spans that cover `text`, each at most `limit` characters and cut at white space, so that no word is divided.

    Within a run of more than `limit` characters without white space the cut falls anywhere.
    """
    start = 0
    while start < len(text):
        end = min(start + limit, len(text))
        if end < len(text):
            back = end
            while back > start and not text[back - 1].isspace():
                back -= 1
            end = back if back > start else end
        yield start, end
        start = end


def encode(tokenizer: Tokenizer, text: str) -> NDArray[np.int64]:
    """Piece ids of a text of any length. Special tokens in the text are text."""
    spans = [text[start:end] for start, end in chunks(text)]
    encodings = tokenizer.encode_batch_fast(spans, add_special_tokens=False)
    return np.concatenate([np.asarray(encoding.ids, dtype=np.int64) for encoding in encodings])


def encode_with_offsets(tokenizer: Tokenizer, text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Piece ids, and the character at which each piece begins in `text`; both of shape (pieces,)."""
    ids, starts = [], []
    for start, end in chunks(text):
        encoding = tokenizer.encode(text[start:end], add_special_tokens=False)
        ids.append(np.asarray(encoding.ids, dtype=np.int64))
        starts.append(start + np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)[:, 0])
    return np.concatenate(ids), np.concatenate(starts)


def _empty_tokenizer(vocabulary: dict[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix=PREFIX)
    if vocabulary:
        tokenizer.add_special_tokens([token for token in SPECIAL_TOKENS if token in vocabulary])
    tokenizer.encode_special_tokens = True
    return tokenizer
