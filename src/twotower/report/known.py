"""What each tower knows, in sentences: the summary of `twotower know`."""

from __future__ import annotations

from typing import Any


def what_is_known(results: dict[str, Any]) -> list[str]:
    """A sentence or two for each instrument that was used. `results` are those of a run."""
    known = results.get("knowledge", {})
    return [sentence for name, tell in TELL.items() if name in known for sentence in tell(known[name])]


TELL: dict[str, Any] = {}
"""For each instrument by name, what its part of `results.json` says, in sentences."""
