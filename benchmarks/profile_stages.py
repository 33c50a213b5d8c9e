"""Where the time of the stages after training goes: `python benchmarks/profile_stages.py RUN`.

    python benchmarks/profile_stages.py runs/demo
    python benchmarks/profile_stages.py runs/demo --stages score --most 20

Makes the stages of a finished run again, in a copy, with one thread. Prints, as tables in Markdown, the operations of
`readout` and `score` with their own time, calls and bytes allocated (`torch.profiler`), and the functions of `analyze`
with theirs (`cProfile`, which counts no bytes). Readouts read few tokens, so that the profiler's events fit in memory.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

import twotower
from twotower.config.schema import RunConfig
from twotower.runs.records import load_config

STAGES = ("readout", "score", "analyze")
READOUT_TOKENS = 131_072

Cost = tuple[str, float, int, float]
"""Of an operation or function: name, own seconds, calls, bytes (0 where they are not counted)."""


def made_again(config: RunConfig, run: Path, stage: str) -> None:
    twotower.run(config, run, stages=(stage,), overwrite=True, say=lambda _: None)


def operations(config: RunConfig, run: Path, stage: str) -> list[Cost]:
    """Of a stage that computes with PyTorch."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        made_again(config, run, stage)
    return [
        (event.key.removeprefix("aten::"), event.self_cpu_time_total / 1e6, event.count,
         max(0, event.self_cpu_memory_usage))
        for event in profiler.key_averages()
    ]  # fmt: skip


def functions(config: RunConfig, run: Path, stage: str) -> list[Cost]:
    """Of a stage that computes with NumPy and scikit-learn."""
    profiler = cProfile.Profile()
    profiler.runcall(made_again, config, run, stage)
    return [
        (f"{Path(file).stem}.{name}" if line else name.strip("<>"), own, calls, 0.0)
        for (file, line, name), (_, calls, own, *_) in pstats.Stats(profiler).stats.items()  # type: ignore[attr-defined]
    ]


def table(stage: str, costs: list[Cost], most: int) -> str:
    """The costliest, and what they are of the whole."""
    together = sum(seconds for _, seconds, _, _ in costs)
    rows = [f"\n{stage}: {together:.1f} s\n", "| | s | share | calls | MB |", "|---|---|---|---|---|"]
    for name, seconds, calls, size in sorted(costs, key=lambda cost: -cost[1])[:most]:
        rows.append(f"| {name} | {seconds:.2f} | {seconds / together:.0%} | {calls:,} | {size / 1e6:,.0f} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--most", type=int, default=10, help="rows of each table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        run = shutil.copytree(options.run, Path(folder) / "run")
        config = load_config(run)
        few = replace(config, readout=replace(config.readout, tokens=READOUT_TOKENS))
        for stage in options.stages:
            if stage == "readout":
                print(table(f"readout, {READOUT_TOKENS:,} tokens", operations(few, run, stage), options.most))
            else:
                cost = operations if stage == "score" else functions
                print(table(stage, cost(few if "readout" in options.stages else config, run, stage), options.most))


if __name__ == "__main__":
    main()
