"""Numbers as people write them on a command line: 4M, 1e9, 250k, 1_000_000."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from .config import RunConfig
from .errors import InputError

FACTORS = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9}
WRITTEN = re.compile(r"([+-]?\d[\d_]*(?:\.\d+)?)(?:[eE]\+?(\d{1,2})|([kKMGB]))")


@lru_cache(maxsize=8)
def _integers(kind: type) -> frozenset[str]:
    """The names of all integer settings of a dataclass and of those inside it, with hyphens."""
    found: frozenset[str] = frozenset()
    for name, hint in typing.get_type_hints(kind).items():
        if dataclasses.is_dataclass(hint):
            found |= _integers(typing.cast(type, hint))
        elif hint in (int, int | None):
            found |= {name.replace("_", "-")}
    return found


def plain_numbers(words: Sequence[str], kind: type = RunConfig) -> list[str]:
    """The same words, with the values of integer settings written out: `--tokens 4M` becomes `--tokens 4000000`.

    `kind` is the dataclass of the settings.

    Raises `InputError` where such a number is not an integer. What is not written in this way is left as it is.
    """
    integers = _integers(kind)
    found = []
    flag = ""
    for word in words:
        name, equals, value = word.partition("=") if word.startswith("--") else (flag, "", word)
        if name.removeprefix("--").rpartition(".")[2].replace("_", "-") in integers:
            if equals:
                word = f"{name}={_plain(name, value)}"
            elif not word.startswith("--"):
                word = _plain(name, value)
        flag = word if word.startswith("--") else ""
        found.append(word)
    return found


def whole_number(name: str, text: str) -> int | str:
    """The integer that a text such as 4M means; the text itself if it is not a number. Raises `InputError` as above."""
    plain = _plain(name, text)
    return int(plain) if re.fullmatch(r"[+-]?\d[\d_]*", plain) else text


def _plain(flag: str, text: str) -> str:
    written = WRITTEN.fullmatch(text)
    if written is None:
        return text
    digits, exponent, letter = written.groups()
    value = Decimal(digits.replace("_", "")) * (10 ** int(exponent) if exponent else FACTORS[letter])
    if value != value.to_integral_value():
        raise InputError(f"{flag}: {text} is not a whole number; give one such as 4M, 1e6 or 250000")
    return str(int(value))
