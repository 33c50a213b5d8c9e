"""How far the runs of a study are, read from their folders alone: locks, records and logs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..config.schema import RunConfig
from ..runs.locking import Holder, holder
from ..runs.records import Records, load_config, read_records, up_to_date
from ..runs.stages import MAIN
from ..system.durations import duration
from ..system.errors import InputError
from ..system.printing import in_percent
from .manifest import read_study
from .work import prepared_folder

State = Literal["finished", "running", "stopped", "failed", "lost", "waiting"]
STATES: dict[State, str] = {
    "finished": "every stage is done",
    "running": "a process is at work in it",
    "stopped": "asked to stop; goes on where it was",
    "failed": "ended by an error, which is the last line of its log",
    "lost": "its process was killed, or its machine went down; goes on where it was",
    "waiting": "not begun",
}
CONTINUES = "continues from there"
"""How the last line of a log ends when a run was asked to stop."""
TAIL = 8192


@dataclass(frozen=True)
class RunStatus:
    """How far one run is."""

    name: str
    state: State
    stages: tuple[str, ...]
    """Finished ones, of `twotower run`."""
    detail: str
    """Where it is at work, or why it is not."""
    quiet: float | None
    """Seconds since anything of it was written; None if nothing was."""


def study_status(study: Path) -> list[RunStatus]:
    """How far each run of a study is. Raises `InputError` for a folder that holds no study."""
    return [run_status(study, name, config) for name, config in read_study(study).items()]


def run_status(study: Path, name: str, config: RunConfig) -> RunStatus:
    """How far one run is. A lock is held by a live process only; one that names a process but is free was left behind
    by a process that could not give it back, because it was killed."""
    folder = study / "runs" / name
    log = folder.with_name(f"{name}.log")
    quiet = _quiet([folder, folder / "stages.json", folder / "checkpoints", folder / "checkpoints/metrics.jsonl", log])
    try:
        records = read_records(folder)
        stages = tuple(stage for stage in MAIN if stage in records)
        if is_finished(folder, config, records):
            return RunStatus(name, "finished", stages, "", quiet)
    except InputError as error:
        return RunStatus(name, "failed", (), str(error), quiet)
    held, who = holder(folder)
    if not held and who is None and "prepare" not in stages and _text_is_mine(log, study, config):
        held, who = holder(prepared_folder(study, config))
    last = _last_line(log)
    if held:
        return RunStatus(name, "running", stages, _doing(folder, config, stages, who), quiet)
    if who is not None:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(who.since))
        return RunStatus(name, "lost", stages, f"{who}, since {since}", quiet)
    if len(stages) == len(MAIN) and not last.startswith("twotower: "):
        why = "finished with other settings or by another version; made again where that matters"
        return RunStatus(name, "waiting", stages, why, quiet)
    if not last:
        return RunStatus(name, "waiting", stages, "", quiet)
    if last.endswith(CONTINUES):
        return RunStatus(name, "stopped", stages, last.removeprefix("twotower: "), quiet)
    return RunStatus(name, "failed", stages, last.removeprefix("twotower: "), quiet)


def is_finished(folder: Path, config: RunConfig, records: Records | None = None) -> bool:
    """Whether all stages of `twotower run` are up to date; threads are those that the run was made with.

    Whoever has read the `records` hands them on.
    """
    records = read_records(folder) if records is None else records
    if any(stage not in records for stage in MAIN):
        return False
    own = load_config(folder)
    config = replace(config, threads=own.threads, know=own.know)
    return all(up_to_date(folder, config, stage, records) for stage in MAIN)


def show_runs(statuses: Sequence[RunStatus]) -> str:
    """A line for each run."""
    width = max((len(run.name) for run in statuses), default=0)
    lines = []
    for run in statuses:
        quiet = "" if run.state != "running" or run.quiet is None else f"; last written {run.quiet:,.0f} s ago"
        lines.append(
            f"{run.name:<{width}}  {run.state:<8}  {len(run.stages)}/{len(MAIN)}  {run.detail}{quiet}".rstrip()
        )
    return "\n".join(lines)


def show_counts(statuses: Sequence[RunStatus]) -> str:
    """How many runs are in each state."""
    counts = [f"{sum(run.state == state for run in statuses)} {state}" for state in STATES]
    return f"{len(statuses)} runs: {', '.join(counts)}"


BAR = re.compile(r"^(?P<stage>[a-z ]+): +(?P<percent>\d+)%\|.*\[[\d:]+<(?P<left>[\d:]+)")
"""A progress line in a log, as tqdm draws it: `readout:  60%|######    | 1.2M/2.0M [01:12<00:48, 16.7ktoken/s]`."""


def progress_line(log: Path, since: float = 0.0) -> str:
    """What the last progress line of a run's log says: `readout 60 %, 3 min left`.

    Empty if the log ends with something else, or was last written before the time `since`.
    """
    drawn = BAR.match(_last_line(log))
    if drawn is None or log.stat().st_mtime < since:
        return ""
    left = 0
    for part in drawn["left"].split(":"):
        left = 60 * left + int(part)
    return f"{drawn['stage']} {drawn['percent']} %, {duration(left)} left"


def _doing(folder: Path, config: RunConfig, stages: Sequence[str], who: Holder | None) -> str:
    stage = next((name for name in MAIN if name not in stages), MAIN[-1])
    if drawn := progress_line(folder.with_name(f"{folder.name}.log")):
        return drawn + (f" ({who})" if who else "")
    share = ""
    if stage == "train":
        rows = _last_line(folder / "checkpoints" / "metrics.jsonl")
        try:
            share = " " + in_percent(json.loads(rows)["tokens"] / (config.train.tokens * config.train.stop_after))
        except (ValueError, KeyError, TypeError):
            share = ""
    return f"{stage}{share}" + (f" ({who})" if who else "")


def _text_is_mine(log: Path, study: Path, config: RunConfig) -> bool:
    """Whether a run has begun and waits for, or makes, the text that it shares with others."""
    return log.is_file() and not _last_line(log).startswith("twotower: ") and prepared_folder(study, config).is_dir()


def _last_line(path: Path) -> str:
    """The last line of a file that is not empty, what a progress bar overwrote left out; empty without one."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - TAIL))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    lines = [line for line in text.replace("\r", "\n").split("\n") if line.strip()]
    return lines[-1].strip() if lines else ""


def _quiet(paths: Sequence[Path]) -> float | None:
    times = [path.stat().st_mtime for path in paths if path.exists()]
    return max(0.0, time.time() - max(times)) if times else None
