"""Text files, whole or streamed. A byte that is not text is an error that gives its position."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from ..system.errors import InputError
from .files import TextFile

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
"""Files that say that they are not the usual UTF-8; the marks of UTF-32 begin like those of UTF-16."""


def decode(path: Path | TextFile, encoding: str) -> str:
    """The text of a file. Raises `InputError` naming the byte that is not text, or the encoding that is unknown."""
    file = TextFile.of(path)
    with file.open() as stream:
        data = stream.read()
    encoding = encoding_of(data[:4], encoding)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise undecodable(file, encoding, error.start) from None
    except UnicodeError as error:
        raise InputError(f"{file.place}: not {encoding} ({error}); name its encoding with --encoding") from None
    _refuse_nul(file, encoding, text, 0)
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def encoding_of(begins: bytes, named: str) -> str:
    """The encoding that was named; where that is UTF-8, the one that the first bytes of the file name.

    Raises `InputError` if Python does not know the encoding.
    """
    try:
        usual = codecs.lookup(named).name == "utf-8"
        b" ".decode(named, "replace")  # refuses `hex` and the like, which decode to bytes
    except (LookupError, ValueError):
        raise InputError(
            f"encoding: {named!r} is unknown to Python as one of text; use a name such as utf-8 or latin-1"
        ) from None
    return next((encoding for mark, encoding in _MARKS if usual and begins.startswith(mark)), named)


def undecodable(file: TextFile, encoding: str, offset: int) -> InputError:
    """The error for a byte that is not text."""
    return InputError(
        f"{file.place}: byte {offset} is not {encoding}; give a text file, or name its encoding with --encoding"
    )


def _refuse_nul(file: TextFile, encoding: str, text: str, offset: int) -> None:
    at = text.find("\0")
    if at >= 0:
        offset += len(text[:at].encode(encoding))
        raise InputError(
            f"{file.place}: byte {offset} is a NUL, so this is not {encoding} text; leave the file out, "
            "or name its encoding with --encoding (UTF-16 text has NULs when read as UTF-8)"
        )


def blocks_of(path: Path | TextFile, encoding: str, by_line: bool) -> Iterator[tuple[int, str]]:
    """Lines, or blocks between blank lines, each with the number of its first line; the file is streamed."""
    block: list[str] = []
    first = 1
    for number, line in enumerate(lines_of(path, encoding), start=1):
        if by_line:
            yield number, line
        elif line.strip():
            first = first if block else number
            block.append(line)
        elif block:
            yield first, "".join(block)
            block = []
    if block:
        yield first, "".join(block)


def lines_of(path: Path | TextFile, encoding: str, newline: str | None = None) -> Iterator[str]:
    """The lines of a file, streamed; raises `InputError` at a byte that is not text. `newline` is that of `open`."""
    file = TextFile.of(path)
    with _text(file, encoding, newline) as lines:
        for number, line in enumerate(lines):
            if "\0" in line:
                decode(file, encoding)  # finds the byte and says so
            yield line.removeprefix("\ufeff") if number == 0 else line


def split_lines(path: Path | TextFile, encoding: str) -> Iterator[str]:
    """The lines of the text that `decode` gives, with their ends, as `str.splitlines` divides it; streamed."""
    for line in lines_of(path, encoding, newline=""):
        yield from line.replace("\r\n", "\n").splitlines(keepends=True)


@contextmanager
def _text(file: TextFile, encoding: str, newline: str | None) -> Iterator[io.TextIOWrapper]:
    with file.open() as stream:
        begins = stream.read(4)
    encoding = encoding_of(begins, encoding)
    try:
        with io.TextIOWrapper(cast(io.BufferedReader, file.open()), encoding=encoding, newline=newline) as lines:
            yield lines
    except UnicodeDecodeError:
        raise undecodable(file, encoding, _first_bad_byte(file, encoding)) from None
    except UnicodeError as error:  # UTF-16 without the mark that says which of the two it is
        raise InputError(f"{file.place}: not {encoding} ({error}); name its encoding with --encoding") from None


def _first_bad_byte(file: TextFile, encoding: str) -> int:
    decoder = codecs.getincrementaldecoder(encoding)()
    consumed = 0
    with file.open() as stream:
        while True:
            pending = len(decoder.getstate()[0])
            chunk = stream.read(1 << 20)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return consumed - pending + error.start
            consumed += len(chunk)
            if not chunk:
                raise AssertionError(f"{file.place} decodes as {encoding} after all")
