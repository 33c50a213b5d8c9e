"""The table of figures: for the terminal, and for docs/performance.md."""

from __future__ import annotations

from collections.abc import Sequence

from .measure import Row

HEADS = ("work", "against", "aim", "one thread", "two threads")


def show(rows: Sequence[Row]) -> str:
    """A line for each figure."""
    lines = [f"{'work':46} {'threads':>7} {'against':40} {'ratio':>7} {'target':>8}  met"]
    lines += [
        f"{one.name:46} {one.threads:>7} {one.baseline:40} {one.ratio:7.2f} {one.target:>8}  "
        + {True: "yes", False: "NO", None: "–"}[one.met]
        for one in rows
    ]
    return "\n".join(lines)


def markdown(rows: Sequence[Row]) -> str:
    """A line for each kind of figure, with a column for one thread and one for two; ✗ where the target is missed."""
    kinds: dict[tuple[str, str, str], dict[int, Row]] = {}
    for one in rows:
        kinds.setdefault((one.name, one.baseline, one.target), {})[one.threads] = one
    lines = [f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|"]
    lines += [f"| {' | '.join((*kind, *(_cell(by.get(count)) for count in (1, 2))))} |" for kind, by in kinds.items()]
    return "\n".join(lines)


def _cell(one: Row | None) -> str:
    if one is None:
        return "–"
    return f"{one.ratio:.2f}" + (" ✗" if one.met is False else "")
