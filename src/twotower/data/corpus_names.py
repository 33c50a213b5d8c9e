"""Names of corpora as users give them: a path, `sotu`, or a mixture `A+B`, with weights `A@7+B@3`."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from ..system.errors import InputError

SCORES = "scores:"
"""How a table of log-probabilities is named where models are, or texts."""


def parse_mixture(name: str) -> list[tuple[str, float | None]]:
    """The parts of a corpus name and their weights (None: no weights); a path that exists is one part as it is.

    Raises `InputError` for an empty part, or weights that are not positive numbers or not on all parts.
    """
    if _is_one(name):
        return [(name, None)]
    parts = [_parse_part(part.strip(), name) for part in name.split("+")]
    weighted = [weight is not None for _, weight in parts]
    if any(weighted) and not all(weighted):
        raise InputError(f"corpus: {name!r} has weights on some parts only; give all parts one (A@7+B@3), or none")
    return parts


def short_name(corpus: Iterable[str]) -> str:
    """Names of corpora without their folders, joined with `+`: `sotu+books@3` for `sotu+texts/books@3`."""
    parts = [part for name in corpus for part in ([name] if _is_one(name) else name.split("+"))]
    return "+".join(Path(part.strip()).name for part in parts)


def file_name(corpus: str) -> str:
    """A corpus in the name of a folder: its `short_name` with a hyphen for all but letters and digits."""
    return "".join(c if c.isalnum() else "-" for c in short_name([corpus]))


def without_choice(name: str) -> tuple[str, str]:
    """A file's name, and what stands behind its last `#` (columns, speakers); a name that exists has none."""
    path, mark, chosen = name.rpartition("#")
    return (path, chosen) if mark and path and not _exists(name) else (name, "")


def _is_one(name: str) -> bool:
    return "+" not in name or _exists(name) or _exists(without_choice(name)[0])


def _exists(name: str) -> bool:
    """Whether a name is that of a file or folder, or a glob that matches some."""
    path = Path(os.path.expanduser(name))
    try:
        return path.exists() or (glob.has_magic(name) and next(glob.iglob(str(path), recursive=True), None) is not None)
    except (OSError, ValueError):  # a name too long, or with a NUL
        return False


def _parse_part(part: str, whole: str) -> tuple[str, float | None]:
    number: str | None
    source, at, number = part.rpartition("@")
    if not at or _exists(part) or _exists(without_choice(part)[0]):
        source, number = part, None
    if not source:
        raise InputError(f"corpus: the mixture {whole!r} has an empty part; write it as A+B, or A@7+B@3 with weights")
    if number is None:
        return source, None
    try:
        weight = float(number)
    except ValueError:
        weight = 0.0
    if not 0 < weight < float("inf"):
        raise InputError(f"corpus: {whole!r}: the weight {number!r} is not a positive number; write A@7+B@3")
    return source, weight
