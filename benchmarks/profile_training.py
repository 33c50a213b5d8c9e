"""Where an update of the joint phase goes, one thread, random tokens.

    python benchmarks/profile_training.py                                  # the three families of quickstart
    python benchmarks/profile_training.py quickstart-gpt --operations 20   # more of `torch.profiler`'s operations

Prints milliseconds by section, measured without the profiler, and the operations by their own time, with it, as tables
in Markdown.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from speed.text import synthetic
from speed.training import joint_parts, quiet
from torch.profiler import ProfilerActivity, profile

from twotower.config.presets import PRESETS, preset
from twotower.modeling import objectives
from twotower.modeling.losses import cross_entropy_sum
from twotower.modeling.objectives import watched_heads
from twotower.system.allocator import freed_memory_kept
from twotower.training.loop import update

WARM_UP, UPDATES = 10, 30
QUICKSTARTS = ("quickstart-gpt", "quickstart-bert", "quickstart-elmo")
FORWARD, JOINT, WATCHING = "towers, forward", "joint loss and its gradient", "three readouts that watch, the same"
BACKWARD, STEP, REST = "the rest of the backward pass", "clipping, AdamW, zeroing", "fusion, batch, and the rest"


class Sections:
    """Seconds by name; what runs inside another's time is not taken out of it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def timed(self, names: str | list[str], work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, its time added to `names`, in turn if there are several."""
        turns = itertools.cycle([names] if isinstance(names, str) else names)

        def wrapped(*arguments: Any, **options: Any) -> Any:
            begin = time.perf_counter()
            result = work(*arguments, **options)
            self.seconds[next(turns)] += time.perf_counter() - begin
            return result

        return wrapped


def measure(name: str, folder: Path) -> tuple[dict[str, float], list[tuple[str, float, float]]]:
    """Milliseconds of each section, and operations with their own milliseconds and calls, of an update of a preset."""
    config = preset(name)
    objective, optimizers, batches, accelerator = joint_parts(config, folder)
    steps = itertools.count()

    def work() -> None:
        update(objective, optimizers, batches, next(steps), config, accelerator)

    for _ in range(WARM_UP):
        work()
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        for _ in range(UPDATES):
            work()
    operations = [
        (event.key, event.self_cpu_time_total / UPDATES / 1e3, event.count / UPDATES)
        for event in profiler.key_averages()
    ]
    sections = Sections()
    objective.model.tower_outputs = sections.timed(FORWARD, objective.model.tower_outputs)
    losses = [JOINT, *[WATCHING] * watched_heads(batches.towers)]
    timed_loss = sections.timed(losses, cross_entropy_sum)
    accelerator.backward = sections.timed(BACKWARD, accelerator.backward)  # type: ignore[method-assign]
    accelerator.clip_grad_norm_ = sections.timed(STEP, accelerator.clip_grad_norm_)  # type: ignore[method-assign]
    for optimizer in optimizers:
        optimizer.step = sections.timed(STEP, optimizer.step)
        optimizer.zero_grad = sections.timed(STEP, optimizer.zero_grad)
    begin = time.perf_counter()
    with patch.object(objectives, "cross_entropy_sum", timed_loss):
        for _ in range(UPDATES):
            work()
    sections.seconds[REST] = time.perf_counter() - begin - sum(sections.seconds.values())
    milliseconds = {section: 1e3 * seconds / UPDATES for section, seconds in sections.seconds.items()}
    return milliseconds, sorted(operations, key=lambda operation: -operation[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", metavar="PRESET", help=", ".join(QUICKSTARTS))
    parser.add_argument("--operations", type=int, default=10)
    words = parser.parse_args()
    names = words.presets or list(QUICKSTARTS)
    for name in names:
        if name not in PRESETS:
            parser.error(f"{name!r} is no preset")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, quiet(), freed_memory_kept():
        text = synthetic(Path(folder), 8_192, 200_000, 20_000)
        measured = {name: measure(name, text) for name in names}
    print(f"| | {' | '.join(names)} |\n|{'---|' * (1 + len(names))}")
    for section in (FORWARD, JOINT, WATCHING, BACKWARD, STEP, REST):
        print(f"| {section} | {' | '.join(f'{measured[name][0][section]:.1f}' for name in names)} |")
    print(f"| together | {' | '.join(f'{sum(measured[name][0].values()):.1f}' for name in names)} |")
    print(f"\n| {' | | '.join(names)} | |\n|{'---|' * (2 * len(names))}")
    for rank in range(words.operations):
        ranked = [measured[name][1][rank] for name in names]
        cells = [f"{key.removeprefix('aten::')} | {own:.1f} ({calls:.0f})" for key, own, calls in ranked]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
