"""`twotower list` and `twotower show`: the runs below a folder, and what one of them found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Annotated

import tyro

from ..config.conversion import plain
from ..data.corpus_names import short_name
from ..runs.listing import Listed, look_at, run_folders
from ..system.errors import InputError
from ..system.progress import Progress
from .options import Command, read
from .output import SUCCESS, Output

HEADINGS = ("run", "state", "corpus", "preset", "seed", "perplexity", "D", "surplus", "divides")
WIDEST = 28
"""Characters of a corpus, of which the end is shown."""


@dataclass(frozen=True)
class ListArguments:
    """What `list` takes."""

    folder: tyro.conf.Positional[Path] = Path("runs")
    """The folder below which to look."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


@dataclass(frozen=True)
class ShowArguments:
    """What `show` takes."""

    run: tyro.conf.Positional[Path] = Path()
    """The run folder."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def list_runs(command: Command, words: list[str]) -> int:
    """Show the runs below a folder, one a line."""
    parsed = read(command, words, ListArguments())
    folders = run_folders(parsed.folder)
    with parsed.output.progress(), Progress("list", len(folders), "run", delay=2.0) as progress:
        found = [progress.counted(look_at(one)) for one in folders]
    if not found and not parsed.output.json:
        raise InputError(f"list: there is no run below {parsed.folder}; give another folder")
    states = [one.state for one in found]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    parsed.output.result(
        {"folder": str(parsed.folder), "runs": [one.plain() for one in found]},
        f"{len(found)} {'run' if len(found) == 1 else 'runs'}: {counts}",
        "\n".join([*_table(found, parsed.folder), *_notes(found), ""]),
    )
    return SUCCESS


def show_run(command: Command, words: list[str]) -> int:
    """Print the summary of a finished run again."""
    parsed = read(command, words, ShowArguments())
    if parsed.run == Path():
        raise InputError("show: give the folder of a run")
    from ..report.summary import headline, sentences, summarize
    from ..results.results import read_results
    from ..runs.finished import RunFolder

    results = read_results(RunFolder(parsed.run))
    page = parsed.run / "report.html"
    parsed.output.result(
        {"run": str(parsed.run), "headline": headline(results), "sentences": sentences(results),
         "figures": plain(results.main), "report": str(page) if page.is_file() else None},
        f"report: {page}" if page.is_file() else f"report: none yet; `twotower report --out {parsed.run}` makes it",
        summarize(results) + "\n",
    )  # fmt: skip
    return SUCCESS


def _table(found: Sequence[Listed], below: Path) -> list[str]:
    """Lines of aligned columns."""
    rows = [HEADINGS, *(_row(one, below) for one in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    right = HEADINGS.index("seed")
    return [
        "  ".join(
            text.rjust(width) if column >= right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _row(one: Listed, below: Path) -> tuple[str, ...]:
    name = str(one.folder.relative_to(below)) if one.folder != below else str(one.folder)
    if one.config is None:
        return (name, one.state, *[""] * (len(HEADINGS) - 2))
    corpus = short_name(one.config.prepare.corpus)
    strangers = " (strangers)" if one.config.model.cooperation == 0 and one.config.model.towers > 1 else ""
    return (
        name, one.state, corpus if len(corpus) <= WIDEST else "…" + corpus[1 - WIDEST :], one.config.preset + strangers,
        str(one.config.seed), *(_figure(one, key, digits) for key, digits in COLUMNS),
        (one.figures and one.figures.verdict) or "",
    )  # fmt: skip


COLUMNS = (("perplexity", 0), ("size", 2), ("surplus", 3))


def _figure(one: Listed, key: str, digits: int) -> str:
    value = getattr(one.figures, key, None)
    return "" if value is None or not isfinite(value) else f"{value:.{digits}f}"


def _notes(found: Sequence[Listed]) -> list[str]:
    """What the columns mean, which stage comes next, and what is wrong with damaged runs."""
    notes = [""]
    if any(one.figures for one in found):
        notes += [
            "perplexity: of the model, on held-out text",
            "D: by how much the towers differ, in nats, where two readings agree; 0 means that they do not",
            "surplus: how much better all towers together are than the better one alone, in nats per token",
            "divides: whether the towers divide the work; only runs with strangers can say yes",
        ]
    notes += [f"{one.folder}: stage {one.note} comes next" for one in found if one.state == "unfinished"]
    notes += [f"{one.folder}: {one.note}" for one in found if one.state == "damaged"]
    return notes if len(notes) > 1 else []
