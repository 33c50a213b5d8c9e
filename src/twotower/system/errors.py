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
