"""Where an update of the joint phase goes: `python benchmarks/profile_training.py [PRESET]`, one thread, random tokens.

Prints `torch.profiler`'s table of operations by their own time. The profiler's allocations disturb the process's memory
(fresh pages), so start it with MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=1073741824 on Linux.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import torch
from speed.text import synthetic
from speed.training import joint_work, quiet
from torch.profiler import ProfilerActivity, profile

from twotower.presets import preset

WARM_UP, UPDATES = 10, 20


def main() -> None:
    torch.set_num_threads(1)
    config = preset(sys.argv[1] if len(sys.argv) > 1 else "quickstart")
    with tempfile.TemporaryDirectory() as folder, quiet():
        work = joint_work(config, synthetic(Path(folder), 8_192, 200_000, 20_000))
        for _ in range(WARM_UP):
            work()
        with profile(activities=[ProfilerActivity.CPU]) as found:
            for _ in range(UPDATES):
                work()
    for event in sorted(found.key_averages(), key=lambda one: -one.self_cpu_time_total)[:20]:
        each = event.self_cpu_time_total / UPDATES / 1e3
        print(f"{event.key[:60]:60} {each:8.2f} ms per update, {event.count / UPDATES:6.1f} calls")


if __name__ == "__main__":
    main()
