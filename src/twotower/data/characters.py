"""Characters: which are invisible and left out, and what each is to a word.

One normalization serves tokenizer and tagger: documents pass `visible` before either reads them, and every tokenizer
begins with the same steps (`visible_normalizer`), for texts that reach it another way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, normalizers

LETTER, OTHER, SPACE, UNSPACED, MARK = range(5)
"""What a character is to a word: letter or digit; punctuation or symbol; white space; letter of a
script without spaces between words; mark on the character before it."""

_UNSPACED_BLOCKS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF), (0x1A20, 0x1AAF), (0xAA80, 0xAADF),  # Tai Le, New Tai Lue, Tai Tham, Tai Viet
    (0x1B00, 0x1B7F), (0xA980, 0xA9DF),  # Balinese, Javanese
    (0x3040, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9D),  # kana
)  # fmt: skip
_HAN = (
    (0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F), (0x30000, 0x323AF),
)  # fmt: skip
_JOINING_BLOCKS = (
    (0x0600, 0x08FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC),  # Arabic, Syriac, N'Ko and similar scripts
    (0x0900, 0x0DFF), (0x1000, 0x109F), (0x1780, 0x18AF), (0x1A20, 0x1AAF), (0x1B00, 0x1BFF),  # Indic, Mongolian
    (0xA800, 0xA82F), (0xA840, 0xA8DF), (0xA980, 0xA9DF), (0xAA60, 0xAA7F), (0xABC0, 0xABFF), (0x11000, 0x11AFF),
)  # fmt: skip
"""Where zero-width joiners and non-joiners spell: Persian می‌خواهم, Bengali র‍্য, Malayalam chillus, Sinhala."""
_EMOJI = "\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"

SEPARATORS = frozenset("\x1c\x1d\x1e\x1f")
"""White space to Python, and a letter to `tokenizers`."""
WHITE_SPACE = "".join(char for char in map(chr, range(0x3001)) if char.isspace() and char not in SEPARATORS)
"""White space to both."""

INVISIBLE = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # controls, without white space
    "\xad\u034f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors choose a glyph, not a letter
)
"""As a class of a regular expression: soft hyphen, grapheme joiner, zero-width spaces, marks and controls of
direction, byte order mark, variation selectors, controls. Surrogates are added where a string can hold them."""


def _in(blocks: Iterable[tuple[int, int]], categories: str) -> list[int]:
    return [
        code for first, last in blocks for code in range(first, last + 1)
        if unicodedata.category(chr(code))[0] in categories
    ]  # fmt: skip


def _class(codes: Sequence[int]) -> str:
    """The codes, which rise, as the inside of a class of a regular expression."""
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(chr(first) if first == last else f"{chr(first)}-{chr(last)}" for first, last in ranges)


@lru_cache(maxsize=1)
def visible_steps() -> tuple[str, ...]:
    """Regular expressions of what is left out, one after the other, for `re` and for `tokenizers` alike.

    Tag characters stay in the flags that they spell. U+200D and U+200C stay where they spell: between letters of the
    scripts that use them, a joiner also after a virama, and between emoji; of several in a row, the first.
    """
    joining = _class(_in(_JOINING_BLOCKS, "LM"))
    viramas = _class([code for code in _in(_JOINING_BLOCKS, "M") if unicodedata.combining(chr(code)) == 9])
    between = f"(?<=[{joining}])[\u200c\u200d](?=[{joining}])"
    needed = f"{between}|(?<=[{viramas}])\u200d|(?<=[{_EMOJI}\U000e007f])\u200d(?=[{_EMOJI}])"
    return (
        f"[{INVISIBLE}]+|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007f]+|\U000e0001",
        "(?<=[\u200c\u200d])[\u200c\u200d]+",
        f"(?!{needed})[\u200c\u200d]",
    )


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], ...]:
    first, *more = visible_steps()
    return tuple(re.compile(step) for step in (f"[\ud800-\udfff]+|{first}", *more))


@lru_cache(maxsize=1)
def _candidates() -> re.Pattern[str]:
    return re.compile(f"[{INVISIBLE}\ud800-\udfff\u200c\u200d\U000e0001-\U000e007f]")


def visible(text: str) -> str:
    """The text without its invisible characters and lone surrogates, its accents composed (NFC)."""
    if not _candidates().search(text):
        return _composed(text)
    first, *more = _patterns()
    text = _composed(first.sub("", text))
    for pattern in more:
        text = pattern.sub("", text)
    return _composed(text)


def _composed(text: str) -> str:
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def visible_normalizer() -> normalizers.Normalizer:
    """The same as a step of a tokenizer, which never sees surrogates."""
    first, *more = (normalizers.Replace(Regex(step), "") for step in visible_steps())
    return normalizers.Sequence([first, normalizers.NFC(), *more, normalizers.NFC()])


@lru_cache(maxsize=1)
def unspaced_runs() -> str:
    """A regular expression of text in scripts without spaces (Han left out): at most 24 letters with their marks.

    WordPiece reads no word of more than 100 characters, and a Thai sentence is one run.
    """
    letters, marks = (_class(_in(_UNSPACED_BLOCKS, kind)) for kind in "LM")
    return f"(?:[{letters}{marks}][{marks}]*){{1,24}}"


def kinds_of(text: str) -> NDArray[np.int8]:
    """What each character of a text is to a word: `LETTER`, `OTHER`, `SPACE`, `UNSPACED` or `MARK`; (characters,)."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    kinds: NDArray[np.int8] = _KINDS[codes]
    if (kinds == _NOT_ASKED).any():
        for code in np.unique(codes[kinds == _NOT_ASKED]).tolist():
            _KINDS[code] = kind_of(chr(code))
        kinds = _KINDS[codes]
    return kinds


def kind_of(char: str) -> int:
    """What a character is to a word."""
    code = ord(char)
    if code in (0x200C, 0x200D):
        return MARK
    if char.isspace():
        return SPACE
    category = unicodedata.category(char)[0]
    if category == "L" and any(first <= code <= last for first, last in (*_UNSPACED_BLOCKS, *_HAN)):
        return UNSPACED
    return {"L": LETTER, "N": LETTER, "M": MARK}.get(category, OTHER)


_NOT_ASKED = -1
_KINDS = np.full(0x110000, _NOT_ASKED, np.int8)
"""What each character is to a word, by its code, as far as a text had it: all of Unicode takes a second to look up."""


def has_dependent(text: str) -> bool:
    """Whether a word of the text may begin or end elsewhere than at white space and punctuation: whether it has marks
    on letters, scripts without spaces, or white space that `tokenizers` takes for letters."""
    if not SEPARATORS.isdisjoint(text):
        return True
    return not text.isascii() and bool(np.isin(kinds_of(text), (MARK, UNSPACED)).any())
