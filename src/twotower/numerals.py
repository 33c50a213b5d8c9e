"""Numbers as people write them on a command line: 4M, 1e9, 250k, 1_000_000."""

from __future__ import annotations

import re
from decimal import Decimal

from .errors import InputError

FACTORS = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9}
WRITTEN = re.compile(r"([+-]?\d[\d_]*(?:\.\d+)?)(?:[eE]\+?(\d{1,2})|([kKMGB]))")


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
