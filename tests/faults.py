"""A pickle that does harm, a disk that fails, or a process that dies, at the n-th operation that writes into a folder.

Operations are counted in the order in which they come: a file opened for writing, a write, a rename, a hard link, a
new folder, an fsync, and what PyArrow and safetensors write by themselves.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow.parquet
import safetensors.torch


class Bomb:
    """Its pickle makes a file where it is read."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(self.marker), "w"))


class Faults:
    """Counts operations under `root`; at number `at` (from 1; 0: never) it does `harm`, half of a write being done."""

    def __init__(self, root: Path, at: int = 0, harm: int | str = errno.ENOSPC) -> None:
        self.root, self.at, self.harm = str(root), at, harm
        self.operations: list[str] = []

    def concerns(self, path: Any) -> bool:
        if not isinstance(path, (str, os.PathLike)):
            return False
        name = os.fspath(path)
        return isinstance(name, str) and name.startswith(self.root) and "/tensorboard" not in name

    def step(self, what: str, path: Any = "", half: Callable[[], Any] = lambda: None) -> None:
        name = os.path.relpath(path, self.root) if path else ""
        self.operations.append(f"{what} {name}".strip())
        if len(self.operations) == self.at:
            half()
            if self.harm == "kill":
                os._exit(9)
            assert isinstance(self.harm, int)
            raise OSError(self.harm, os.strerror(self.harm), str(path) or None)


@contextmanager
def failing(faults: Faults) -> Iterator[Faults]:
    """While this is active, operations are counted, and the one that `faults` names fails."""
    plain_open = io.open

    def opened(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if not (faults.concerns(file) and set(mode) & set("wax+")):
            return plain_open(file, mode, *arguments, **options)
        faults.step("open", file)
        stream = plain_open(file, mode, *arguments, **options)
        plain_write = stream.write

        def write(content: Any) -> Any:
            def half() -> None:
                plain_write(content[: len(content) // 2])
                stream.flush()

            faults.step("write", file, half)
            return plain_write(content)

        stream.write = write
        return stream

    def of_path(function: Callable[..., Any], what: str, position: int = 0) -> Callable[..., Any]:
        def checked(*arguments: Any, **options: Any) -> Any:
            if len(arguments) > position and faults.concerns(arguments[position]):
                faults.step(what, arguments[position])
            return function(*arguments, **options)

        return checked

    def always(function: Callable[..., Any], what: str) -> Callable[..., Any]:
        def checked(*arguments: Any, **options: Any) -> Any:
            faults.step(what)
            return function(*arguments, **options)

        return checked

    writer = pyarrow.parquet.ParquetWriter
    with ExitStack() as stack:
        for place, name, replacement in (
            (builtins, "open", opened),
            (io, "open", opened),
            (os, "replace", of_path(os.replace, "rename to", 1)),
            (os, "rename", of_path(os.rename, "rename to", 1)),
            (os, "link", of_path(os.link, "link", 1)),
            (os, "mkdir", of_path(os.mkdir, "make folder")),
            (os, "fsync", always(os.fsync, "fsync")),
            (writer, "__init__", of_path(writer.__init__, "parquet", 1)),
            (writer, "write_table", always(writer.write_table, "parquet rows")),
            (writer, "close", always(writer.close, "parquet end")),
            (safetensors.torch, "serialize_file", of_path(safetensors.torch.serialize_file, "safetensors", 1)),
        ):
            stack.enter_context(mock.patch.object(place, name, replacement))
        yield faults


def in_a_child(function: Callable[[], Any]) -> int:
    """Exit code of a process that does `function` and dies on the way, or not (then 0)."""
    child = os.fork()
    if child == 0:
        try:
            function()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
