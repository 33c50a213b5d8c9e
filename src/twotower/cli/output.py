"""What a command says, where, and the exit codes."""

from __future__ import annotations

import sys

from ..printing import printable

SUCCESS, FAILURE, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def show(text: str) -> None:
    """What the command was asked for, on standard output."""
    print(printable(text))


def say(text: str) -> None:
    """What is being done, on standard error."""
    print(printable(text), file=sys.stderr)


def fail(message: str, code: int) -> int:
    """Say why a command stops, in one line, and return its exit code."""
    say(f"twotower: {' '.join(message.split())}")
    return code
