"""The table of figures: for the terminal, and for docs/performance.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def markdown(rows_by_machine: Mapping[str, Sequence[Row]]) -> str:
    """A line for each kind of figure, a column for each machine and number of threads; ✗ where the aim is missed."""
    kinds: dict[tuple[str, str, str], dict[tuple[str, int], Row]] = {}
    for machine, rows in rows_by_machine.items():
        for row in rows:
            kinds.setdefault((row.name, row.baseline, row.target), {})[machine, row.threads] = row
    columns = [(machine, threads) for machine in rows_by_machine for threads in THREADS]
    heads = [*HEADS, *(f"{machine}: {THREADS[threads]}" for machine, threads in columns)]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for kind, by_column in kinds.items():
        lines.append(f"| {' | '.join((*kind, *(_cell(by_column.get(column)) for column in columns)))} |")
    return "\n".join(lines)


def _cell(row: Row | None) -> str:
    if row is None:
        return "–"
    return f"{row.ratio:.2f}" + (" ✗" if row.met is False else "")
