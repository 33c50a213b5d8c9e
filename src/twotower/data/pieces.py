"""What a tokenizer's pieces stand for, and what tables and pages call them.

How a tokenizer marks its pieces (`##`, `Ġ`, `▁`) matters here and nowhere else: labels are written alike for all, and
where words begin is read off the text (`word_starts.py`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from tokenizers import Tokenizer

from .characters import LETTER, MARK, kind_of

GOES_ON = "##"
"""How a label says that a piece goes on with a word, whatever the tokenizer."""
_SPACE = "▁"
_BYTE = re.compile("<0x[0-9A-F]{2}>")
"""How SentencePiece calls the bytes of what it cannot spell otherwise."""
_PICTURES = {"\n": "␤", "\r": "␍", "\t": "␉", " ": "␣"}


@dataclass(frozen=True)
class Pieces:
    """The vocabulary by id; ids without a piece are empty."""

    texts: list[str]
    """The text that each piece stands for, with its white space; bytes that are no whole character as `\\xe4`."""
    labels: list[str]
    """What each is called: its text without white space, after `##` where it goes on with a word. Pieces that would
    look alike keep the tokenizer's own names."""
    go_on: list[bool]
    """Whether the tokenizer's own name of each says that it goes on with a word."""


@lru_cache(maxsize=8)  # a tokenizer is hashed as the object that it is
def read_pieces(tokenizer: Tokenizer) -> Pieces:
    """What a tokenizer's pieces stand for."""
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    names = [""] * (max(vocabulary.values()) + 1)
    for name, index in vocabulary.items():
        names[index] = name
    added = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    spell = _spelling(tokenizer)
    spelled = [(name.encode(), False) if name in added else spell(name) for name in names]
    texts = [raw.decode("utf-8", errors="backslashreplace") for raw, _ in spelled]
    go_on = [inner for _, inner in spelled]
    return Pieces(texts, _labels(names, texts, go_on), go_on)


def _labels(names: list[str], texts: list[str], goes_on: list[bool]) -> list[str]:
    labels = []
    for name, text, inner in zip(names, texts, goes_on, strict=True):
        visible = text.strip() or "".join(_PICTURES.get(char, char) for char in text)
        in_word = inner and (kind_of(visible[0]) in (LETTER, MARK) or visible.startswith("\\x"))
        labels.append(name if _BYTE.fullmatch(name) else GOES_ON + visible if in_word else visible)
    while True:  # a name may be what another piece is called
        times = Counter(label for label in labels if label)
        alike = [times[label] > 1 and label != name for label, name in zip(labels, names, strict=True)]
        if not any(alike):
            return labels
        labels = [name if same else label for label, name, same in zip(labels, names, alike, strict=True)]


def _spelling(tokenizer: Tokenizer) -> Callable[[str], tuple[bytes, bool]]:
    """From the name of a piece to the bytes of its text, and whether its mark says that it goes on with a word."""
    parts = (tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder)
    states = json.dumps([json.loads(part.__getstate__()) for part in parts if part], ensure_ascii=False)
    byte_level, marks_spaces = '"ByteLevel"' in states, "Metaspace" in states or _SPACE in states
    prefix = getattr(tokenizer.model, "continuing_subword_prefix", None) or ""
    suffix = getattr(tokenizer.model, "end_of_word_suffix", None) or ""

    def spell(name: str) -> tuple[bytes, bool]:
        if prefix and len(name) > len(prefix) and name.startswith(prefix):
            return name.removeprefix(prefix).encode(), True
        name = name.removesuffix(suffix)
        if byte_level:
            raw = b"".join(_BYTES.get(char, char.encode()) for char in name)
            return raw, not (suffix or raw[:1].isspace())
        if _BYTE.fullmatch(name):
            return bytes([int(name[3:5], 16)]), True
        if marks_spaces:
            return name.replace(_SPACE, " ").encode(), not name.startswith(_SPACE)
        return name.encode(), False

    return spell


def _byte_characters() -> dict[str, bytes]:
    """How byte-level tokenizers write bytes: printable Latin-1 as itself, the others from U+0100 on (as in GPT-2)."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = (byte for byte in range(0x100) if byte not in printable)
    return {chr(byte): bytes([byte]) for byte in printable} | {
        chr(0x100 + number): bytes([byte]) for number, byte in enumerate(others)
    }


_BYTES = _byte_characters()
