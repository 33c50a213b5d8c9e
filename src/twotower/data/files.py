"""Files to read from: on disk, compressed, or inside of an archive."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path, PurePath
from typing import IO, Any, cast

import zstandard

from ..system.errors import InputError, one_line

HEAD = 1 << 14
"""Bytes from which a format is known."""
IN_MEMORY = 1 << 26
"""Bytes of an unpacked archive that are kept in memory; more go to a temporary file."""


class _Zstandard(io.RawIOBase):
    """Frames of zstd, one after the other. `zstandard`'s own reader ends without a word where a file was cut off."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._begun = False
        self._packed, self._plain = b"", memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._plain:
            self._packed = self._packed or self._stream.read(1 << 13)
            if not self._packed:
                if self._begun:
                    raise EOFError("Compressed file ended before the end of its last frame")
                return 0
            self._plain, self._begun = memoryview(self._frame.decompress(self._packed)), True
            self._packed = b""
            if self._frame.eof:
                self._packed, self._begun = self._frame.unused_data, False
                self._frame = zstandard.ZstdDecompressor().decompressobj()
        count = min(len(buffer), len(self._plain))
        buffer[:count], self._plain = self._plain[:count], self._plain[count:]
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


_COMPRESSED: tuple[tuple[bytes, str, Callable[[IO[bytes]], IO[bytes]]], ...] = (
    (b"\x1f\x8b", ".gz", lambda stream: cast(IO[bytes], gzip.GzipFile(fileobj=stream))),
    (b"BZh", ".bz2", lambda stream: cast(IO[bytes], bz2.BZ2File(stream))),
    (b"\xfd7zXZ\0", ".xz", lambda stream: lzma.LZMAFile(stream)),  # noqa: SIM115
    (b"\x28\xb5\x2f\xfd", ".zst", lambda stream: cast(IO[bytes], io.BufferedReader(_Zstandard(stream)))),
)  # fmt: skip
"""First bytes, suffix, and how to read."""
_DAMAGED = (
    NotImplementedError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError, zipfile.BadZipFile,
    tarfile.TarError,
)  # fmt: skip


def shown(name: str | os.PathLike[str]) -> str:
    """A file's name as text: bytes that are no UTF-8 are written out, as `caf\\xe9.txt`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class TextFile:
    """A file, or a member of an archive, that is read as if it were not compressed."""

    name: str
    """What its documents are called by: a path below the folder that was named."""
    place: str
    """Where it is, for messages."""
    open: Callable[[], IO[bytes]]
    """A stream of its bytes, from the beginning."""
    size: int = 0
    """Bytes on disk."""

    @classmethod
    def of(cls, path: Path | TextFile, name: str = "") -> TextFile:
        """The file at a path, opened through what compresses it; a file stays as it is."""
        if isinstance(path, TextFile):
            return path
        return cls(shown(name or path.name), shown(path), lambda: _uncompressed(path.open("rb")), path.stat().st_size)

    @cached_property
    def suffix(self) -> str:
        """In lower case, without that of a compression: `.txt` for `A.TXT.gz`."""
        name = PurePath(self.name.lower())
        packed = {suffix for _, suffix, _ in _COMPRESSED}
        return PurePath(name.stem).suffix if name.suffix in packed else name.suffix

    @cached_property
    def head(self) -> bytes:
        """Its first bytes."""
        with damage_named(self), self.open() as stream:
            return stream.read(HEAD)


def _uncompressed(stream: IO[bytes]) -> IO[bytes]:
    begins = cast(io.BufferedReader, stream).peek(8)
    for magic, _, opened in _COMPRESSED:
        if begins.startswith(magic):
            return opened(stream)
    return stream


@contextmanager
def damage_named(file: TextFile) -> Iterator[None]:
    """Raise `InputError` for what cannot be opened or unpacked."""
    try:
        yield
    except gzip.BadGzipFile as error:
        raise InputError(f"{file.place}: the compressed file is damaged ({error}); give a whole one") from None
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"corpus: {file.place} cannot be read ({reason}); give files that you may read, or leave this one out"
        ) from None
    except _DAMAGED as error:
        reason = one_line(error, 100)
        raise InputError(f"{file.place}: the compressed file is damaged ({reason}); give a whole one") from None


def members(file: TextFile) -> list[TextFile] | None:
    """The files in a `.zip` or `.tar` archive, compressed or not; None for what is no archive."""
    if file.head.startswith(b"PK\3\4"):
        return _zip_members(file)
    if file.head[257:262] == b"ustar":
        return _tar_members(file)
    return None


def _zip_members(file: TextFile) -> list[TextFile]:
    with damage_named(file):
        archive = zipfile.ZipFile(seekable(file))
    text_files = []
    for member in archive.infolist():
        if member.is_dir():
            continue
        if member.flag_bits & 1:
            raise InputError(f"{file.place}: {shown(member.filename)} is encrypted; unpack it and give the folder")
        text_files.append(_member(file, member.filename, member.file_size, partial(archive.open, member)))
    return text_files


def _tar_members(file: TextFile) -> list[TextFile]:
    with damage_named(file):
        archive = tarfile.open(fileobj=seekable(file))  # noqa: SIM115 - its members are read later
        inside = [member for member in archive.getmembers() if member.isfile()]
    return [_member(file, member.name, member.size, partial(_extracted, archive, member)) for member in inside]


def _extracted(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    return cast(IO[bytes], archive.extractfile(member))


def _member(file: TextFile, name: str, size: int, opened: Callable[[], IO[bytes]]) -> TextFile:
    inside = "/".join(part for part in shown(name).split("/") if part not in ("", ".", ".."))
    return TextFile(
        f"{file.name}/{inside}", f"{file.place}/{inside}",
        lambda: _uncompressed(cast(IO[bytes], io.BufferedReader(cast(io.RawIOBase, opened())))), size,
    )  # fmt: skip


def seekable(file: TextFile) -> IO[bytes]:
    """A stream that can be read in any order; a compressed file is unpacked for it."""
    stream = file.open()
    if isinstance(stream, io.BufferedReader) and stream.seekable():
        return stream
    spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - kept as long as its members are
    with stream:
        shutil.copyfileobj(stream, spool)
    spool.seek(0)
    return cast(IO[bytes], spool)
