"""Text for a terminal: what a file name or a corpus holds stays text, and moves no cursor."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with control characters, escape sequences and bidirectional overrides written out, line ends kept."""
    return "".join(
        character if character.isprintable() or character == "\n" else character.encode("unicode_escape").decode()
        for character in text
    )
