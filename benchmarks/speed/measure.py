"""Paired timings: what is compared takes turns in one process, and the median of several turns counts."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import torch

from twotower.modeling.losses import block_rows

DEVICE = torch.device(os.environ.get("TWOTOWER_BENCH_DEVICE", "cpu"))
"""Where the contestants compute."""


def wait() -> None:
    """Until a GPU has done what it was given; a processor has done it already."""
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    baseline: str
    ratio: float
    target: str
    met: bool | None
    """None where there is no target: the ratio is reported."""
    threads: int
    note: str = ""


def row(name: str, baseline: str, ratio: float, target: float, threads: int, least: bool = True, note: str = "") -> Row:
    """`ratio` must be at `least` the target, or at most."""
    sign = "≥" if least else "≤"
    met = ratio >= target if least else ratio <= target
    return Row(name, baseline, round(ratio, 3), f"{sign} {target:g}", met, threads, note)


def reported(name: str, baseline: str, ratio: float, threads: int, note: str = "") -> Row:
    """A figure without a target."""
    return Row(name, baseline, round(ratio, 3), "–", None, threads, note)


def alternate(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each work in each round, A B A B …, after one round that is thrown away."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            begin = time.perf_counter()
            work()
            wait()
            if number:
                times[name].append(time.perf_counter() - begin)
    return times


def median_seconds(work: Callable[[], object], rounds: int) -> float:
    """Seconds of one work, after one round that is thrown away."""
    return median(alternate({"work": work}, rounds)["work"])


def ratio(times: Mapping[str, Sequence[float]], slow: str, quick: str) -> float:
    """How many times as long one takes as the other, by medians."""
    return median(times[slow]) / median(times[quick])


def spread(times: Mapping[str, Sequence[float]]) -> str:
    """Median and best of each, in milliseconds."""
    return ", ".join(f"{name} {1e3 * median(t):.1f} (best {1e3 * min(t):.1f}) ms" for name, t in times.items())


def product_seconds(rows: int, inner: int, columns: int, repeats: int = 7, dtype: torch.dtype = torch.float32) -> float:
    """Seconds of the forward product (rows, inner) x (inner, columns) and the two of its gradient, each the median."""
    left, right, out, grad_left, grad_right = (
        torch.ones(shape, dtype=dtype, device=DEVICE).normal_()
        for shape in ((rows, inner), (columns, inner), (rows, columns), (rows, inner), (columns, inner))
    )
    works: list[Callable[[], object]] = [
        lambda: torch.mm(left, right.T, out=out),
        lambda: torch.mm(out, right, out=grad_left),
        lambda: grad_right.addmm_(out.T, left),
    ]
    return sum(median_seconds(work, repeats) for work in works)


def vocabulary_seconds(positions: int, width: int, vocabulary: int, dtype: torch.dtype = torch.float32) -> float:
    """The products of a layer to the vocabulary for so many positions, a block at a time, as they occur."""
    size = min(positions, block_rows(vocabulary, dtype.itemsize))
    return product_seconds(size, width, vocabulary, dtype=dtype) * positions / size


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    packages = ("torch", "transformers", "accelerate", "numpy")
    return {
        "processor": f"{model}, {torch.backends.cpu.get_cpu_capability()}", "cores": os.cpu_count(),
        "python": platform.python_version(), "versions": {name: version(name) for name in packages},
    }  # fmt: skip


def plain(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows as JSON values."""
    return [asdict(row) for row in rows]
