"""Numbers as people write them on a command line: 4M, 1e9, 250k, 1_000_000."""

from __future__ import annotations

import re
from decimal import Decimal

from ..system.errors import InputError

FACTORS = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9}
DIGITS = r"[+-]?\d+(?:_\d+)*"
WRITTEN = re.compile(rf"({DIGITS}(?:\.\d+)?)(?:[eE]\+?(\d{{1,2}})|([kKMGB]))")
LONGEST = 100


def whole_number(name: str, text: str) -> int | str:
    """The integer that a text such as 4M means; the text itself if it is not a number.

    Raises `InputError` for a number of more than `LONGEST` characters, or that is not whole, such as 0.5e0.
    """
    if len(text) > LONGEST and text.lstrip("+-")[:1].isdigit():
        raise InputError(f"{name}: a number of {len(text):,} characters is too large; give one such as 4M or 250000")
    plain = _plain(name, text)
    return int(plain) if re.fullmatch(DIGITS, plain) else text


def _plain(flag: str, text: str) -> str:
    written = WRITTEN.fullmatch(text)
    if written is None:
        return text
    digits, exponent, letter = written.groups()
    value = Decimal(digits.replace("_", "")) * (10 ** int(exponent) if exponent else FACTORS[letter])
    if value != value.to_integral_value():
        raise InputError(f"{flag}: {text} is not a whole number; give one such as 4M, 1e6 or 250000")
    return str(int(value))
