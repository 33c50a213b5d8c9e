"""The table of figures: for the terminal, and for docs/performance.md."""

from __future__ import annotations

from collections.abc import Sequence

from .measure import Row

HEADS = ("work", "against", "aim")
THREADS = {1: "one thread", 2: "two threads"}


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
    """A line for each kind of figure, with a column for each number of threads; ✗ where the target is missed."""
    kinds: dict[tuple[str, str, str], dict[int, Row]] = {}
    for one in rows:
        kinds.setdefault((one.name, one.baseline, one.target), {})[one.threads] = one
    counts = sorted({one.threads for one in rows})
    heads = [*HEADS, *(THREADS.get(count, f"{count} threads") for count in counts)]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines += [f"| {' | '.join((*kind, *(_cell(by.get(count)) for count in counts)))} |" for kind, by in kinds.items()]
    return "\n".join(lines)


def _cell(one: Row | None) -> str:
    if one is None:
        return "–"
    return f"{one.ratio:.2f}" + (" ✗" if one.met is False else "")
