"""The command line kept warm: `python -m twotower.cli.warm` reads command lines and runs each in a fork of itself.

It is a worker (see `workers`): a question is the words of a command, an answer its exit code, below zero the signal
that ended it. What a command imports has been imported before, once; everything else of it, memory included, ends with
its fork, and one that crashes takes nothing with it. Where forking a process that has loaded the system's libraries is
not safe, as on macOS, each command is a process of its own, and pays for its imports.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import traceback

from ..system.workers import answer_questions

WARMED = (
    "accelerate", "datasets", "HanTa.HanoverTagger", "matplotlib.figure", "matplotlib.backends.backend_svg",
    "sklearn.linear_model", "wordcloud", "twotower.data.prepare", "twotower.training.loop",
    "twotower.training.readouts", "twotower.scoring.scores", "twotower.results.analysis", "twotower.report.page",
)  # fmt: skip
"""What runs import. What is missing here is imported by each run itself."""
FORKS = sys.platform == "linux"


def main() -> None:
    """Run the command lines that are read, until there are no more."""
    if FORKS:
        for name in WARMED:
            importlib.import_module(name)
    answer_questions(_in_a_fork if FORKS else _in_a_process)


def _in_a_process(words: list[str]) -> int:
    command = [sys.executable, "-m", "twotower.cli", *words]
    return subprocess.run(command, preexec_fn=_default_signals, stdin=subprocess.DEVNULL).returncode


def _in_a_fork(words: list[str]) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        _default_signals()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        from .dispatch import main as run

        code = run(words)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def _default_signals() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    main()
