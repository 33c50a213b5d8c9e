"""What training costs as the corpus and the model grow: `python benchmarks/growth.py`.

Corpora of random tokens, memory-mapped, of 10^6 to 10^9 tokens (2 GB on disk at the most, removed again): seconds
until the first update, tokens per second, and how much private memory grows, each in a process of its own. Then towers,
width, depth and vocabulary one at a time, everything else as in `quickstart`, against the operations that `twotower
plan` counts. One thread. Prints tables, writes `benchmarks/growth.json` and draws it into `docs/growth.svg`; with
`--draw` the last run's figures are drawn again, and nothing is measured.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib
import torch
from matplotlib.figure import Figure
from speed.measure import machine
from speed.resident import private_bytes
from speed.text import synthetic
from speed.training import joint_work, quiet

from twotower.config.presets import preset
from twotower.modeling.plan import Machine, make_plan
from twotower.report.style import STYLE
from twotower.system.allocator import freed_memory_kept

HERE = Path(__file__).parent
UPDATES = 20
SIZES = {
    "towers": [{"towers": towers} for towers in (1, 2, 4, 8)],
    "width": [{"width": width, "embedding": 2 * width} for width in (16, 32, 64, 128, 256)],
    "layers": [{"layers": layers} for layers in (1, 2, 4, 8)],
}
VOCABULARIES = (2_048, 8_192, 30_522)
DRAWING = HERE.parent / "docs" / "growth.svg"


def corpus(run: Path) -> dict[str, float]:
    """Seconds to the first update, tokens per second and private memory on the corpus in `run`."""
    torch.set_num_threads(1)
    config = preset("quickstart")
    begin = time.perf_counter()
    work = joint_work(config, run)
    work()
    first = time.perf_counter() - begin
    seconds = []
    for _ in range(UPDATES):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    tokens = config.train.batch * config.train.window
    return {"start": first, "tokens_per_second": tokens / median(seconds), "private": private_bytes()}


def growing_corpus(sizes: list[int]) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = []
    for tokens in sizes:
        with tempfile.TemporaryDirectory() as folder:
            run = synthetic(Path(folder), 8_192, tokens, 20_000)
            command = [sys.executable, __file__, "--corpus", str(run)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append({"tokens": tokens, **json.loads(done.stdout.strip().splitlines()[-1])})
        grown = (rows[-1]["private"] - rows[0]["private"]) / 2**20
        print(
            f"{tokens:>13,} tokens of corpus: first update after {rows[-1]['start']:.2f} s, "
            f"{rows[-1]['tokens_per_second']:,.0f} tokens/s, private memory {grown:+.0f} MiB",
            flush=True,
        )
    return rows


def growing_model() -> list[dict[str, Any]]:
    """Seconds of an update and its operations, for each size; the towers take turns with the preset."""
    rows = []
    usual = preset("quickstart")
    for kind, changes in [*SIZES.items(), ("vocabulary", [{"vocabulary": size} for size in VOCABULARIES])]:
        for change in changes:
            changed = dict(change)
            vocabulary = changed.pop("vocabulary", 8_192)
            config = replace(usual, model=replace(usual.model, **changed))
            config = replace(config, prepare=replace(config.prepare, vocabulary=vocabulary))
            with tempfile.TemporaryDirectory() as folder:
                work = joint_work(config, synthetic(Path(folder), vocabulary, 200_000, 20_000))
                seconds = []
                for number in range(UPDATES + 3):
                    begin = time.perf_counter()
                    work()
                    if number >= 3:
                        seconds.append(time.perf_counter() - begin)
            flops = make_plan(config, Machine()).flops_per_token
            tokens = config.train.batch * config.train.window
            joint = tokens * sum(value for name, value in flops.items() if name.startswith("joint"))
            milliseconds = 1e3 * median(seconds)
            rows.append({"kind": kind, **change, "milliseconds": milliseconds, "gflop": joint / 1e9})
            print(f"{kind:10} {change}: {milliseconds:.1f} ms, {joint / 1e9:.2f} GFLOP per update", flush=True)
    return rows


def draw(measured: dict[str, Any]) -> None:
    """Milliseconds of an update against each size, and what its matrix products alone would take.

    Their rate is the best that any size reaches: that of the largest width, where the time is nearly all theirs.
    """
    rows: list[dict[str, Any]] = measured["model"]
    best = max(row["gflop"] / row["milliseconds"] for row in rows)
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 2.6), layout="constrained")
        for axes, kind in zip(figure.subplots(1, len(kinds)), kinds, strict=True):
            mine = [row for row in rows if row["kind"] == kind]
            sizes = [str(row[kind]) for row in mine]
            axes.plot(sizes, [row["milliseconds"] for row in mine], marker="o", color="#1f77b4", label="an update")
            products = [row["gflop"] / best for row in mine]
            axes.plot(sizes, products, marker="o", color="#888888", linestyle=":", label="its products alone")
            axes.set_xlabel(kind)
            axes.set_ylim(bottom=0)
        figure.axes[0].set_ylabel("milliseconds")
        figure.axes[1].legend(frameon=False, fontsize=8)
        figure.savefig(DRAWING, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--sizes", nargs="+", type=int, default=[10**6, 10**7, 10**8, 10**9])
    parser.add_argument("--out", type=Path, default=HERE / "growth.json")
    parser.add_argument("--draw", action="store_true", help="draw the last run's figures")
    words = parser.parse_args()
    if words.draw:
        draw(json.loads(words.out.read_text()))
        return
    with quiet(), freed_memory_kept():
        if words.corpus:
            print(json.dumps(corpus(words.corpus)))
            return
        torch.set_num_threads(1)
        measured = {"machine": machine(), "corpus": growing_corpus(words.sizes), "model": growing_model()}
    words.out.write_text(json.dumps(measured, indent=1) + "\n")
    draw(measured)


if __name__ == "__main__":
    main()
