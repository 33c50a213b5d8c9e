"""The peak memory of one training step, each measured in a process of its own: `python -m speed.memory WHAT RUN`."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import nn

from twotower.config.presets import preset
from twotower.system.allocator import freed_memory_kept

from . import reference
from .measure import Row, row
from .resident import peak_bytes
from .training import joint_work, language_model, reference_joint_work, setting

WHAT = ("ours", "reference", "trainer")
STEPS = 3
PRESET = "quickstart-bert"


def measured(what: str, run: Path) -> int:
    """Bytes that the steps add to what the process held before them, models and optimizers included."""
    torch.set_num_threads(1)
    config = preset(PRESET)
    if what == "trainer":
        text, _, batches = setting(config, run)
        before = _settled()
        models = [language_model(config, len(text.frequencies)) for _ in range(2)]
        works = [_plain_step(model, batches.get(0)) for model in models]
    else:
        before = _settled()
        works = [{"ours": joint_work, "reference": reference_joint_work}[what](config, run)]
    for _ in range(STEPS):
        for work in works:
            work()
    return peak_bytes() - before


def _settled() -> int:
    gc.collect()
    return peak_bytes()


def _plain_step(model: nn.Module, batch):  # type: ignore[no-untyped-def]
    """What `Trainer` does in a step, without its bookkeeping."""
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    labels = torch.where(batch.predicted, batch.targets, torch.full_like(batch.targets, reference.IGNORED))

    def work() -> None:
        model(input_ids=batch.inputs, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return work


def memory_rows(run: Path) -> list[Row]:
    """Rows of the peak memory of training with a vocabulary of 30,522."""
    peaks = {}
    for what in WHAT:
        command = [sys.executable, "-m", "speed.memory", what, str(run)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
        peaks[what] = json.loads(done.stdout.strip().splitlines()[-1])
    note = ", ".join(f"{what} {value / 2**20:.0f} MiB" for what, value in peaks.items())
    name = "peak memory of a training step, vocabulary 30,522"
    return [
        row(name, "reference's algorithm", peaks["ours"] / peaks["reference"], 0.4, 1, least=False, note=note),
        row(name, "two models of transformers", peaks["ours"] / peaks["trainer"], 0.5, 1, least=False),
    ]


if __name__ == "__main__":
    with freed_memory_kept() if sys.argv[1] == "ours" else nullcontext():
        print(measured(sys.argv[1], Path(sys.argv[2])))
