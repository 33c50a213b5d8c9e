"""Loading and saving tokenizers: WordPiece, byte-level BPE, Unigram and SentencePiece, as a `tokenizer.json`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, normalizers, processors

from ..system.errors import InputError
from .characters import visible_normalizer
from .hub import asking_the_hub
from .tokenization import ROLES, role_names
from .tokenizer_training import wordpiece

_CONVERTED = (
    "; `python -c \"from transformers import AutoTokenizer; AutoTokenizer.from_pretrained('FOLDER', use_fast=True)"
    ".save_pretrained('FOLDER')\"` writes the tokenizer.json of a folder that has its configuration"
)
_OTHER_FILES = ("vocab.json", "merges.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.bpe")
MOST_IDS = 10
"""Ids for each piece; some tokenizers leave a few unused."""
_PROBES = ("The state, and the union.", "囍 ꙮ")
"""Ordinary text, and characters that few vocabularies have."""


def load_tokenizer(name: str | Path) -> Tokenizer:
    """The tokenizer in a `tokenizer.json`, a WordPiece tokenizer over a BERT `vocab.txt`, or one from the hub.

    `name` is a file, a folder that holds one of the two, or a name on the Hugging Face hub. Where it has no piece for
    a role that the towers need ([PAD], [CLS], [SEP], [MASK]; see `ROLES` for other names), one is added; invisible
    characters are left out before its own normalization. Raises `InputError` if it cannot be loaded, loses what it
    cannot spell, or does not say which characters its pieces stand for.
    """
    path = Path(os.path.expanduser(name))
    if os.path.isdir(path):  # no error for a name too long
        files = [path / file for file in ("tokenizer.json", "vocab.txt") if (path / file).is_file()]
        if not files:
            others = [file for file in _OTHER_FILES if (path / file).is_file()]
            raise InputError(
                f"prepare.tokenizer: the folder {path} holds neither tokenizer.json nor vocab.txt"
                + (f", but {others[0]}{_CONVERTED}" if others else "")
            )
        path = files[0]
    if os.path.isfile(path):
        tokenizer = _read_tokenizer(path)
    elif path.suffix in (".json", ".txt") or path.is_absolute() or str(name).startswith("."):
        raise InputError(f"prepare.tokenizer: {path} does not exist; give a tokenizer.json or a vocab.txt")
    else:
        tokenizer = _download_tokenizer(str(name))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    _require_readable(tokenizer, str(name))
    _add_roles(tokenizer, str(name))
    _leave_out_invisible(tokenizer)
    return tokenizer


def _read_tokenizer(path: Path) -> Tokenizer:
    if path.name in _OTHER_FILES or path.suffix in (".model", ".tiktoken"):
        raise InputError(f"prepare.tokenizer: {path} is no tokenizer.json{_CONVERTED}")
    try:
        if path.suffix == ".txt":
            return _over_vocabulary(path)
        return Tokenizer.from_file(str(path))
    except InputError:
        raise
    except UnicodeDecodeError as error:
        raise InputError(f"prepare.tokenizer: {path}: byte {error.start} is not UTF-8") from None
    except Exception as error:  # `tokenizers` raises bare Exceptions
        raise InputError(f"prepare.tokenizer: {path} is not a tokenizer.json ({error})") from None


def _over_vocabulary(path: Path) -> Tokenizer:
    """BERT's tokenizer over its vocabulary: uncased, accents stripped, unless pieces have capitals."""
    pieces = [piece.rstrip("\r") for piece in path.read_text(encoding="utf-8-sig").split("\n")]
    vocabulary = {piece: index for index, piece in enumerate(pieces) if piece}
    if "[UNK]" not in vocabulary:
        raise InputError(
            f"prepare.tokenizer: {path} lacks [UNK]; a WordPiece vocab.txt has a piece a line, [UNK] and the like first"
        )
    cased = any(piece != piece.lower() for piece in vocabulary if not piece.startswith("["))
    return wordpiece(vocabulary, lowercase=not cased, accents=cased)


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


def _require_readable(tokenizer: Tokenizer, name: str) -> None:
    highest, pieces = max(tokenizer.get_vocab().values(), default=0), tokenizer.get_vocab_size()
    if highest > MOST_IDS * (pieces + 100):  # each would have a row in the embedding, and names here
        raise InputError(
            f"prepare.tokenizer: {name} has {pieces:,} pieces and ids up to {highest:,}; give one that numbers its "
            "pieces from 0 without gaps"
        )
    for text in _PROBES:
        try:
            encoding = tokenizer.encode(text, add_special_tokens=False)
        except Exception as error:  # `tokenizers` raises bare Exceptions
            raise InputError(
                f"prepare.tokenizer: {name} cannot read text ({error}); give a tokenizer.json with its unk_token"
            ) from None
        if not encoding.ids:
            raise InputError(
                f"prepare.tokenizer: {name} loses what it cannot spell ({text!r} has no piece); give a tokenizer.json "
                "with an unk_token, with byte_fallback, or of bytes"
            )
        edges = [edge for span in encoding.offsets for edge in span]
        if max(edges) > len(text) or max(edges) == 0 or encoding.offsets != sorted(encoding.offsets):
            raise InputError(
                f"prepare.tokenizer: {name} does not say which characters its pieces stand for (offsets "
                f"{encoding.offsets[:4]}); give a tokenizer.json of WordPiece, byte-level BPE, Unigram or SentencePiece"
            )


def _add_roles(tokenizer: Tokenizer, name: str) -> None:
    """Give every role but that of the unknown a piece; the towers learn what it means."""
    known = role_names(tokenizer)
    missing = [names[0] for role, names in ROLES.items() if role not in known and role != "unknown"]
    taken = set(tokenizer.get_vocab(with_added_tokens=True).values())
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in missing])
    for token in missing:
        if tokenizer.token_to_id(token) in taken:
            raise InputError(
                f"prepare.tokenizer: {name} has ids without a piece, so that {token} cannot be added; give it one"
            )


def _leave_out_invisible(tokenizer: Tokenizer) -> None:
    own, first = tokenizer.normalizer, visible_normalizer()
    if own is None or _steps(own)[: len(_steps(first))] != _steps(first):
        tokenizer.normalizer = first if own is None else normalizers.Sequence([first, own])


def _steps(normalizer: normalizers.Normalizer) -> list[Any]:
    """The steps of a normalizer as it is saved; `tokenizers` flattens sequences in sequences."""
    state = json.loads(normalizer.__getstate__())
    return list(state.get("normalizers", [state]))


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
    names = role_names(fast)
    first, sep = names["cls" if windows == "pairs" else "sep"], names["sep"]
    last = [] if objective == "causal" else [sep]
    ids = [(token, fast.token_to_id(token)) for token in {first, sep}]
    fast.post_processor = processors.TemplateProcessing(
        single=[first, "$A", *last], pair=[first, "$A", sep, "$B", *last], special_tokens=ids
    )
    fast.encode_special_tokens = False  # tools write [MASK] and the like into a text and mean them
    PreTrainedTokenizerFast(
        tokenizer_object=fast, pad_token=names["pad"], unk_token=names.get("unknown"), cls_token=names["cls"],
        sep_token=sep, mask_token=names["mask"], bos_token=first, eos_token=sep,
        model_input_names=["input_ids", "attention_mask"],
    ).save_pretrained(folder)  # fmt: skip
