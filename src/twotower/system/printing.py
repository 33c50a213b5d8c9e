"""Text for a terminal: what a file name or a corpus holds stays text, and moves no cursor."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with control characters, escape sequences and bidirectional overrides written out, line ends kept."""
    return "".join(
        character if character.isprintable() or character == "\n" else character.encode("unicode_escape").decode()
        for character in text
    )


def in_percent(share: float, digits: int = 0) -> str:
    """A share as people read it: `41.4 %`."""
    return f"{100 * share:.{digits}f} %"
