"""What this machine can do, found out in a few seconds: cores, memory, disk, GPU, and whether a second thread helps."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from .errors import InputError
from .processes import usable_cores

PROBE_BYTES = 32 << 20
"""Written to the disk to time it."""
ROWS, WIDTH, VOCABULARY = 1024, 64, 8192
"""Shape of the product of a small run's states with its vocabulary, its largest by far."""
SECONDS_OF_PRODUCTS = 0.3


@dataclass(frozen=True)
class Gpu:
    """A GPU that PyTorch can use."""

    name: str
    memory: int
    """Bytes."""
    memory_free: int
    """Bytes that no process has taken; 0 where another one keeps the device for itself."""
    bf16: bool
    """Whether it computes in bfloat16."""


@dataclass(frozen=True)
class MachineFound:
    """What this machine can do."""

    cores: int
    """That this process may use."""
    load: float | None
    """Processes that ran or waited in the last minute, on average; None where the system does not say."""
    memory: int
    """Bytes in all."""
    memory_free: int
    """Bytes that are free now."""
    disk_free: int
    """Bytes free where runs would be written."""
    disk_speed: float
    """Bytes written a second, until they are on the disk."""
    gflops: float
    """10^9 operations a second in the product of a small run's states with its vocabulary, on one thread."""
    bf16: float
    """How much faster the same is in bfloat16: above 1 where the processor has instructions for it."""
    second_thread: float | None
    """How much faster the same is on two threads; None on a single core."""
    gpus: tuple[Gpu, ...]


def look_around(folder: Path) -> MachineFound:
    """Find out what this machine can do; takes about two seconds. Raises `InputError` if `folder` cannot be written."""
    import psutil

    cores, memory = usable_cores(), psutil.virtual_memory()
    thread_rate = product_rate(1)
    return MachineFound(
        cores=cores, load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None, memory=memory.total,
        memory_free=memory.available, disk_free=shutil.disk_usage(folder).free, disk_speed=disk_speed(folder),
        gflops=thread_rate / 1e9, bf16=product_rate(1, bf16=True) / thread_rate,
        second_thread=product_rate(2) / thread_rate if cores > 1 else None, gpus=_gpus(),
    )  # fmt: skip


def disk_speed(folder: Path) -> float:
    """Bytes written a second to an unnamed file in a folder. Raises `InputError` where none may be written."""
    block = os.urandom(PROBE_BYTES)
    try:
        with TemporaryFile(dir=folder) as file:
            begin = time.perf_counter()
            file.write(block)
            file.flush()
            os.fsync(file.fileno())
            return PROBE_BYTES / (time.perf_counter() - begin)
    except OSError as error:
        raise InputError(f"{folder} cannot be written to ({error.strerror}); go to a folder in which you may") from None


def product_rate(threads: int, bf16: bool = False) -> float:
    """Operations per second of the largest product of a small run, on so many threads; in float32 or bfloat16."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    dtype = torch.bfloat16 if bf16 else torch.float32
    states, weights = torch.ones(ROWS, WIDTH, dtype=dtype), torch.ones(VOCABULARY, WIDTH, dtype=dtype)
    out = torch.empty(ROWS, VOCABULARY, dtype=dtype)
    torch.mm(states, weights.T, out=out)
    begin, fastest = time.perf_counter(), float("inf")
    while time.perf_counter() - begin < SECONDS_OF_PRODUCTS:
        start = time.perf_counter()
        torch.mm(states, weights.T, out=out)
        fastest = min(fastest, time.perf_counter() - start)  # the others were held up by other processes
    torch.set_num_threads(before)
    return 2 * ROWS * WIDTH * VOCABULARY / fastest


def _gpus() -> tuple[Gpu, ...]:
    import torch

    if not torch.cuda.is_available():
        return ()
    devices = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    return tuple(
        Gpu(device.name, device.total_memory, _free_on(number), device.major >= 8)
        for number, device in enumerate(devices)
    )


def _free_on(number: int) -> int:
    import torch

    try:
        return int(torch.cuda.mem_get_info(number)[0])
    except RuntimeError:  # busy or unavailable
        return 0
