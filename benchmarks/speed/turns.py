"""Works that take turns, each in a process of its own, as its user would run it: no other's memory is in its way.

Each process is `speed.contestants`; it answers every line that it reads with the seconds the work took.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from twotower.config.schema import RunConfig
from twotower.config.settings import to_dict

PAUSE = 0.05
"""Seconds between turns: threads of the process before spin for a while before they sleep."""


def take_turns(works: Sequence[str], config: RunConfig, run: Path, threads: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of each of `contestants.works()` that is named, in each round, A B A B …, after one thrown away."""
    with ExitStack() as stack:
        processes = {}
        for name in works:
            words = [
                sys.executable,
                "-m",
                "speed.contestants",
                name,
                json.dumps(to_dict(config)),
                str(run),
                str(threads),
            ]
            processes[name] = stack.enter_context(
                subprocess.Popen(
                    words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
                )
            )
        times: dict[str, list[float]] = {name: [] for name in works}
        for number in range(rounds + 1):
            for name, process in processes.items():
                time.sleep(PAUSE)
                assert process.stdin is not None and process.stdout is not None
                process.stdin.write("\n")
                process.stdin.flush()
                answer = process.stdout.readline()
                if not answer:
                    raise RuntimeError(f"{name} failed")
                if number:
                    times[name].append(float(answer))
        for process in processes.values():
            assert process.stdin is not None
            process.stdin.close()
    return times
