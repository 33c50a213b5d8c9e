"""Files that are, at any moment, whole or as they were."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import DiskFullError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when there is no space left."""


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is, at any moment, whole or as it was. Raises `DiskFullError` if the disk fills."""
    partial = path.with_name(f".{path.name}.partial")
    with naming_full_disk(path):
        partial.write_text(text, encoding="utf-8")
        sync(partial)
        os.replace(partial, path)


def sync(path: Path) -> None:
    """Have the system put a file, or a folder and all that it holds, on the disk before anything relies on it."""
    for one in (path, *path.rglob("*")) if path.is_dir() else (path,):
        handle = os.open(one, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def naming_full_disk(path: Path) -> Iterator[None]:
    """Turn whatever a library raises when the disk is full into a `DiskFullError` that names `path`."""
    try:
        yield
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in FULL
        texts = ("No space left on device", "File too large", "Disk quota exceeded")
        if full or any(text in str(error) for text in texts):
            raise DiskFullError(
                errno.ENOSPC, "no space left; what was finished before is intact: free space and run again", str(path)
            ) from error
        raise


def without_nan(value: Any) -> Any:
    """The same with None for NaN and infinity, which JSON does not know: a figure that cannot be had is null."""
    if isinstance(value, dict):
        return {key: without_nan(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
