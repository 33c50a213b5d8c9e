"""Tables of texts: JSON, JSON Lines, CSV, TSV and Parquet; a document in each row."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from ..system.errors import InputError, one_line
from .documents import Document
from .files import TextFile, seekable
from .tables import quoting_of, separator_of
from .textfiles import decode, lines_of

TEXT = "text"
"""The column that holds the text unless another is named."""
NUMBERED = re.compile(r"(\d+)\t[^\t]+$")
"""A line of a number and a text, as in the corpora of Leipzig."""
LONGEST_CELL = min(sys.maxsize, (1 << 31) - 1)
"""Characters of a cell; Python's `csv` stops at 131,072 otherwise."""


@dataclass(frozen=True)
class Columns:
    """Which columns hold the text and, if they were named, the documents' names and labels: `#TEXT,NAME,LABEL`."""

    text: str = TEXT
    name: str = ""
    label: str = ""

    @classmethod
    def parse(cls, chosen: str) -> Columns:
        """What stands behind the `#`. Raises `InputError` for more than three names."""
        names = [name.strip() for name in chosen.split(",")] if chosen else []
        if len(names) > 3 or (names and not names[0]):
            raise InputError(f"corpus: #{chosen} is not of the form #TEXT,NAME,LABEL: the columns of text, name, label")
        return cls(*names) if names else cls()

    def document(self, row: Mapping[str, Any], number: int, source: str, place: str) -> Document:
        """The document of a row of `source`, which lies at `place`.

        Raises `InputError` where a column is missing or holds no text.
        """
        place = f"{place}, row {number}"
        text = _cell(row, self.text, place)
        if not isinstance(text, str):
            kind = "nothing (null)" if text is None else type(text).__name__
            raise InputError(f"{place}: {self.text!r} holds {kind}, not text; mend the row or leave it out")
        name = f"{source}:{number}"
        if self.name:
            name = str(_cell(row, self.name, place))
        if self.label:
            name = f"{_cell(row, self.label, place)}/{name}"
        return Document(clean(name), clean(text))

    def require_distinct(self, names: Sequence[str], place: str) -> None:
        """Raise `InputError` where a column that is asked for might be either of two."""
        for wanted in self.named:
            alike = names.count(wanted) or sum(name.lower() == wanted.lower() for name in names)
            if alike > 1:
                raise InputError(f"{place}: {alike} columns are called {wanted!r}; give each its own heading")

    @property
    def named(self) -> list[str]:
        """All that are asked for."""
        return [name for name in (self.text, self.name, self.label) if name]


def clean(text: str) -> str:
    """Text without NUL, and with U+FFFD for half a character, which JSON can write and UTF-8 cannot."""
    text = text.replace("\0", " ")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _cell(row: Mapping[str, Any], column: str, place: str) -> Any:
    """The value in a column, whatever its case; `a.b` is column b of the object in a."""
    value: Any = row
    for part in [column] if column in row else column.split("."):
        keys = [key for key in value if key == part or key.lower() == part.lower()] if isinstance(value, dict) else []
        if len(keys) > 1 and part not in keys:
            raise InputError(f"{place}: {len(keys)} columns are called {part!r}; give each its own name")
        if not keys:
            raise InputError(f"{place}: no column {column!r}; {_offered(row)}")
        value = value[part if part in keys else keys[0]]
    return value


def _offered(columns: Iterable[str]) -> str:
    names = [repr(str(name)[:30]) if not str(name).isidentifier() else str(name) for name in columns]
    return f"its columns: {', '.join(names[:20])} (add #COLUMN to the file's name)"


def further_columns(names: Sequence[str], chosen: Columns) -> str:
    """What could be asked for besides, as a note; empty where there is nothing."""
    others = [str(name) for name in names if str(name).lower() not in {column.lower() for column in chosen.named}]
    if not others or chosen.name:
        return ""
    return f"columns {', '.join(others[:8])} can name or label documents (#{chosen.text},NAME,LABEL)"


def columns_of(file: TextFile, encoding: str) -> list[str]:
    """The names of the columns of a table, read from its first line; empty if that line cannot be read."""
    try:
        if file.head.startswith(b"PAR1"):
            with seekable(file) as stream:
                return list(pq.ParquetFile(pa.PythonFile(stream, mode="r")).schema_arrow.names)
        line = next(lines_of(file, encoding), "").strip()
        if line.startswith("{"):
            return list(json.loads(line))
        return [] if line.startswith("[") else next(csv.reader([line], delimiter=separator_of(line)), [])
    except (InputError, ValueError, RecursionError, csv.Error, pa.ArrowException, OSError):
        return []  # the reader says what is wrong


def read_json_lines(file: TextFile, encoding: str, chosen: str) -> Iterator[Document]:
    """A document in each line, an object or a text alone. Raises `InputError`, with the line, for anything else."""
    columns, rows = Columns.parse(chosen), 0
    for number, line in enumerate(lines_of(file, encoding), start=1):
        if line.strip():
            yield _from_json(parsed(line, f"{file.place}: line {number}"), rows, file, columns)
            rows += 1


