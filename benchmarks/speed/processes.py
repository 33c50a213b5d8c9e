"""`twotower train` by two processes of one thread each, under `accelerate launch`: reported, not aimed at."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from .measure import Row, reported, spread

ROUNDS = 3
LAUNCH = ("accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1",
          "--mixed_precision", "no", "--dynamo_backend", "no", "-m", "twotower.cli")  # fmt: skip
"""`--multi_gpu` names the launcher of several processes; without GPUs they talk through gloo."""
WAYS: dict[str, tuple[Sequence[str], Sequence[str], int]] = {
    "one process": (("twotower.cli",), (), 1),
    "one process, two threads": (("twotower.cli",), (), 2),
    "two processes, DDP": (LAUNCH, (), 1),
    "two processes, FSDP": (LAUNCH, ("--train.shard",), 1),
}
SETTINGS = ("--tokens", "250000", "--train.evaluations", "1", "--train.evaluation-tokens", "2000")


def process_rows(folder: Path) -> list[Row]:
    """Rows of each way's speed against that of one process with one thread; the preset `quickstart-gpt` on `sotu`."""
    base = folder / "base"
    _run("twotower.cli", "prepare", "--out", str(base), threads=1)
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, (module, options, threads) in WAYS.items():
            run = folder / "run"
            shutil.copytree(base, run)
            _run(*module, "train", "--out", str(run), *SETTINGS, "--threads", str(threads), *options, threads=threads)
            training = json.loads((run / "training.json").read_text())
            assert training["processes"] == (2 if way.startswith("two") else 1)
            seconds[way].append(training["seconds"])
            shutil.rmtree(run)
    one_process = median(seconds["one process"])
    note = spread(seconds)
    return [
        reported(f"joint, quickstart-gpt, {way}", "one process, one thread", one_process / median(times), 2, note)
        for way, times in seconds.items()
        if way != "one process"
    ]


def _run(*words: str, threads: int) -> None:
    subprocess.run(
        [sys.executable, "-m", *words], check=True, capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
    )  # fmt: skip
