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
        f"{row.name:46} {row.threads:>7} {row.baseline:40} {row.ratio:7.2f} {row.target:>8}  "
        + {True: "yes", False: "NO", None: "–"}[row.met]
        for row in rows
    ]
    return "\n".join(lines)


def markdown(rows: Sequence[Row]) -> str:
    """A line for each kind of figure, with a column for each number of threads; ✗ where the target is missed."""
    kinds: dict[tuple[str, str, str], dict[int, Row]] = {}
    for row in rows:
        kinds.setdefault((row.name, row.baseline, row.target), {})[row.threads] = row
    counts = sorted({row.threads for row in rows})
    heads = [*HEADS, *(THREADS.get(count, f"{count} threads") for count in counts)]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines += [f"| {' | '.join((*kind, *(_cell(by.get(count)) for count in counts)))} |" for kind, by in kinds.items()]
    return "\n".join(lines)


def _cell(row: Row | None) -> str:
    if row is None:
        return "–"
    return f"{row.ratio:.2f}" + (" ✗" if row.met is False else "")
