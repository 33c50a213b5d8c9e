"""Warm processes: each runs one command line after another without paying for the imports again.

A slot is `python -m twotower.cli.warm`, which has imported everything and forks for each command line. So the memory of
a run is given back when it ends, and a run that crashes takes nothing with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import TracebackType


class Slot:
    """A warm process, started when it is first used. Not for several threads at a time."""

    def __init__(self, threads: int = 0) -> None:
        self._environment = dict(os.environ) | ({"OMP_NUM_THREADS": str(threads)} if threads else {})
        self._process: subprocess.Popen[str] | None = None

    def run(self, words: list[str]) -> int:
        """Run one command line; returns its exit code, below zero the signal that ended it.

        A warm process that is gone itself is started anew for the next one.
        """
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-m", "twotower.cli.warm"]
            self._process = subprocess.Popen(
                command, env=self._environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        return int(json.loads(answer)) if answer else self._process.wait() or 1

    def __enter__(self) -> Slot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            assert self._process.stdin is not None and self._process.stdout is not None
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()
