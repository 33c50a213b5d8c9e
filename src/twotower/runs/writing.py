"""Files that are, at any moment, whole or as they were."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..system.errors import DiskError, DiskFullError, InputError, one_line

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when there is no space left."""
BROKEN = (
    errno.EIO, errno.EROFS, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ETIMEDOUT, errno.EACCES, errno.EPERM,
    errno.EMFILE, errno.ENFILE,
)  # fmt: skip
"""What it says when a disk, or the way to it, does not work."""
FULL_TEXTS = ("No space left on device", "File too large", "Disk quota exceeded")
BROKEN_TEXTS = ("Input/output error", "Read-only file system", "Stale file handle")


def make_folder(folder: Path) -> None:
    """Make a folder of --out, and those above it. Raises `InputError` where one may not be made; a full disk passes."""
    with refusing_unwritable(folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def refusing_unwritable(folder: Path) -> Iterator[None]:
    """Turn what the system raises where a folder of --out may not be written to into an `InputError`."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise
        raise InputError(
            f"--out: {folder} cannot be written to ({error.strerror}); give a folder in which you may write"
        ) from None


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is, at any moment, whole or as it was. Raises `DiskError` if the disk fails."""
    partial = path.with_name(f".{path.name}.partial")
    with naming_disk_errors(path):
        partial.write_text(text, encoding="utf-8")
        sync(partial)
        os.replace(partial, path)
        sync_one(path.parent)


def sync(path: Path) -> None:
    """Have the system put a file, or a folder and all that it holds, on the disk before anything relies on it."""
    for entry in (path, *sorted(path.rglob("*"))) if path.is_dir() else (path,):
        sync_one(entry)


def sync_one(path: Path) -> None:
    """The same for one file, or for the names in a folder: a rename may otherwise be lost with the power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def naming_disk_errors(path: Path) -> Iterator[None]:
    """Turn what the system or a library raises when the disk fails into a `DiskError` that names a file, or `path`.

    A full disk raises `DiskFullError`. Libraries raise errors of their own, with the system's words in them.
    """
    try:
        yield
    except (DiskError, InputError):
        raise
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else None
        intact = "what was finished before is intact"
        if number in FULL or any(text in str(error) for text in FULL_TEXTS):
            raise DiskFullError(
                errno.ENOSPC, f"no space left; {intact}: free space and run again", str(path)
            ) from error
        if number in BROKEN or any(text in str(error) for text in BROKEN_TEXTS):
            where = error.filename if isinstance(error, OSError) and error.filename else path
            reason = error.strerror if isinstance(error, OSError) and error.strerror else one_line(error)
            raise DiskError(
                number or errno.EIO, f"reading or writing failed ({reason}); {intact}: mend that and run again",
                str(where),
            ) from error  # fmt: skip
        raise
