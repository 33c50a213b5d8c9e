"""The runs of a study on this machine, a few at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from ..comparison.grid import Grid, is_stranger, jobs, require_seeds
from ..system.errors import InputError
from ..system.progress import Progress
from ..system.workers import WorkerEndedError, Workers
from .comparing import compare_described
from .manifest import Line, claim, read_study, write_manifest
from .status import is_finished, progress_line, run_status

SECONDS_BETWEEN_LOOKS = 2.0
"""At the logs of runs that are being made."""

if TYPE_CHECKING:
    from ..comparison.study import Study


def run_study(
    grid: Grid,
    out: Path,
    workers: int = 1,
    threads: int = 0,
    say: Callable[[str], None] = lambda _: None,
    seconds: Mapping[str, float] | None = None,
) -> tuple[Study, list[str]]:
    """Run what is missing from a grid, each run in `out/runs/NAME`, `workers` at a time, and compare all runs.

    Writes `study.yaml` (the grid), `manifest.jsonl` (a line for each run, with its estimate if `seconds` has one),
    `study.json` and `study.html` into `out`. A run that fails does not stop the others. Returns what `study.json` holds
    and the names of the runs that failed. Raises `InputError` if `out` holds a study with another grid, the grid has
    one seed only, or fewer than two runs are finished.
    """
    planned = jobs(grid)
    require_seeds(planned)
    claim(out, grid, planned)
    lines = write_manifest(out, planned, threads, seconds or {})
    failed = _run_missing(lines, out, workers, threads, say)
    finished = [line for line in lines if line.name not in failed]
    return compare_lines(finished, out, failed), failed


def compare_study(out: Path) -> Study:
    """Compare the runs of a study that are finished, whatever has become of the others; writes as `run_study` does.

    Raises `InputError` for a folder that holds no study, or fewer than two finished runs.
    """
    configs = read_study(out)
    finished = {name: is_finished(out / "runs" / name, config) for name, config in configs.items()}
    lines = [
        Line(name, f"runs/{name}", None, _group(name), is_stranger(config), config)
        for name, config in configs.items() if finished[name]
    ]  # fmt: skip
    return compare_lines(lines, out, [name for name in finished if not finished[name]])


def compare_lines(finished: Sequence[Line], out: Path, failed: list[str]) -> Study:
    """Compare finished runs of a study and write `study.json` and `study.html`; `failed` are named in them."""
    if len(finished) < 2:
        raise InputError(f"study: fewer than two runs of {out} are finished, and one cannot be compared with itself")
    return compare_described(
        [(line.name, out / line.folder, line.group, line.stranger) for line in finished], out, failed
    )


def _group(name: str) -> str:
    """What the name of a run has before its seed (see `comparison.grid.jobs`)."""
    return name.removesuffix("-strangers").rpartition("-seed")[0]


def _run_missing(lines: Sequence[Line], out: Path, workers: int, threads: int, say: Callable[[str], None]) -> list[str]:
    """Run what is not finished; returns the names of the runs that failed."""
    failed = []
    environment = {"OMP_NUM_THREADS": str(threads)} if threads else {}
    with Progress("study", len(lines), "run") as progress, Workers("twotower.cli.warm", workers, environment) as warm:

        def run_one(line: Line) -> str:
            if is_finished(out / line.folder, line.config):
                return ""
            try:
                code = warm.ask(["study", "work", str(out), line.name])
            except WorkerEndedError as end:
                code = end.code or 1
            return _why(out, line, code)

        with ThreadPoolExecutor(workers) as pool, _telling(progress, lines, out):
            for line, error in zip(lines, pool.map(run_one, lines), strict=True):
                if error:
                    failed.append(line.name)
                    say(f"study: {line.name} failed: {error} (see {out / line.folder}.log)")
                progress.advance(1)
    return failed


@contextmanager
def _telling(progress: Progress, lines: Sequence[Line], out: Path) -> Iterator[None]:
    """Within, the progress line says how far the runs are that are being made, from their logs."""
    finished = Event()
    begun = time.time()

    def watch() -> None:
        while not finished.wait(SECONDS_BETWEEN_LOOKS):
            states = [
                f"run {number} of {len(lines)}: {doing}"
                for number, line in enumerate(lines, start=1)
                if (doing := progress_line(out / f"{line.folder}.log", since=begun))
            ]
            progress.tell("; ".join(states))

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def _why(out: Path, line: Line, code: int) -> str:
    """Why a run did not finish, from its folder; empty if it did."""
    if code == 0:
        return ""
    status = run_status(out, line.name, line.config)
    return status.detail if status.state in ("failed", "stopped") else f"{status.state}, exit code {code}"
