"""One run of a study, as its line in the manifest says: what every slot, array task and Ray worker does."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import tyro

from ..config.schema import RunConfig
from ..pipeline import run
from ..runs.locking import cluster_job, holder, waiting_for
from ..runs.records import read_records
from ..runs.sharing import address, adopt
from ..runs.stages import MAIN
from ..system.errors import InputError
from .manifest import Line, configure, read_manifest


@dataclass(frozen=True)
class ClusterOptions:
    """How the runs of a study are sent to a cluster."""

    pack: int = 1
    """Runs that share a task of the array, or the GPUs of `--gpus`, at the same time."""
    dry: tyro.conf.FlagCreatePairsOff[bool] = False
    """Slurm: only write the scripts; show what would be sent."""
    time: str = ""
    """Slurm: time limit of a task, as sbatch takes it: 30 (minutes), 4:00:00, 2-00:00:00."""
    signal_before: int = 120
    """Slurm: seconds before the time limit at which a task saves a checkpoint and queues again."""
    requeue: bool = True
    """Slurm: whether tasks queue again at their time limit, and when their node is taken away."""
    at_once: int = 0
    """Slurm: tasks of an array that may run at the same time (0: as many as the site lets)."""
    address: str = "local"
    """Ray: `local` starts a cluster on this machine and ends it again; otherwise the address of one: auto, HOST:6379,
    ray://HOST:10001."""
    jobs: int = 0
    """Ray, local: runs at a time (0: as many as there are cores for)."""
    gpus: float = 0.0
    """Ray: GPUs that `pack` runs share."""
    retries: int = 3
    """Ray: how often a run is tried again whose worker was lost."""


class Requests:
    """What signals have asked for: SIGTERM stops the run, SIGUSR1 (before a time limit) stops it to go on later.

    `train` has handlers of its own for SIGTERM, which save a checkpoint; so SIGUSR1 is handed on as SIGTERM.
    """

    def __init__(self) -> None:
        self.later = False

    def stop(self, number: int, _: FrameType | None) -> None:
        """Stop at once; finished stages are kept."""
        raise KeyboardInterrupt

    def stop_to_go_on(self, number: int, _: FrameType | None) -> None:
        """Stop, and remember that it was for a time limit."""
        self.later = True
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def requests() -> Iterator[Requests]:
    """Within, SIGTERM and SIGUSR1 stop a run such that it can go on."""
    requested = Requests()
    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, requested.stop),
        signal.SIGUSR1: signal.signal(signal.SIGUSR1, requested.stop_to_go_on),
    }
    try:
        yield requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def work(study: Path, name: str) -> None:
    """Make one run of a study as far as it is missing; what it says goes to `runs/NAME.log`.

    Relative paths of its settings lead from where the study was planned, if that folder exists here. Runs that agree
    on their text share it prepared, in `prepared/ADDRESS`: the first of them makes it while the others wait. Raises
    `InputError` for a name that the manifest does not have, a run folder made with other settings, and one in which
    another process is at work, whose log is left alone.
    """
    study = study.resolve()
    line = read_manifest(study, only=name)[0]
    folder = study / line.folder
    taken, who = holder(folder)
    if taken:
        raise InputError(f"{folder}: another twotower process is at work in this folder ({who}); wait for it")
    say_to(folder.with_name(f"{folder.name}.log"))
    config = configure(folder, line.config)
    with chdir(line.directory) if os.path.isdir(line.directory) else nullcontext():
        _prepare(study, line, config, folder)
        run(config, folder, MAIN, say=_say)


def say_to(log: Path) -> None:
    """Append what this process says from here on to a log, which says first where and when that was."""
    sys.stdout.flush()
    sys.stderr.flush()
    log.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for number in (1, 2):
        os.dup2(handle, number)
    os.close(handle)
    where = ", ".join(part for part in (os.uname().nodename, f"process {os.getpid()}", cluster_job()) if part)
    os.write(2, f"\n# {time.strftime('%Y-%m-%d %H:%M:%S %z')}: {where}\n".encode())


def progress_of(folder: Path) -> tuple[tuple[str, ...], int]:
    """What changes whenever a run gets on: its finished stages, and the time of its last checkpoint."""
    times = [path.stat().st_mtime_ns for path in (folder / "checkpoints").glob("latest*/*")]
    return tuple(read_records(folder)), max(times, default=0)


def _prepare(study: Path, line: Line, config: RunConfig, folder: Path) -> None:
    if "prepare" in read_records(folder):
        return
    prepared = prepared_folder(study, config)
    with waiting_for(prepared.with_name(f"{prepared.name}.lock")):
        if "prepare" not in read_records(prepared):
            run(config, prepared, ("prepare",), say=_say)
    adopt(folder, prepared, "prepare")


def prepared_folder(study: Path, config: RunConfig) -> Path:
    """Where the text is that runs of a study with these settings share."""
    return study / "prepared" / address(config, "prepare")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


Entry = Callable[[str, str], int]
"""From the folder of a study and the name of a run to the exit code of making it."""
