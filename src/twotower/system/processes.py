"""Several processes under `accelerate launch` or `torchrun`: who is who, and what the first tells the others.

The first process keeps the run folder. Stages that all of them share are announced through the key-value store of the
process group: a process that waits there uses no processor time, and may wait for hours.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from errno import EIO
from functools import cache
from itertools import count as numbers
from typing import Any, TypeVar

from .errors import DiskError

PATIENCE = timedelta(days=30)
"""How long processes wait for each other. Gloo and NCCL give up after 30 and 10 minutes, less than `prepare` may take;
the launcher ends processes that wait for one that has died."""
END, FAILED = ".", "!"
Result = TypeVar("Result")


def usable_cores() -> int:
    """Cores that this process may use, which on a cluster may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def launched() -> int:
    """How many processes a launcher has started for this command; 1 without one."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def leads() -> bool:
    """Whether this process speaks and keeps the run folder: the first of several, or the only one."""
    return launched() == 1 or os.environ.get("RANK") == "0"


@dataclass(frozen=True)
class Processes:
    """The processes that share a stage, and which of them this is."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes what all have made."""
        return self.rank == 0

    def starts(self, rows: int, batch: int) -> range:
        """Where this process's batches begin, of `rows` rows in batches of `batch`.

        Each process has a contiguous stretch of whole batches, so that batches are those of a single process.
        """
        batches = -(-rows // batch)
        first, last = (batches * number // self.count for number in (self.rank, self.rank + 1))
        return range(first * batch, min(last * batch, rows), batch)

    def add_up(self, tensors: Iterable[Any]) -> None:
        """Replace each tensor, in place, by its sum over the processes."""
        if self.count > 1:
            import torch

            for tensor in tensors:
                torch.distributed.all_reduce(tensor)

    def wait(self) -> None:
        """Return when every process has come here."""
        if self.count > 1:
            import torch

            torch.distributed.barrier()

    def gather(self, text: str) -> list[str]:
        """What each process says here, in their order."""
        if self.count == 1:
            return [text]
        store, key = _store(), f"twotower/gathered/{next(_gathered)}"
        store.set(f"{key}/{self.rank}", text)
        keys = [f"{key}/{rank}" for rank in range(self.count)]
        store.wait(keys, PATIENCE)
        return [store.get(name).decode() for name in keys]

    def together(self, work: Callable[[], Result]) -> Result:
        """Do `work` in every process, and return what it gave this one. None goes on if it failed in one of them.

        Where it failed its own error is raised; elsewhere a `DiskError` that says which process failed, and of what.
        """
        error: Exception | None = None
        try:
            result = work()
        except Exception as raised:
            error = raised
        errors = self.gather("" if error is None else _line(error))
        if error is not None:
            raise error
        for rank, failure in enumerate(errors):
            if failure:
                raise DiskError(EIO, failure, f"process {rank}")
        return result


def _line(error: Exception) -> str:
    if isinstance(error, DiskError):
        return f"{error.filename}: {error.strerror}"
    return f"{error or type(error).__name__}"


ALONE = Processes()


@cache
def joined() -> Processes:
    """This process among those that a launcher started; the first call meets the others."""
    if launched() == 1:
        return ALONE
    import torch
    from accelerate import PartialState

    state = PartialState(cpu=not torch.cuda.is_available(), timeout=PATIENCE)
    return Processes(state.process_index, state.num_processes)


def device() -> Any:
    """The `torch.device` of this process: its GPU, or the CPU."""
    import torch

    if joined().count == 1:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    from accelerate import PartialState

    return PartialState().device


_said, _gathered = numbers(), numbers()


@contextmanager
def announcing() -> Iterator[Callable[[str], None]]:
    """For the first process: a function that tells the others to begin a stage. At the end they are told to stop."""
    processes, store = joined(), _store()
    try:
        yield lambda name: store.set(f"twotower/{next(_said)}", name)
    except BaseException:  # the others may be anywhere: nothing is waited for
        store.set(f"twotower/{next(_said)}", FAILED)
        raise
    store.set(f"twotower/{next(_said)}", END)
    processes.wait()  # some launchers keep the store in this process, and the others have yet to read


def follow(stages: Mapping[str, Callable[[], None]]) -> None:
    """For the other processes: run the stages that the first one announces, until it says that there are no more."""
    processes, store = joined(), _store()
    while True:
        key = f"twotower/{next(_said)}"
        store.wait([key], PATIENCE)
        name = store.get(key).decode()
        if name == END:
            processes.wait()
        if name in (END, FAILED):
            return
        stages[name]()


def _store() -> Any:
    from torch.distributed.distributed_c10d import _get_default_store

    return _get_default_store()
