"""Suggestions for a word that was meant to be another one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean X?)`, with the known word that is spelled most like it; empty if none is close."""
    lowered = {known_word.lower(): known_word for known_word in known}
    near = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.65)
    return f" (did you mean {lowered[near[0]]}?)" if near else ""
