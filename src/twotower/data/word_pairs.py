"""Ratings of how alike two words are: SimLex-999, WordSim-353, MEN, SimVerb-3500 and files like them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..system.errors import InputError
from .characters import visible
from .tables import Table, is_number, named_column, numbers_of, read_table, shown, split_columns, words_in
from .textfiles import lines_of

KEY = "know.similarity"
SIMLEX = "simlex999"
"""The rating of SimLex-999, whose file has other sets' ratings beside it."""
RATINGS = frozenset({
    "similarity", "sim", "relatedness", "rel", "rating", "ratings", "score", "human", "gold", "mean", "average", "avg",
})  # fmt: skip
"""Words of headings that name the rating."""
NO_RATING = frozenset({
    "n", "count", "counts", "raters", "number", "sd", "std", "stdev", "se", "var", "variance", "min", "max", "median",
    "freq", "frequency", "id", "index", "pos", "conc", "assoc",
})  # fmt: skip
"""Words of headings that say that a column is something else, whatever other words they have."""
_FIRST, _SECOND = ({"word1", "w1", "first", "cue", "a"}, {"word2", "w2", "second", "target", "b"})


@dataclass(frozen=True)
class WordPairs:
    """Pairs of lower-cased words with people's ratings, each pair once."""

    name: str
    """The file's name without its ending."""
    words: tuple[tuple[str, str], ...]
    ratings: tuple[float, ...]
    column: str
    """The heading of the ratings, or the number of their column where the file has no headings."""

    def tell(self) -> Iterator[str]:
        """One line: the column that was read, the pairs, and the range of the ratings, by which a scale is known."""
        yield (
            f"{KEY}: {self.name}: ratings from column {self.column!r}: {len(self.words):,} pairs, "
            f"{min(self.ratings):g} to {max(self.ratings):g}"
        )


def read_word_pairs(place: str) -> WordPairs:
    """Read lines of `word word rating`, or a table with headings; columns are divided by tabs, commas, semicolons or
    spaces.

    The ratings stand in the column whose heading says so (see `RATINGS`), or, without headings, in the only column of
    numbers; `FILE#COLUMN` names it, by heading or by number. Empty lines and lines that begin with `#` are skipped. A
    pair that comes twice, in either order, gets the mean of its ratings.

    Raises `InputError`, with file and line or the columns, for a line of another form, for a file in which several
    columns may be the rating, and for one with fewer than two pairs.
    """
    path, columns = split_columns(place)
    if not path.is_file():
        raise InputError(f"{KEY}: {place!r} is not a file; give one of lines `word word rating`")
    if len(columns) > 1:
        raise InputError(f"{KEY}: {place}: name one column, that of the ratings")
    lines = [
        (number, line.rstrip("\r\n")) for number, line in enumerate(lines_of(path, "utf-8"), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]  # fmt: skip
    if not lines:
        raise InputError(f"{KEY}: {path} holds no pair of words; give lines `word word rating`")
    if not any(mark in lines[0][1] for mark in "\t;,"):  # runs of spaces
        lines = [(number, "\t".join(line.split())) for number, line in lines]
    table = read_table(path, lines)
    if len(table.first) < 3:
        raise InputError(
            f"{KEY}: {path}, line {lines[0][0]}: {lines[0][1].replace(chr(9), ' ')[:60]!r} is not `word word rating`"
        )
    headed = _has_headings(table)
    first, second = _word_columns(table) if headed else (0, 1)
    column = named_column(table, columns[0], KEY) if columns else _rating_column(table, headed, (first, second), place)
    pair_ratings: dict[tuple[str, str], list[float]] = {}
    ratings = numbers_of(table, column, int(headed), KEY)
    for (number, row), rating in zip(table.rows[int(headed) :], ratings, strict=True):
        word, other = visible(row[first]).lower(), visible(row[second]).lower()
        if not word or not other or rating != rating:
            raise InputError(f"{KEY}: {path}, line {number}: a word or the rating is missing; leave the line out")
        key = (other, word) if (other, word) in pair_ratings else (word, other)
        pair_ratings.setdefault(key, []).append(rating)
    if len(pair_ratings) < 2:
        held = "no pair" if not pair_ratings else "one pair"
        raise InputError(f"{KEY}: {path} holds {held} of words; a correlation needs more of them")
    means = tuple(sum(values) / len(values) for values in pair_ratings.values())
    return WordPairs(path.stem, tuple(pair_ratings), means, table.first[column] if headed else str(column + 1))


def _has_headings(table: Table) -> bool:
    """Whether the first row is no number in a column that has mostly numbers below it."""
    below = table.rows[1:]
    return any(
        not is_number(table.first[column]) and 2 * sum(is_number(row[column]) for _, row in below) >= len(below) > 0
        for column in range(len(table.first))
    )


def _word_columns(table: Table) -> tuple[int, int]:
    """The columns of the two words: those whose headings say so, or else the first two."""
    names = ["".join(words_in(heading)) for heading in table.first]
    first, second = (next((n for n, name in enumerate(names) if name in known), None) for known in (_FIRST, _SECOND))
    return (0, 1) if first is None or second is None else (first, second)


def _rating_column(table: Table, headed: bool, words: tuple[int, int], place: str) -> int:
    numeric = [
        column for column in range(len(table.first))
        if column not in words and all(is_number(row[column]) for _, row in table.rows[int(headed) :])
    ]  # fmt: skip
    if headed:
        headings = [set(words_in(heading)) | {"".join(words_in(heading))} for heading in table.first]
        allowed = [
            column for column in range(len(headings)) if column not in words and not headings[column] & NO_RATING
        ]
        for names in ({SIMLEX}, RATINGS):
            if named := [column for column in allowed if headings[column] & names]:
                numeric = named
                break
        else:
            numeric = [column for column in numeric if column in allowed]
    if len(numeric) == 1:
        return numeric[0]
    if not headed and not numeric and len(table.first) == 3:
        return 2  # `numbers_of` names the line that is wrong
    columns = shown(table.first) if headed else f"1 to {len(table.first)}, without headings"
    which = "several columns may be" if numeric else "no column is known as"
    raise InputError(f"{KEY}: {table.path}: {which} the rating; name it: {place}#COLUMN (its columns: {columns})")
