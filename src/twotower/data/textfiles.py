"""Text files, whole or streamed. A byte that is not text is an error that gives its position."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError


def decode(path: Path, encoding: str) -> str:
    """The text of a file. Raises `InputError` naming the byte that is not text, or the encoding that is unknown."""
    try:
        text = path.read_bytes().decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(path, encoding, error.start) from None
    except UnicodeError as error:
        raise InputError(f"{path}: not {encoding} ({error}); name its encoding with --encoding") from None
    except LookupError:
        raise InputError(f"encoding: {encoding!r} is unknown to Python; use a name such as utf-8 or latin-1") from None
    _refuse_nul(path, encoding, text, 0)
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _undecodable(path: Path, encoding: str, offset: int) -> InputError:
    return InputError(
        f"{path}: byte {offset} is not {encoding}; give a text file, or name its encoding with --encoding"
    )


def _refuse_nul(path: Path, encoding: str, text: str, offset: int) -> None:
    at = text.find("\0")
    if at >= 0:
        offset += len(text[:at].encode(encoding))
        raise InputError(
            f"{path}: byte {offset} is a NUL, so this is not {encoding} text; leave the file out, "
            "or name its encoding with --encoding (UTF-16 text has NULs when read as UTF-8)"
        )


def blocks_of(path: Path, encoding: str, by_line: bool) -> Iterator[tuple[int, str]]:
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


def lines_of(path: Path, encoding: str) -> Iterator[str]:
    """The lines of a file, streamed; raises `InputError` at a byte that is not text."""
    try:
        with path.open(encoding=encoding) as lines:
            for number, line in enumerate(lines):
                if "\0" in line:
                    decode(path, encoding)  # finds the byte and says so
                yield line.removeprefix("\ufeff") if number == 0 else line
    except UnicodeDecodeError:
        raise _undecodable(path, encoding, _first_bad_byte(path, encoding)) from None
    except UnicodeError as error:  # UTF-16 without the mark that says which of the two it is
        raise InputError(f"{path}: not {encoding} ({error}); name its encoding with --encoding") from None
    except LookupError:
        raise InputError(f"encoding: {encoding!r} is unknown to Python; use a name such as utf-8 or latin-1") from None


def _first_bad_byte(path: Path, encoding: str) -> int:
    decoder = codecs.getincrementaldecoder(encoding)()
    consumed = 0
    with path.open("rb") as stream:
        while True:
            pending = len(decoder.getstate()[0])
            chunk = stream.read(1 << 20)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return consumed - pending + error.start
            consumed += len(chunk)
            if not chunk:
                raise AssertionError(f"{path} decodes as {encoding} after all")
