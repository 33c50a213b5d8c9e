"""Where the time of the stages after training goes: `python benchmarks/profile_stages.py RUN`.

    python benchmarks/profile_stages.py runs/demo
    python benchmarks/profile_stages.py runs/demo --stages score --most 20

Makes stages of a finished run again, in a copy, with one thread. Prints, as tables in Markdown, the operations of an
update of all readouts and of a batch that is scored, with their own time, calls and bytes allocated (`torch.profiler`,
over `COUNTED` updates or batches), and the functions of the whole of `analyze` with their own time and calls
(`cProfile`).
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch.profiler import ProfilerActivity, profile

import twotower
from twotower.config.schema import RunConfig
from twotower.modeling import scoring
from twotower.runs.records import load_config
from twotower.runs.stages import STAGES
from twotower.training.readouts import Training

SKIPPED, COUNTED = 20, 30
PARTS: dict[str, tuple[Any, str, str]] = {
    "readout": (Training, "_update", "an update of all readouts"),
    "score": (scoring, "log_probs_of", "a batch of windows"),
}
"""The function of each stage that does its work again and again, and what one call of it is."""

Cost = tuple[str, float, float, float]
"""Of an operation or function: name, own milliseconds, calls, megabytes allocated (0 where they are not counted)."""


class EnoughError(Exception):
    """The profiler has seen what it wants; the rest of the stage is not made."""


def profiled(work: Callable[..., Any], profiler: profile) -> Callable[..., Any]:
    """The same work; `profiler` sees `COUNTED` calls of it after `SKIPPED`, and the last raises `EnoughError`."""
    calls = 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == SKIPPED + 1:
            profiler.start()
        result = work(*arguments, **options)
        if calls == SKIPPED + COUNTED:
            profiler.stop()
            raise EnoughError
        return result

    return counted


def operations(config: RunConfig, run: Path, stage: str) -> list[Cost]:
    """Of a stage that computes with PyTorch, for each of its updates or batches."""
    place, name, _ = PARTS[stage]
    profiler = profile(activities=[ProfilerActivity.CPU], profile_memory=True)
    with patch.object(place, name, profiled(getattr(place, name), profiler)):
        try:
            twotower.run(config, run, stages=(stage,), overwrite=True, say=lambda _: None)
        except EnoughError:
            pass
        else:
            raise SystemExit(f"{stage}: fewer than {SKIPPED + COUNTED} calls; take a longer run")
    return [
        (event.key.removeprefix("aten::"), event.self_cpu_time_total / COUNTED / 1e3, event.count / COUNTED,
         max(0, event.self_cpu_memory_usage) / COUNTED / 1e6)
        for event in profiler.key_averages()
    ]  # fmt: skip


def functions(config: RunConfig, run: Path, stage: str) -> list[Cost]:
    """Of a stage that computes with NumPy and scikit-learn, all of it."""
    profiler = cProfile.Profile()
    profiler.runcall(twotower.run, config, run, stages=(stage,), overwrite=True, say=lambda _: None)
    return [
        (f"{Path(file).stem}.{name}" if line else name.strip("<>"), own * 1e3, calls, 0.0)
        for (file, line, name), (_, calls, own, *_) in pstats.Stats(profiler).stats.items()  # type: ignore[attr-defined]
    ]


def table(title: str, costs: list[Cost], most: int) -> str:
    """The costliest, and what they are of the whole."""
    together = sum(own for _, own, _, _ in costs)
    rows = [f"\n{title}: {together:,.1f} ms\n", "| | ms | share | calls | MB |", "|---|---|---|---|---|"]
    for name, own, calls, size in sorted(costs, key=lambda cost: -cost[1])[:most]:
        rows.append(f"| {name} | {own:,.1f} | {own / together:.0%} | {calls:,.0f} | {size:,.1f} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--stages", nargs="+", choices=[*PARTS, "analyze"], default=[*PARTS, "analyze"])
    parser.add_argument("--most", type=int, default=10, help="rows of each table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for stage in options.stages:
        with tempfile.TemporaryDirectory() as folder:
            run = shutil.copytree(options.run, Path(folder) / "run")
            config = load_config(run)
            next(run / output for output in STAGES[stage].outputs if "." in output).unlink()  # so that it is made again
            if stage in PARTS:
                print(table(f"{stage}, {PARTS[stage][2]}", operations(config, run, stage), options.most), flush=True)
            else:
                print(table(f"{stage}, all of it", functions(config, run, stage), options.most), flush=True)


if __name__ == "__main__":
    main()