def read_json(file: TextFile, encoding: str, chosen: str) -> Iterator[Document]:
    """A list of objects or of texts, such a list under a key of its own, or one object with a text."""
    columns = Columns.parse(chosen)
    content = parsed(decode(file, encoding), file.place)
    for number, row in enumerate(_rows(content, columns.text, file)):
        yield _from_json(row, number, file, columns)


def _rows(content: Any, column: str, file: TextFile) -> list[Any]:
    if isinstance(content, list):
        return content
    if isinstance(content, dict) and not any(key.lower() == column.split(".")[0].lower() for key in content):
        lists = {key: value for key, value in content.items() if _are_rows(value)}
        if len(lists) == 1:
            return cast(list[Any], next(iter(lists.values())))
        if content and all(isinstance(value, str) for value in content.values()):
            raise InputError(f"{file.place}: an object without {column!r}; {_offered(content)}")
        if lists:
            raise InputError(f"{file.place}: several lists ({', '.join(lists)}); give one of them in a file of its own")
    return [content]


def _are_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, (dict, str)) for row in value)


def _from_json(row: Any, number: int, file: TextFile, columns: Columns) -> Document:
    if isinstance(row, str):
        row = {columns.text: row}
    if not isinstance(row, dict):
        raise InputError(
            f"{file.place}, row {number}: {type(row).__name__}, not an object with a column {columns.text!r}"
        )
    return columns.document(row, number, file.name, file.place)


def distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; Python keeps the last of two values of one key without a word. Raises `ValueError` for that."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} comes twice in an object")
    return found


def parsed(text: str, place: str) -> Any:
    """What a text of JSON holds. Raises `InputError` if it cannot be read."""
    try:
        return json.loads(text, object_pairs_hook=distinct_keys)
    except RecursionError:
        raise InputError(f"{place}: not JSON that can be read (too deeply nested); mend it or leave it out") from None
    except ValueError as error:
        raise InputError(f"{place}: not JSON ({error}); mend it or leave it out") from None


def read_table(file: TextFile, encoding: str, chosen: str) -> Iterator[Document]:
    """CSV or TSV with headings in its first line, or lines of a number, a tab and a text.

    Raises `InputError`, with the row, where a row has another number of cells than the headings.
    """
    columns = Columns.parse(chosen)
    numbered = NUMBERED.match(next(lines_of(file, encoding), "")) if not chosen else None
    if numbered:
        columns = Columns("1", "0")
    rows = cells_of(file, encoding, numbered=bool(numbered))
    headings = ["0", "1"] if numbered else next(rows, [])
    columns.require_distinct(headings, file.place)
    for number, row in enumerate(rows):
        document = columns.document(dict(zip(headings, row, strict=True)), number, file.name, file.place)
        yield Document(f"{file.name}:{document.name}", document.text) if numbered else document


def cells_of(file: TextFile, encoding: str, numbered: bool = False) -> Iterator[list[str]]:
    """The rows of CSV or TSV, the headings first, or (`numbered`) lines of a number, a tab and a text."""
    csv.field_size_limit(LONGEST_CELL)
    separator = "\t" if numbered else separator_of(next(lines_of(file, encoding), ""))
    lines = partial(lines_of, file, encoding, newline="")
    quoting = csv.QUOTE_NONE if numbered else quoting_of(lines, separator)
    rows = csv.reader(lines(), delimiter=separator, strict=True, quoting=quoting)
    try:
        headings = ["0", "1"] if numbered else next(rows, [])
        if not numbered:
            yield headings
        for number, row in enumerate(row for row in rows if row):
            if len(row) != len(headings):
                raise InputError(
                    f"{file.place}, row {number}: {len(row)} cells, but {len(headings)} headings ({_offered(headings)})"
                )
            yield row
    except csv.Error as error:
        raise InputError(f"{file.place}: line {rows.line_num}: {error}; mend the quotes of this table") from None


def read_parquet(file: TextFile, encoding: str, chosen: str) -> Iterator[Document]:
    """A document in each row of a Parquet file, read batch by batch."""
    columns = Columns.parse(chosen)
    number = 0
    with seekable(file) as stream:
        try:
            table = pq.ParquetFile(pa.PythonFile(stream, mode="r"))
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{file.place}: not a Parquet file ({one_line(error, 120)})") from None
        wanted = {name.split(".")[0].lower() for name in columns.named} | {name.lower() for name in columns.named}
        columns.require_distinct(table.schema_arrow.names, file.place)
        names = [name for name in table.schema_arrow.names if name.lower() in wanted]
        if not names:
            raise InputError(f"{file.place}: no column {columns.text!r}; {_offered(table.schema_arrow.names)}")
        for row in _parquet_rows(table, file, names):
            yield columns.document(row, number, file.name, file.place)
            number += 1


def _parquet_rows(table: pq.ParquetFile, file: TextFile, names: list[str]) -> Iterator[dict[str, Any]]:
    try:
        for batch in table.iter_batches(batch_size=1000, columns=names):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError, OverflowError) as error:  # PyArrow says any of a damaged file
        reason = one_line(error, 120)
        raise InputError(f"{file.place}: the Parquet file is damaged ({reason}); give a whole one") from None
