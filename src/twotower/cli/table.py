"""Tables for a terminal: aligned columns that fit."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

NARROWEST = 100
"""Columns of a table that is not shown on a terminal, and of one on a terminal that is narrower."""
SHORTEST = 8
GAP = "  "


def room() -> int:
    """Columns that a table may take."""
    return max(NARROWEST, shutil.get_terminal_size().columns if sys.stdout.isatty() else 0)


def aligned(rows: Sequence[Sequence[str]], right: int | None = None) -> list[str]:
    """Rows of equal length as lines of aligned columns; those from number `right` on are aligned at their right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        GAP.join(
            text.rjust(width) if right is not None and column >= right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def fitted(rows: Sequence[Sequence[str]], columns: Sequence[int], width: int) -> list[tuple[str, ...]]:
    """The rows with the texts of some columns shortened at their beginning, the first of these columns most.

    Each is cut to `SHORTEST` characters at the least, so that lines may stay wider than `width`.
    """
    shortened = [tuple(row) for row in rows]
    for column in columns:
        widths = [max(len(row[place]) for row in shortened) for place in range(len(shortened[0]))]
        excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
        if excess <= 0:
            break
        longest = max(SHORTEST, len(rows[0][column]), widths[column] - excess)
        shortened = [(*row[:column], ending(row[column], longest), *row[column + 1 :]) for row in shortened]
    return shortened


def ending(text: str, longest: int) -> str:
    """The text, or its end after an ellipsis where it is longer."""
    return text if len(text) <= longest else "…" + text[len(text) - longest + 1 :]
