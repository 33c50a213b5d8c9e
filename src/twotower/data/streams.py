"""Streams of pieces, written document by document into files that are memory-mapped later."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from .word_starts import DividedText


def piece_type(vocabulary: int) -> type[np.unsignedinteger[Any]]:
    """The smallest type that holds the ids of a vocabulary."""
    return np.uint16 if vocabulary <= 1 << 16 else np.uint32


def count_begun(path: Path) -> tuple[int, int]:
    """The length of a stream, and how many words begin in it, from its file `…_begins.npy`; read in parts."""
    length = begun = 0
    with path.open("rb") as file:
        npy.read_magic(file)
        npy.read_array_header_1_0(file)
        while part := file.read(1 << 24):
            length += len(part)
            begun += int(np.count_nonzero(np.frombuffer(part, dtype=np.bool_)))
    return length, begun


def join_arrays(parts: Sequence[Path], path: Path, overlap: int) -> list[int]:
    """Write arrays of one dimension one after the other into `path`, without the first `overlap` items of all but the
    first; copied in pieces. Returns how many items of each part are before the next one begins to count."""
    lengths = []
    whole: _Array | None = None
    for number, part in enumerate(parts):
        with part.open("rb") as file:
            npy.read_magic(file)
            (length,), _, dtype = npy.read_array_header_1_0(file)
            whole = whole or _Array(path, dtype.type)
            skipped = overlap if number else 0
            file.seek(skipped * dtype.itemsize, os.SEEK_CUR)
            while piece := file.read(1 << 24):
                whole.append(np.frombuffer(piece, dtype=dtype))
            lengths.append(length - overlap)
    assert whole is not None
    whole.close(whole=True)
    return lengths


class Stream:
    """The pieces of documents one after the other, a separator around each, and where words begin among them."""

    def __init__(self, folder: Path, name: str, dtype: type[np.unsignedinteger[Any]], separator: int) -> None:
        self._ids = _Array(folder / f"{name}.npy", dtype)
        self._begins = _Array(folder / f"{name}_begins.npy", np.bool_)
        self._separator = np.array([separator])
        self._separate()

    @property
    def length(self) -> int:
        """Pieces written so far, separators included."""
        return self._ids.length

    def _separate(self) -> None:
        self._ids.append(self._separator)
        self._begins.append(np.array([True]))

    def append(self, encoded: DividedText) -> None:
        """Write a document and the separator after it."""
        self._ids.append(encoded.ids)
        self._begins.append(encoded.begins)
        self._separate()

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for array in (self._ids, self._begins):
            array.close(whole=kind is None)


class _Array:
    """A one-dimensional `.npy` file of unknown length, written piece by piece."""

    def __init__(self, path: Path, dtype: type[np.unsignedinteger[Any] | np.bool_]) -> None:
        self.length = 0
        self.dtype = np.dtype(dtype)
        self.file = path.open("wb")
        self._write_header()

    def _write_header(self) -> None:
        # NumPy pads headers so that the length may grow to any number of digits in place.
        self.file.seek(0)
        header = {"descr": npy.dtype_to_descr(self.dtype), "fortran_order": False, "shape": (self.length,)}
        npy.write_array_header_1_0(self.file, header)

    def append(self, values: NDArray[np.integer | np.bool_]) -> None:
        self.file.write(values.astype(self.dtype).tobytes())
        self.length += len(values)

    def close(self, whole: bool) -> None:
        if whole:
            self._write_header()
        self.file.close()
