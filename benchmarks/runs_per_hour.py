"""Runs per hour of a study against the same runs on their own: `python benchmarks/runs_per_hour.py --seeds 0 1`.

A study runs two at a time, each with one thread, in warm processes that share what they prepare. On their own, the same
runs are `twotower run` in processes of their own, two at a time too, and `twotower compare` compares them. The two take
turns (A B A B) and start from nothing each time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from twotower.config.presets import PRESETS

JOBS = 2
HOUR = 3600.0


def twotower(*words: str) -> None:
    """The command with one thread; what it writes is shown if it fails."""
    command = [sys.executable, "-m", "twotower", *words, "--quiet"]
    done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}:\n{done.stderr[-3000:]}")


def study(preset: str, seeds: list[int], folder: Path) -> None:
    named = [*map(str, seeds)]
    twotower("study", "--presets", preset, "--seeds", *named, "--jobs", str(JOBS), "--out", str(folder / "study"))


def on_their_own(preset: str, seeds: list[int], folder: Path) -> None:
    runs = [str(folder / f"seed{seed}") for seed in seeds]

    def run(seed: int, out: str) -> None:
        twotower("run", "--preset", preset, "--seed", str(seed), "--threads", "1", "--out", out)

    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(run, seeds, runs))
    twotower("compare", *runs, "--out", str(folder / "compared"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="quickstart", choices=sorted(PRESETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--turns", type=int, default=2)
    words = parser.parse_args()
    contestants: dict[str, Callable[[str, list[int], Path], None]] = {"study": study, "on their own": on_their_own}
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(words.turns):
        for name, contestant in contestants.items():
            with tempfile.TemporaryDirectory() as folder:
                begin = time.perf_counter()
                contestant(words.preset, words.seeds, Path(folder))
                taken[name].append(time.perf_counter() - begin)
            print(f"{name:>12}: {len(words.seeds)} runs, compared, in {taken[name][-1]:.0f} s", flush=True)
    for name, seconds in taken.items():
        print(f"{name:>12}: {len(words.seeds) * HOUR / median(seconds):.1f} runs per hour")


if __name__ == "__main__":
    main()
