"""Who is at work in a run folder: a lock that the system takes back when its process ends, however it ends."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from ..system.errors import InputError

PATIENCE, PAUSE = 1.0, 0.05
"""Seconds to wait for a lock, and between tries: asking whether a lock is held takes it for a moment."""


@dataclass(frozen=True)
class Holder:
    """A process at work in a run folder, as `.lock` names it."""

    host: str
    process: int
    job: str
    """What a cluster calls it, such as `Slurm job 12_3`; empty elsewhere."""
    since: float
    """Seconds since 1970."""

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}" + (f", {self.job}" if self.job else "")


@contextmanager
def lock(run: Path) -> Iterator[None]:
    """Keep other processes out of a run folder. Raises `InputError` if one is at work in it.

    While it is held, `.lock` names the holder. A holder that is still named while the lock is free was killed.
    """
    with (run / ".lock").open("a+", encoding="utf-8") as handle:
        if not _take(handle):
            who = _named(run)
            raise InputError(
                f"{run}: another twotower process is at work in this folder{f' ({who})' if who else ''}; "
                "wait for it, or use another --out"
            )
        _write(handle, json.dumps(asdict(_myself())))
        try:
            yield
        finally:
            _write(handle, "")


@contextmanager
def waiting_for(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, waiting until no other process does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def holder(run: Path) -> tuple[bool, Holder | None]:
    """Whether a process is at work in a run folder, and who that is; if none is, the one that was killed there."""
    try:
        with (run / ".lock").open("r", encoding="utf-8") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True, _named(run)
            return False, _named(run)
    except OSError:
        return False, None


def at_work(run: Path) -> bool:
    """Whether a process is at work in a run folder now."""
    return holder(run)[0]


def _take(handle: IO[str]) -> bool:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            if time.monotonic() > end:
                return False
            time.sleep(PAUSE)


def _write(handle: IO[str], text: str) -> None:
    handle.seek(0)
    handle.truncate()
    handle.write(text)
    handle.flush()


def _named(run: Path) -> Holder | None:
    try:
        values = json.loads((run / ".lock").read_text(encoding="utf-8"))
        return Holder(str(values["host"]), int(values["process"]), str(values["job"]), float(values["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a lock of an earlier version names nobody


def _myself() -> Holder:
    return Holder(socket.gethostname(), os.getpid(), cluster_job(), time.time())


def cluster_job() -> str:
    """What a cluster calls the job that this process belongs to; empty where it belongs to none."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    if array and task:
        return f"Slurm job {array}_{task}"
    if job := os.environ.get("SLURM_JOB_ID"):
        return f"Slurm job {job}"
    return "Ray" if "RAY_RAYLET_PID" in os.environ else ""
