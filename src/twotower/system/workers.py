"""Processes that answer questions: started when they are first needed, kept while there are more.

A worker is `python -m MODULE` whose `main` calls `answer_questions`: a line of its input is a question as JSON, a line
of its output the answer. It ends with its input, so that none outlives a process that is killed; and unlike a worker of
`multiprocessing`, it neither runs the script again that called it nor holds this process's open files, a lock of the
run folder among them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import SimpleQueue
from typing import Any


class WorkerEndedError(Exception):
    """A worker has ended instead of answering; `code` is its exit code, below zero the signal that ended it."""

    def __init__(self, code: int) -> None:
        super().__init__(f"a worker ended with {code}")
        self.code = code


class Worker:
    """One such process. Not for several threads at a time."""

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._command = [sys.executable, "-m", module]
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[str] | None = None

    def ask(self, question: Any) -> Any:
        """The answer. Raises `WorkerEndedError` if there will be none; the next question starts the process again."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                self._command, env=self._environment, text=True, encoding="utf-8",
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise WorkerEndedError(self._process.wait())
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.communicate()


class Workers:
    """As many workers of one module as are asked for. Several threads may ask; each waits for a free worker."""

    def __init__(self, module: str, count: int, environment: Mapping[str, str] | None = None) -> None:
        self._all = [Worker(module, environment or {}) for _ in range(count)]
        self._free: SimpleQueue[Worker] = SimpleQueue()
        for worker in self._all:
            self._free.put(worker)

    def ask(self, question: Any) -> Any:
        """The answer of a worker that is free. Raises `WorkerEndedError`."""
        worker = self._free.get()
        try:
            return worker.ask(question)
        finally:
            self._free.put(worker)

    def close(self) -> None:
        """End the processes."""
        for worker in self._all:
            worker.close()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def answer_questions(answer: Callable[[Any], Any]) -> None:
    """Be a worker: answer each question that is read, until there are no more.

    What `answer` prints goes to standard error. Ctrl-C is for those who ask, with whom this ends.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A fork that outlives this process must not keep those who ask waiting.
    os.register_at_fork(after_in_child=answers.close)
    with suppress(BrokenPipeError):  # whoever asked was killed
        for line in sys.stdin:
            answers.write(json.dumps(answer(json.loads(line))) + "\n")
            answers.flush()
