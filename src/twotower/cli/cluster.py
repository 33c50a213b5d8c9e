"""`twotower study submit`, `status`, `compare` and `work`: studies whose runs are made on a cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

import tyro

from ..studies import on_ray, on_slurm
from ..studies.manifest import read_manifest
from ..studies.status import is_finished, run_status, show_counts, show_runs, study_status
from ..studies.work import ClusterOptions
from ..system.durations import duration
from ..system.errors import InputError, Interrupted
from .exit_codes import exit_code_of
from .helptext import STUDY
from .options import Command, read, study_first
from .output import BAD_INPUT, FAILURE, INTERRUPTED, SUCCESS, fail, say, show
from .study import OneStudyArguments


@dataclass(frozen=True)
class SubmitArguments:
    """What `study submit` takes; for Slurm, options of sbatch follow after `--`."""

    study: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="STUDY")] = STUDY
    """The study's folder, which `twotower study … --plan` made."""
    to: Literal["slurm", "ray"] = "slurm"
    """The engine: `slurm` sends job arrays; `ray` hands the runs to a Ray cluster and waits for them."""
    options: Annotated[ClusterOptions, tyro.conf.arg(name="")] = field(default_factory=ClusterOptions)


@dataclass(frozen=True)
class WorkArguments:
    """What `study work` takes."""

    study: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="STUDY")] = STUDY
    """The study's folder."""
    runs: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="NAME [NAME …]")] = ()
    """Names of runs. Several are made at the same time, each by a process of its own."""
    requeue: tyro.conf.FlagCreatePairsOff[bool] = False
    """Have Slurm queue the job again where it is told that its time is nearly over."""


def submit(command: Command, words: list[str]) -> int:
    """Send what is not finished, and not running, to a cluster; 1 if a run failed there while this waited."""
    cut = words.index("--") if "--" in words else len(words)
    own, passed = words[:cut], tuple(words[cut + 1 :])
    parsed = read(command, study_first(command, own), SubmitArguments())
    lines = read_manifest(parsed.study)
    if passed and parsed.to != "slurm":
        raise InputError("study submit: options after -- are sbatch's; leave them out with --to ray")
    states = {line.name: run_status(parsed.study, line.name, line.config).state for line in lines}
    runs = [line.name for line in lines if states[line.name] not in ("finished", "running")]
    seconds = sum(line.seconds or 0.0 for line in lines if line.name in runs)
    say(f"study: {len(runs)} of {len(lines)} runs to make, about {duration(seconds)} of one thread here")
    if not runs:
        return SUCCESS
    threads = max(line.config.threads for line in lines)
    if parsed.to == "ray":
        failed = on_ray.submit(parsed.study, runs, threads, parsed.options, _make_for_ray, say)
        statuses = study_status(parsed.study)
        show(f"{show_runs(statuses)}\n{show_counts(statuses)}")
        return FAILURE if failed else SUCCESS
    sent = on_slurm.submit(parsed.study, runs, threads, parsed.options, passed)
    show(f"{'scripts' if parsed.options.dry else 'jobs'}: {', '.join(sent)}")
    if not parsed.options.dry:
        show(f"how far they are: twotower study status {parsed.study}")
    return SUCCESS


def status(command: Command, words: list[str]) -> int:
    """How far the runs of a study are."""
    parsed = read(command, study_first(command, words), OneStudyArguments())
    statuses = study_status(parsed.study)
    parsed.output.result({"runs": [asdict(status) for status in statuses]}, show_counts(statuses), show_runs(statuses))
    return SUCCESS


def work(command: Command, words: list[str]) -> int:
    """Make one run, or several side by side."""
    parsed = read(command, study_first(command, words), WorkArguments())
    if not parsed.runs:
        raise InputError("study work: give the name of a run, as the manifest has it")
    return _make(parsed) if len(parsed.runs) == 1 else _side_by_side(parsed)


def _make_for_ray(study: str, name: str) -> int:
    """What a worker of Ray does, in a process of its own."""
    return exit_code_of(lambda: _make(WorkArguments(Path(study), (name,))))


def _make(parsed: WorkArguments) -> int:
    from ..studies.work import progress_of, requests
    from ..studies.work import work as make

    name = parsed.runs[0]
    line = read_manifest(parsed.study, only=name)[0]
    folder = parsed.study / line.folder
    if is_finished(folder, line.config):
        say(f"{name}: finished before")
        return SUCCESS
    before = progress_of(folder)
    with requests() as signals:
        try:
            make(parsed.study, name)
            return SUCCESS
        except (Interrupted, KeyboardInterrupt) as stop:
            if not (signals.later and parsed.requeue):
                raise
            if progress_of(folder) == before:
                raise InputError(
                    f"{name}: the time limit is too short for the next stage, which keeps no checkpoints; "
                    "give a longer --time to `twotower study submit`"
                ) from None
            fail(
                f"{str(stop) or 'stopped'}; the time limit is near, and the queued job continues from there",
                INTERRUPTED,
            )
    on_slurm.requeue()
    return INTERRUPTED


def _side_by_side(parsed: WorkArguments) -> int:
    """Several runs at the same time, each by a process of its own; the worst of their exit codes."""
    later = False
    children: list[subprocess.Popen[bytes]] = []

    def hand_on(number: int, _: FrameType | None) -> None:
        nonlocal later
        later |= number == signal.SIGUSR1
        for child in children:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, hand_on)
    command = [sys.executable, "-m", "twotower.cli", "study", "work", str(parsed.study)]
    children += [subprocess.Popen([*command, name], env=dict(os.environ)) for name in parsed.runs]
    codes = [child.wait() for child in children]
    if later and parsed.requeue and INTERRUPTED in codes:
        on_slurm.requeue()
    return next(
        (code for code in (FAILURE, BAD_INPUT, INTERRUPTED) if code in codes), max(codes) or FAILURE * any(codes)
    )
