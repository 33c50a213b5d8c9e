"""Training, loading and applying a WordPiece tokenizer (Hugging Face `tokenizers`)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from ..errors import InputError
from .hub import asking_the_hub

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PREFIX = "##"
ALPHABET_LIMIT = 1000
CHUNK = 20_000
"""Characters that one core encodes at a time: one encoding holds some hundred bytes per piece."""


SENTENCE_ENDS = (".", "!", "?")
MULTIPLE = 8
"""The model's vocabulary is padded to a multiple of this, which matrix products on GPUs like; as in the reference."""


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
    """The ids of `.`, `!` and `?`, as far as the vocabulary has them."""

    @property
    def never_targets(self) -> NDArray[np.int64]:
        """[PAD] and [CLS] are read but never predicted."""
        return np.array([self.pad, self.cls])


def vocabulary_of(tokenizer: Tokenizer) -> Vocabulary:
    """The ids that have a role in a tokenizer's vocabulary."""
    ids = special_ids(tokenizer)
    special = np.array(sorted(ids.values()))
    ends = [index for piece in SENTENCE_ENDS if (index := tokenizer.token_to_id(piece)) is not None]
    return Vocabulary(
        pad=ids["[PAD]"],
        mask=ids["[MASK]"],
        cls=ids["[CLS]"],
        sep=ids["[SEP]"],
        special=special,
        ordinary=np.setdiff1d(np.array(sorted(tokenizer.get_vocab(with_added_tokens=True).values())), special),
        sentence_ends=np.array(ends, dtype=np.int64),
    )


def padded_size(tokenizer: Tokenizer) -> int:
    """The vocabulary's size, ids without a piece included, up to a multiple of `MULTIPLE`."""
    highest = max(tokenizer.get_vocab(with_added_tokens=True).values())
    return padded(highest + 1)


def padded(pieces: int) -> int:
    """A number of pieces, up to a multiple of `MULTIPLE`."""
    return -(-pieces // MULTIPLE) * MULTIPLE


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


def load_tokenizer(name: str | Path) -> Tokenizer:
    """The tokenizer in a `tokenizer.json`, an uncased WordPiece tokenizer over a BERT `vocab.txt`, or one from the hub.

    `name` is a file, a folder that holds one of the two, or a name on the Hugging Face hub. Raises `InputError` if it
    cannot be loaded, or lacks one of the special tokens.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        found = [path / file for file in ("tokenizer.json", "vocab.txt") if (path / file).is_file()]
        if not found:
            raise InputError(f"prepare.tokenizer: the folder {path} holds neither tokenizer.json nor vocab.txt")
        path = found[0]
    if path.is_file():
        tokenizer = _read_tokenizer(path)
    elif path.suffix in (".json", ".txt") or path.is_absolute() or str(name).startswith("."):
        raise InputError(f"prepare.tokenizer: {path} does not exist; give a tokenizer.json or a vocab.txt")
    else:
        tokenizer = _download_tokenizer(str(name))
    missing = [token for token in SPECIAL_TOKENS if tokenizer.token_to_id(token) is None]
    if missing:
        raise InputError(f"prepare.tokenizer: {name} lacks {', '.join(missing)}; twotower needs a WordPiece vocabulary")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    return tokenizer


def _read_tokenizer(path: Path) -> Tokenizer:
    try:
        if path.suffix == ".txt":
            pieces = path.read_text(encoding="utf-8").split("\n")
            return _empty_tokenizer({piece.rstrip("\r"): index for index, piece in enumerate(pieces) if piece})
        return Tokenizer.from_file(str(path))
    except UnicodeDecodeError as error:
        raise InputError(f"prepare.tokenizer: {path}: byte {error.start} is not UTF-8") from None
    except Exception as error:  # `tokenizers` raises bare Exceptions
        raise InputError(f"prepare.tokenizer: {path} is not a tokenizer.json ({error})") from None


def _download_tokenizer(name: str) -> Tokenizer:
    from huggingface_hub import hf_hub_download

    try:
        with asking_the_hub(name):
            file = hf_hub_download(name, "tokenizer.json")
        return Tokenizer.from_file(file)
    except Exception as error:  # the hub's, HTTP's, the file system's and `tokenizers`' own errors
        raise InputError(
            f"prepare.tokenizer: {name!r} is not a file here and cannot be loaded from the Hugging Face hub "
            f"({type(error).__name__}); download its vocab.txt or tokenizer.json and give that file's path"
        ) from error


def save_tokenizer(tokenizer: Tokenizer, path: Path) -> None:
    """Write `tokenizer.json`."""
    path.write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, indent=1), encoding="utf-8")


def save_for_transformers(tokenizer: Path, folder: Path, objective: str, windows: str) -> None:
    """Write into `folder` a tokenizer for `AutoTokenizer` that frames a text as in training.

    That is a [SEP] on either side for contiguous windows, [CLS] and [SEP] for `pairs`; under the causal objective
    nothing comes after the text.
    """
    from transformers import PreTrainedTokenizerFast

    fast = load_tokenizer(tokenizer)
    first = "[CLS]" if windows == "pairs" else "[SEP]"
    last = "" if objective == "causal" else " [SEP]"
    ids = [(token, index) for token, index in special_ids(fast).items() if token in ("[CLS]", "[SEP]")]
    fast.post_processor = processors.TemplateProcessing(
        single=f"{first} $A{last}", pair=f"{first} $A [SEP] $B{last}", special_tokens=ids
    )
    fast.encode_special_tokens = False  # tools write [MASK] and the like into a text and mean them
    PreTrainedTokenizerFast(
        tokenizer_object=fast, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]", bos_token=first, eos_token="[SEP]",
        model_input_names=["input_ids", "attention_mask"],
    ).save_pretrained(folder)  # fmt: skip


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


def encode_batch(tokenizer: Tokenizer, texts: Sequence[str]) -> list[NDArray[np.int64]]:
    """Piece ids of each text, of any length; all cores are used. Special tokens in a text are text."""
    spans = [(number, text[start:end]) for number, text in enumerate(texts) for start, end in chunks(text)]
    encodings = tokenizer.encode_batch_fast([span for _, span in spans], add_special_tokens=False)
    parts: list[list[NDArray[np.int64]]] = [[] for _ in texts]
    for (number, _), encoding in zip(spans, encodings, strict=True):
        parts[number].append(np.asarray(encoding.ids, dtype=np.int64))
    return [np.concatenate(part) if part else np.empty(0, dtype=np.int64) for part in parts]


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
