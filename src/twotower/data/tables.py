"""Tables that people keep lists in: tab, comma, semicolon or bar between the columns, a line of headings above them."""

from __future__ import annotations

import csv
import io
import math
import os
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..system.errors import InputError
from .textfiles import decode

SEPARATORS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}
MISSING = frozenset({"", "NA", "N/A", "#N/A", "NaN", "nan"})
"""What stands in a cell that has no value."""
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+")


BESIDE = ("readme", "license", "licence", "copying", "notice", "citation", "changelog", "authors", "requirements")
"""How files that lie beside lists begin."""


def lists_below(folder: Path, endings: Sequence[str]) -> list[Path]:
    """The files below a folder that end in one of `endings`, sorted; hidden ones and those of `BESIDE` are left out."""
    return sorted(
        path for path in folder.rglob("*")
        if path.suffix.lower() in endings and path.is_file() and not path.name.lower().startswith(BESIDE)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )  # fmt: skip


@dataclass(frozen=True)
class Table:
    """The rows of a table, each as long as the first one."""

    path: Path
    separator: str
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    """The number of the line that each row begins on, and its cells without white space around them."""

    @property
    def first(self) -> tuple[str, ...]:
        """The cells of the first row, which are the headings where there are any."""
        return self.rows[0][1]


def read_table(path: Path, lines: Sequence[tuple[int, str]] | None = None) -> Table:
    """The table in a file, or in numbered `lines` of it. Rows whose cells are all empty are skipped.

    Raises `InputError`, with file and line, for an empty table, quotes that are not closed, and rows of unlike length.
    """
    if lines is None:
        text = _text(path)
        separator = separator_of(next((line for line in text.splitlines() if line.strip()), ""))
        source: list[str] = list(io.StringIO(text, newline=""))
        numbers: list[int] | None = None
    else:
        separator = separator_of(lines[0][1] if lines else "")
        source, numbers = [line for _, line in lines], [number for number, _ in lines]
    reader = csv.reader(source, delimiter=separator, strict=True, quoting=quoting_of(lambda: source, separator))
    rows: list[tuple[int, tuple[str, ...]]] = []
    begins = 1
    try:
        for row in reader:
            cells = tuple(cell.strip() for cell in row)
            if any(cells):
                rows.append((begins if numbers is None else numbers[begins - 1], cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: {error}; give a table whose quotes are closed") from None
    if not rows:
        raise InputError(f"{path} is empty; give a table with a line of headings")
    width = len(rows[0][1])
    for number, cells in rows:
        if len(cells) != width:
            raise InputError(
                f"{path}: line {number} has {len(cells)} columns, the first line {width}; columns are divided by "
                f"{SEPARATORS[separator]}"
            )
    return Table(path, separator, tuple(rows))


def separator_of(line: str) -> str:
    """What divides the cells of a first line: tabs if there are any, otherwise the mark of which there are most.

    Marks inside of quotes divide nothing.
    """
    first = line.splitlines()[:1]

    def cells(mark: str) -> int:
        return len(next(csv.reader(first, delimiter=mark), []))

    return "\t" if cells("\t") > 1 else max(",;|", key=cells)


def quoting_of(lines: Callable[[], Iterable[str]], separator: str) -> Literal[0, 3]:
    """What `csv` calls the rule by which quotes enclose the cells of a table, or do not; `lines` begins it anew.

    Cells of a table with tabs need no quotes. They enclose cells where all rows come out alike with them. Where rows
    do without them, too, and there are more, quotes are marks of speech that would swallow rows.
    """
    if separator != "\t":
        return csv.QUOTE_MINIMAL
    quoted, plain = _widths(lines(), csv.QUOTE_MINIMAL), _widths(lines(), csv.QUOTE_NONE)
    return csv.QUOTE_MINIMAL if len(quoted) == 1 and (len(plain) != 1 or quoted == plain) else csv.QUOTE_NONE


def _widths(lines: Iterable[str], quoting: Literal[0, 3]) -> Counter[int]:
    """How many rows of a table with tabs have how many cells; empty if it cannot be read in this way."""
    try:
        return Counter(len(row) for row in csv.reader(lines, delimiter="\t", strict=True, quoting=quoting) if row)
    except csv.Error:
        return Counter()


def split_columns(place: str) -> tuple[Path, tuple[str, ...]]:
    """`FILE#COLUMN,COLUMN…` as the file and the columns that the user named, none without a `#`."""
    whole = Path(os.path.expanduser(place))
    name, mark, columns = place.rpartition("#")
    if not mark or whole.exists():
        return whole, ()
    return Path(os.path.expanduser(name)), tuple(part.strip() for part in columns.split(",") if part.strip())


def named_column(table: Table, column: str, key: str) -> int:
    """The place of a column that the user named by its heading, in any case, or by its number from 1."""
    low = [heading.lower() for heading in table.first]
    if column.lower() in low:
        return low.index(column.lower())
    if column.isdecimal() and 1 <= int(column) <= len(low):
        return int(column) - 1
    raise InputError(f"{key}: {table.path} has no column {column!r}; its columns: {shown(table.first)}")


def shown(cells: Sequence[str]) -> str:
    """The headings of a table for a message, cut if they are long."""
    text = ", ".join(cells)
    return text if len(text) <= 200 else f"{text[:200]}…"


def numbers_of(table: Table, column: int, skipped: int, key: str) -> list[float]:
    """A column from row `skipped` on as numbers, NaN where a cell is one of `MISSING`.

    A decimal comma is read as a point where all cells have it and no cell may be meant as thousands. Raises
    `InputError`, with file, line and column, for anything that is not a finite number.
    """
    if skipped and [heading.lower() for heading in table.first].count(table.first[column].lower()) > 1:
        raise InputError(
            f"{key}: {table.path}: two columns are called {table.first[column]!r}; give each its own heading"
        )
    cells = [(number, row[column]) for number, row in table.rows[skipped:]]
    filled = [cell for _, cell in cells if cell not in MISSING]
    commas = [cell for cell in filled if "," in cell]
    name = table.first[column] if skipped else str(column + 1)
    if commas:
        doubtful = table.separator != ";" and all(_THOUSANDS.fullmatch(cell) for cell in commas)
        wrong = [cell for cell in commas if not _DECIMAL_COMMA.fullmatch(cell)] or [c for c in filled if "." in c]
        if doubtful or wrong:
            number = next(number for number, cell in cells if cell == (commas[0] if doubtful else wrong[0]))
            raise InputError(
                f"{key}: {table.path}, line {number}: is {(wrong or commas)[0]!r} in column {name!r} a fraction or "
                "thousands? Write numbers with a decimal point and without separators"
            )
    values = []
    for number, cell in cells:
        value = math.nan if cell in MISSING else _number(cell.replace(",", "."))
        if value is None:
            raise InputError(f"{key}: {table.path}, line {number}: {cell!r} in column {name!r} is not a finite number")
        values.append(value)
    return values


def is_number(cell: str) -> bool:
    """Whether a cell is a finite number, with a point or a comma."""
    return _number(cell.replace(",", ".")) is not None


def words_in(heading: str) -> tuple[str, ...]:
    """The lower-case words of a heading: `sentence_good`, `goodSentence` and `Good sentence` have the same two."""
    return tuple(word.lower() for word in re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])|\d+", heading))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _text(path: Path) -> str:
    """The text of a table, in UTF-8 or, as spreadsheets write it, UTF-16 with its mark."""
    begin = path.read_bytes()[:4]
    if begin[:2] == b"PK" or begin == b"\xd0\xcf\x11\xe0":
        raise InputError(f"{path} is a spreadsheet or an archive; save it as CSV in UTF-8")
    encoding = "utf-16" if begin[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8"
    try:
        return decode(path, encoding)
    except InputError as error:
        raise InputError(f"{str(error).partition(';')[0]}; save the table as CSV in UTF-8") from None
