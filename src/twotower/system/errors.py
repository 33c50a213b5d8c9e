"""The ways in which a run can stop that are not bugs."""

from __future__ import annotations


class InputError(ValueError):
    """The user's input cannot be used.

    The message is one line: which file, line or key; what was expected; what to do.
    The command line prints it without a traceback and exits with 2.
    """


class DiskError(OSError):
    """The disk failed while a file was read or written; earlier artifacts are intact.

    The command line prints the path and exits with 1.
    """


class DiskFullError(DiskError):
    """The disk (or the quota) filled while a file was written."""


class Interrupted(Exception):  # noqa: N818 (an interruption is no error)
    """Ctrl-C or SIGTERM reached a stage that has saved its progress; the same command continues from there."""


def one_line(error: Exception, most: int | None = None) -> str:
    """What another library's error says, on one line, of which so many characters are kept."""
    return " ".join(str(error).split())[:most]


def described(error: Exception) -> str:
    """The same behind the name of the error's class, for what many libraries may have raised."""
    return f"{type(error).__name__}: {one_line(error, 200)}"
