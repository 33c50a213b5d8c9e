"""What takes turns: each work by its name, done once for each line of standard input.

python -m speed.contestants WORK CONFIG RUN THREADS
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import torch

from twotower.config.schema import RunConfig
from twotower.config.settings import from_dict
from twotower.system.allocator import freed_memory_kept

from . import measuring, training


def works() -> dict[str, Callable[[RunConfig, Path], Callable[[], object]]]:
    """From a name to what makes the work. Those named `twotower …` run as `twotower` does, the others as they are."""
    return {
        "twotower joint": training.joint_work,
        "reference joint": training.reference_joint_work,
        "reference watched": training.reference_watched_work,
        "lean joint": training.lean_joint_work,
        "lean watched": training.lean_watched_work,
        "trainer joint": training.trainer_work,
        "twotower scoring": measuring.scoring_work,
        "reference scoring": measuring.reference_scoring_work,
        "bare scoring": measuring.bare_scoring_work,
    }


def serve(name: str, config: RunConfig, run: Path) -> None:
    """Do the work at every line of standard input."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    with ExitStack() as stack:
        stack.enter_context(training.quiet())
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
