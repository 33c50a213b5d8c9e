"""The runs of a study as tasks of a Ray cluster (https://docs.ray.io), which tries again where workers are lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..system.errors import InputError, one_line
from ..system.progress import Progress
from .work import ClusterOptions, Entry

STOPPING_SECONDS = 60.0
"""How long runs are given to save a checkpoint after Ctrl-C."""


def submit(
    study: Path, runs: Sequence[str], threads: int, options: ClusterOptions, entry: Entry, say: Callable[[str], None]
) -> list[str]:
    """Make runs on a Ray cluster that shares the study's folder; returns the names of those that failed.

    `entry` makes one run; workers must be able to import it. Waits for all of them; after Ctrl-C those under
    way are asked to stop, and can be gone on with. Raises `InputError` without Ray, or a cluster at that address.
    """
    if options.pack < 1 or options.gpus < 0 or options.retries < 0 or options.jobs < 0:
        raise InputError("--pack must be 1 or more; --gpus, --retries and --jobs 0 or more")
    ray = _start(options, threads)
    try:
        remote = ray.remote(
            num_cpus=max(1, threads), num_gpus=options.gpus / options.pack, max_retries=options.retries, max_calls=1
        )(_work)  # fmt: skip
        waiting = {remote.remote(entry, str(study.resolve()), name): name for name in runs}
        failed = []
        with Progress("study", len(runs), "run") as progress:
            try:
                while waiting:
                    for task in ray.wait(list(waiting))[0]:
                        name = waiting.pop(task)
                        if why := _outcome(ray, task):
                            failed.append(name)
                            say(f"study: {name}: {why}")
                        progress.advance(1)
            except KeyboardInterrupt:
                for task in waiting:
                    ray.cancel(task, force=False)
                ray.wait(list(waiting), num_returns=len(waiting), timeout=STOPPING_SECONDS)
                raise
        return failed
    finally:
        ray.shutdown()


def _start(options: ClusterOptions, threads: int) -> Any:
    try:
        import ray
    except ImportError:
        raise InputError("--to ray: Ray is not installed; `pip install 'twotower[ray]'`") from None
    local = options.address == "local"
    slots = {"num_cpus": options.jobs * max(1, threads)} if local and options.jobs else {}
    try:
        ray.init(
            address=options.address, include_dashboard=False if local else None, log_to_driver=False,
            logging_level="error", **slots,
        )  # fmt: skip
    except (ConnectionError, ValueError, RuntimeError) as error:
        why = one_line(error) or type(error).__name__
        raise InputError(f"--address: no Ray cluster at {options.address} ({why})") from None
    return ray


def _work(entry: Entry, study: str, name: str) -> int:
    """What a worker does: one run, as its own command line."""
    return entry(study, name)


def _outcome(ray: Any, task: Any) -> str:
    """Why a task failed; empty if it did not."""
    try:
        code = ray.get(task)
    except ray.exceptions.WorkerCrashedError:
        return "lost: its worker was killed more often than --retries allows"
    except ray.exceptions.RayError as error:
        last = str(error).strip().splitlines()[-1]
        return f"could not be begun: {last}; every node needs twotower in the Python that Ray runs there"
    return "" if code == 0 else f"exit code {code}; its log says why"
