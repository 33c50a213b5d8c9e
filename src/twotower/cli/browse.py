"""`twotower list` and `twotower show`: the runs below a folder, and what one of them found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from ..comparison.grid import is_stranger
from ..data.corpus_names import short_name
from ..runs.listing import Listed, look_at, run_folders
from ..system.errors import InputError
from ..system.progress import Progress
from .options import Command, read
from .output import SUCCESS, Output, finding_in
from .table import aligned, fitted, room

HEADINGS = ("run", "state", "corpus", "preset", "seed", "perplexity", "D", "surplus", "divides")
SHORTENED = (HEADINGS.index("corpus"), HEADINGS.index("preset"), HEADINGS.index("run"))
"""Columns that give way where a line is too long, in this order."""
SORTS: dict[str, Callable[[Listed], Any]] = {
    "name": lambda run: str(run.folder),
    "state": lambda run: run.state,
    "corpus": lambda run: "" if run.config is None else short_name(run.config.prepare.corpus),
    "preset": lambda run: "" if run.config is None else run.config.preset,
    "seed": lambda run: None if run.config is None else run.config.seed,
    "perplexity": lambda run: _known(run, "perplexity"),
    "D": lambda run: _known(run, "size"),
    "surplus": lambda run: _known(run, "surplus"),
    "divides": lambda run: _known(run, "verdict"),
}
"""What `--sort` takes, and the value of a run that it sorts by; None is last."""
FILTERS = ("state", "preset", "corpus", "divides")
"""Columns that have an option of their own, which keeps the runs that match."""


@dataclass(frozen=True)
class ListArguments:
    """What `list` takes."""

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="[FOLDER]")] = Path("runs")
    """The folder below which to look."""
    state: Literal["finished", "unfinished", "running", "damaged"] | None = None
    """Only runs in this state."""
    preset: str = ""
    """Only runs of presets whose name contains this."""
    corpus: str = ""
    """Only runs on corpora whose name contains this."""
    divides: str = ""
    """Only runs with this verdict, such as yes, no or undecided."""
    sort: Literal["name", "state", "corpus", "preset", "seed", "perplexity", "D", "surplus", "divides"] = "name"
    """Sort by this column, runs that have no such figure last."""
    reverse: tyro.conf.FlagCreatePairsOff[bool] = False
    """Sort from the largest to the smallest."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


@dataclass(frozen=True)
class ShowArguments:
    """What `show` takes."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="[RUN]")] = Path()
    """The run folder."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def list_runs(command: Command, words: list[str]) -> int:
    """Show the runs below a folder, one a line."""
    parsed = read(command, words, ListArguments())
    folders = run_folders(parsed.folder)
    with parsed.output.progress(), Progress("list", len(folders), "run", delay=2.0) as progress:
        looked_at = [progress.counted(look_at(folder)) for folder in folders]
    if not looked_at and not parsed.output.json:
        raise InputError(f"list: there is no run below {parsed.folder}; give another folder")
    listed = _sorted([run for run in looked_at if _is_wanted(run, parsed)], parsed)
    states = [run.state for run in listed]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    parsed.output.result(
        {"folder": str(parsed.folder), "runs": [run.plain() for run in listed]},
        _count(len(listed), len(looked_at), counts or f"there are {_choice(looked_at)}"),
        "\n".join([*_table(listed, parsed.folder), *_notes(listed), ""]) if listed else "",
    )
    return SUCCESS


def _choice(runs: Sequence[Listed]) -> str:
    """What the filters can keep."""
    values = {name: sorted({str(SORTS[name](run) or "") for run in runs} - {""}) for name in FILTERS}
    return "; ".join(f"{name} {', '.join(names)}" for name, names in values.items() if names)


def _count(shown: int, all_runs: int, counts: str) -> str:
    total = f"{shown} of {all_runs} runs" if shown != all_runs else f"{shown} {'run' if shown == 1 else 'runs'}"
    return f"{total}: {counts}" if counts else total


def _is_wanted(run: Listed, parsed: ListArguments) -> bool:
    """Whether a run passes the filters; one whose settings cannot be read has no preset and no corpus."""
    return (
        parsed.state in (None, run.state)
        and parsed.preset in SORTS["preset"](run)
        and parsed.corpus in SORTS["corpus"](run)
        and (not parsed.divides or _known(run, "verdict") == parsed.divides)
    )


def _known(run: Listed, figure: str) -> Any:
    """A main figure of a run; None where it has none, or one that is no number."""
    value = getattr(run.figures, figure, None)
    return None if isinstance(value, float) and not isfinite(value) else value


def _sorted(runs: Sequence[Listed], parsed: ListArguments) -> list[Listed]:
    key = SORTS[parsed.sort]
    with_value = [run for run in runs if key(run) is not None]
    without = [run for run in runs if key(run) is None]
    return [*sorted(with_value, key=key, reverse=parsed.reverse), *without]


def show_run(command: Command, words: list[str]) -> int:
    """Print the summary of a finished run again."""
    parsed = read(command, words, ShowArguments())
    if parsed.run == Path():
        raise InputError("show: give the folder of a run")
    from ..runs.finished import RunFolder

    finding, summary = finding_in(RunFolder(parsed.run))
    page = parsed.run / "report.html"
    parsed.output.result(
        {"run": str(parsed.run), **finding, "report": str(page) if page.is_file() else None},
        f"report: {page}" if page.is_file() else f"report: none yet; `twotower report --out {parsed.run}` makes it",
        summary.lstrip() + "\n",
    )
    return SUCCESS


def _table(runs: Sequence[Listed], below: Path) -> list[str]:
    """Lines of aligned columns."""
    rows = [HEADINGS, *(_row(run, below) for run in runs)]
    return aligned(fitted(rows, SHORTENED, room()), right=HEADINGS.index("seed"))


def _row(run: Listed, below: Path) -> tuple[str, ...]:
    name = str(run.folder.relative_to(below)) if run.folder != below else str(run.folder)
    if run.config is None:
        return (name, run.state, *[""] * (len(HEADINGS) - 2))
    corpus = short_name(run.config.prepare.corpus)
    model = run.config.model
    kind = " (strangers)" if is_stranger(run.config) else ""
    if model.planted != "none":
        kind = f" (planted {model.planted})"
    return (
        name, run.state, corpus, run.config.preset + kind,
        str(run.config.seed), *(_figure(run, key, digits) for key, digits in COLUMNS),
        _known(run, "verdict") or "",
    )  # fmt: skip


COLUMNS = (("perplexity", 0), ("size", 2), ("surplus", 3))


def _figure(run: Listed, key: str, digits: int) -> str:
    value = _known(run, key)
    return "" if value is None else f"{value:.{digits}f}"


def _notes(runs: Sequence[Listed]) -> list[str]:
    """What the columns mean, which stage comes next, and what is wrong with damaged runs."""
    notes = [""]
    if any(run.figures for run in runs):
        notes += [
            "perplexity: of the model, on held-out text",
            "D: by how many nats the towers differ at a token, in what two sets of readouts agree on",
            "surplus: how much better all towers together are than the better one alone, in nats per token",
            "divides: whether the towers divide the work; only runs with strangers can say yes",
        ]
    notes += [f"{run.folder}: stage {run.note} comes next" for run in runs if run.state == "unfinished"]
    notes += [f"{run.folder}: {run.note}" for run in runs if run.state == "damaged"]
    return notes if len(notes) > 1 else []
