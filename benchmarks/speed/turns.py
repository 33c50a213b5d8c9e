"""Works that take turns, each in a process of its own, as its user would run it: no other's memory is in its way.

    python -m speed.turns WORK CONFIG RUN THREADS

does the work once for each line that it reads, and answers each with the seconds it took.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import torch

from twotower.allocator import freed_memory_kept
from twotower.config import RunConfig, from_dict, to_dict

PAUSE = 0.05
"""Seconds between turns: threads of the process before spin for a while before they sleep."""


def take_turns(works: Sequence[str], config: RunConfig, run: Path, threads: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of each work (by its name in `works()`) in each round, A B A B …, after one that is thrown away."""
    with ExitStack() as stack:
        processes = {}
        for name in works:
            words = [sys.executable, "-m", "speed.turns", name, json.dumps(to_dict(config)), str(run), str(threads)]
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


def works() -> dict[str, Callable[[RunConfig, Path], Callable[[], object]]]:
    """From a name to what makes the work. Those named `twotower …` run as `twotower` does, the others as they are."""
    from . import measuring, training

    return {
        "twotower joint": training.joint_work,
        "reference joint": training.reference_joint_work,
        "reference watched": training.reference_watched_work,
        "trainer joint": training.trainer_work,
        "twotower readouts": training.readout_work,
        "reference readouts": training.reference_readout_work,
        "twotower scoring": measuring.scoring_work,
        "reference scoring": measuring.reference_scoring_work,
        "bare scoring": measuring.bare_scoring_work,
    }


def serve(name: str, config: RunConfig, run: Path) -> None:
    """Do the work at every line of standard input."""
    from .training import quiet

    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    with ExitStack() as stack:
        stack.enter_context(quiet())
        if name.startswith("twotower") or name.startswith("bare"):
            stack.enter_context(freed_memory_kept())
        work = works()[name](config, run)
        for _ in sys.stdin:
            begin = time.perf_counter()
            took = work()
            seconds = took if isinstance(took, float) else time.perf_counter() - begin
            print(seconds, file=answers, flush=True)


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[4]))
    serve(sys.argv[1], from_dict(json.loads(sys.argv[2])), Path(sys.argv[3]))
