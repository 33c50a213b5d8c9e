"""About how long runs take on this machine: their operations over a rate that is timed, or learnt from a run."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..comparison.grid import Job
from ..config.schema import RunConfig
from ..modeling.rough_costs import run_flops
from ..runs.listing import run_folders
from ..runs.provenance import machine_of, read_provenance
from ..runs.records import load_config, read_records
from ..system.errors import InputError

UTILIZATION = 0.3
"""Of the rate of large matrix products, what whole quickstart runs reached on a machine with two cores."""
PRODUCT, PRODUCTS = 512, 20
LEARNT = ("train", "readout")
"""The stages whose operations are counted."""
LEAST_FLOPS = 3e12
"""A run of fewer operations, a tenth of a quickstart's, says more about starting up than about this machine."""


@dataclass(frozen=True)
class Rate:
    """Operations that a run does in a second here, and how that is known."""

    flops: float
    source: Path | None
    """The run that it was learnt from; None for a timed matrix product times `UTILIZATION`."""

    def seconds(self, config: RunConfig) -> float:
        """About how long `train` and `readout` take, at most: readouts stop when they have converged."""
        return run_flops(config) / self.flops


def rate_here(runs: Path = Path("runs")) -> Rate:
    """The rate of the latest run below `runs` that this machine made; without one, that of a timed matrix product."""
    learnt = [rate for folder in _folders(runs) if (rate := _learnt(folder)) is not None]
    return max(learnt, key=lambda dated: dated[0])[1] if learnt else Rate(product_flops() * UTILIZATION, None)


def product_flops() -> float:
    """Operations per second of a large matrix product in single precision, with one thread."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    square = torch.ones(PRODUCT, PRODUCT)
    torch.mm(square, square)
    fastest = float("inf")
    for _ in range(PRODUCTS):
        begin = time.thread_time()  # of this thread alone, whatever else the machine is doing
        torch.mm(square, square)
        fastest = min(fastest, time.thread_time() - begin)
    torch.set_num_threads(threads)
    return 2 * PRODUCT**3 / fastest


def _folders(runs: Path) -> list[Path]:
    try:
        return run_folders(runs)
    except InputError:
        return []


def _learnt(folder: Path) -> tuple[float, Rate] | None:
    """When the readouts of a run were finished, and its rate; None if it is another machine's, too short or damaged."""
    try:
        records, config = read_records(folder), load_config(folder)
        there = read_provenance(folder).machine
        seconds = sum(records[name].seconds for name in LEARNT)
        read = json.loads((folder / "readout.json").read_text(encoding="utf-8"))["tokens"]
        finished = (folder / "readout.json").stat().st_mtime
    except (InputError, OSError, ValueError, KeyError, TypeError):
        return None
    same = replace(machine_of(config), system=there.system) == there
    flops = run_flops(replace(config, readout=replace(config.readout, tokens=int(read))))
    return (finished, Rate(flops / seconds, folder)) if same and flops >= LEAST_FLOPS and seconds > 0 else None


def estimate_seconds(planned: Sequence[Job]) -> list[float]:
    """About how long each run takes with one thread here, without its statistics and the reading of its text."""
    if not planned:
        return []
    rate = rate_here()
    return [rate.seconds(job.config) for job in planned]
