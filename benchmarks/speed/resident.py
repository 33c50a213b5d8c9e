"""Resident memory of this process and of others; without PyTorch, which would be most of what a small one holds."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def status_bytes(name: str, process: int | str = "self") -> int:
    """A figure of memory of a process, as Linux names it."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024


def private_bytes(process: int | str = "self") -> int:
    """Resident memory that belongs to a process alone: pages of mapped files are the system's to drop."""
    return status_bytes("RssAnon", process)


def peak_bytes() -> int:
    """The most memory that this process has held."""
    if Path("/proc/self/status").is_file():  # getrusage would count what the process that started this one held
        return status_bytes("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def watch(command: Sequence[str], every: float, look: Callable[[int], None]) -> None:
    """Run a command, and look at its process, which is named by its number, every so many seconds until it ends."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            try:
                look(process.pid)
            except (OSError, StopIteration):  # it has just ended
                break
            time.sleep(every)
        said = process.stderr.read() if process.stderr else ""
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{said[-3000:]}")
