"""Ratings of how alike two words are: SimLex-999, WordSim-353, MEN, SimVerb-3500 and files like them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .textfiles import lines_of

_SEPARATORS = ("\t", ",", " ")


@dataclass(frozen=True)
class WordPairs:
    """Pairs of lower-cased words with people's ratings, each pair once."""

    name: str
    """The file's name without its ending."""
    words: tuple[tuple[str, str], ...]
    ratings: tuple[float, ...]


def read_word_pairs(place: str) -> WordPairs:
    """Read lines of `word word rating`, divided by tabs, commas or spaces; further columns are not read.

    One line of headings, whose third column is not a number, is skipped, and so are empty lines and lines that begin
    with `#`. A pair that comes twice, in either order, gets the mean of its ratings. The files of SimLex-999
    have the part of speech in the third column and the rating in the fourth; a heading that says so is understood.

    Raises `InputError`, with file and line, for a line of another form, and for a file with fewer than two pairs.
    """
    path = Path(place).expanduser()
    if not path.is_file():
        raise InputError(f"know.similarity: {place!r} is not a file; give one of lines `word word rating`")
    found: dict[tuple[str, str], list[float]] = {}
    column, seen = 2, False
    for number, line in enumerate(lines_of(path, "utf-8"), start=1):
        text = line.strip().lstrip("\ufeff")
        if not text or text.startswith("#"):
            continue
        fields = _fields(text)
        if not seen and len(fields) >= 3 and _number(fields[2]) is None:
            seen, column = True, _rating_column(fields)
            continue
        seen = True
        rating = _number(fields[column]) if len(fields) > column else None
        if rating is None or not fields[0] or not fields[1]:
            raise InputError(
                f"know.similarity: {path}, line {number}: {text[:60]!r} is not `word word rating`, divided by tabs, "
                "commas or spaces"
            )
        first, second = fields[0].lower(), fields[1].lower()
        key = (second, first) if (second, first) in found else (first, second)
        found.setdefault(key, []).append(rating)
    if len(found) < 2:
        held = "no pair" if not found else "one pair"
        raise InputError(f"know.similarity: {path} holds {held} of words; a correlation needs more of them")
    ratings = tuple(sum(values) / len(values) for values in found.values())
    return WordPairs(path.stem, tuple(found), ratings)


def _fields(text: str) -> list[str]:
    separator = next((one for one in _SEPARATORS if one in text), " ")
    fields = re.split(r" +", text) if separator == " " else text.split(separator)
    return [field.strip().strip('"') for field in fields]


def _rating_column(headings: list[str]) -> int:
    """The column of the rating: the third, or the one that SimLex-999 names after itself."""
    named = [heading.lower() for heading in headings]
    return named.index("simlex999") if "simlex999" in named else 2


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
