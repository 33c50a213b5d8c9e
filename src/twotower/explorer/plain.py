"""Tables and numbers as JSON that a page can read: short, strict, and with nothing in it that acts on a reader."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd

from ..system.printing import printable

DIGITS = 4
"""Decimals of a nat that are sent: no interval here is as narrow as the fourth."""


def column(values: pd.Series | np.ndarray) -> list[Any]:
    """A column as plain values: texts printable, reals rounded, null where a number is missing."""
    array = np.asarray(values)
    if array.dtype.kind == "f":
        rounded = np.round(array.astype(np.float64), DIGITS)
        return [value if math.isfinite(value) else None for value in rounded.tolist()]
    if array.dtype.kind in "iub":
        return list(array.tolist())
    return [text(value) for value in array.tolist()]


def columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """A table, column by column."""
    return {str(name): column(table[name]) for name in table.columns}


def text(value: object) -> str:
    """A text from a corpus or a file name: control characters and bidirectional overrides are written out."""
    return printable(str(value)).replace("\n", "\\n")


def number(value: float) -> float | None:
    """A number, rounded; None if it is missing."""
    return round(float(value), DIGITS) if math.isfinite(value) else None


def to_json(value: Any) -> str:
    """Strict JSON in ASCII: also valid JavaScript, whatever the encoding of the file that it lands in."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
