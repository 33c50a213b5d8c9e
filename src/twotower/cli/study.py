"""`twotower study` and `twotower compare`: what many runs say together."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from ..comparison.grid import Grid, jobs, require_seeds
from ..errors import InputError
from ..study import compare_folders, estimate_seconds, run_study
from .options import Command, read
from .output import FAILURE, SUCCESS, say, show


@dataclass(frozen=True)
class StudyArguments:
    """What `study` takes."""

    grid: Annotated[Grid, tyro.conf.arg(name="")] = field(default_factory=Grid)
    out: Path = Path("studies/study")
    """The study's folder. What is finished there is kept; a grid that contains it goes on with it."""
    jobs: int = 1
    """Runs at a time."""
    threads: int = 1
    """CPU threads of each run."""
    dry: bool = False
    """Only show what would be run."""


@dataclass(frozen=True)
class CompareArguments:
    """What `compare` takes."""

    runs: tyro.conf.Positional[tuple[Path, ...]] = ()
    """Run folders, each with a name of its own."""
    out: Path = Path("studies/comparison")
    """The folder of the comparison."""


def study(command: Command, words: list[str]) -> int:
    """Plan the grid, show it, run what is missing, and compare; 1 if a run failed."""
    parsed = read(command, words, StudyArguments())
    if parsed.jobs < 1 or parsed.threads < 0:
        raise InputError("--jobs must be 1 or more, --threads 0 (PyTorch's default) or more")
    planned = jobs(parsed.grid)
    require_seeds(planned)
    missing = [job for job in planned if not (parsed.out / "runs" / job.name / "report.html").is_file()]
    seconds = dict(zip((job.name for job in missing), estimate_seconds(missing), strict=True))
    for job in planned:
        state = f"to run, about {_duration(seconds[job.name])}" if job.name in seconds else "finished"
        say(f"{job.name}  {job.config.train.tokens:,} tokens  {state}")
    cores = min(parsed.jobs, os.cpu_count() or 1)
    total = _duration(sum(seconds.values()) / cores)
    say(f"study: about {total} for what is missing, {parsed.jobs} at a time, one thread each")
    if parsed.dry:
        return SUCCESS
    found, failed = run_study(parsed.grid, parsed.out, parsed.jobs, parsed.threads, say=say)
    _show(found, parsed.out)
    return FAILURE if failed else SUCCESS


def compare(command: Command, words: list[str]) -> int:
    """Compare finished runs, wherever they are."""
    parsed = read(command, words, CompareArguments())
    _show(compare_folders(parsed.runs, parsed.out), parsed.out)
    return SUCCESS


def _show(found: dict[str, Any], out: Path) -> None:
    from ..report.study import conclusions

    show("\n".join(f"- {sentence}" for sentence in conclusions(found)))
    show(f"\nstudy: {out / 'study.html'}")


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{max(1, minutes)} min"
