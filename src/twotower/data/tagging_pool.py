"""HanTa in several processes: sentences are shared out, and come back as one process would have tagged them.

A process is `python -m twotower.data.tagging_pool`: a line of its input is a list of sentences as JSON, a line of its
output their tags. It ends with its input, so that none outlives a run that is killed; and unlike a worker of
`multiprocessing`, it neither runs the script again that called it nor holds this process's open files, a lock of the
run folder among them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

WORDS_AT_A_TIME = 1_000
"""About this many words go to a process at a time, so that none waits long for the last."""
FEWEST_WORDS = 20_000
"""Below this many, one process is done before others have loaded the model."""

TagSentences = Callable[[Sequence[Sequence[str]]], list[list[str]]]
"""From the words of sentences to the C5 tag of each."""


class HantaPool:
    """HanTa's tags of sentences, by as many processes as are asked for once there is enough to do."""

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self._alone: TagSentences | None = None
        self._workers: list[subprocess.Popen[str]] = []
        self._seen = 0

    def __call__(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The C5 tag of each word of each sentence."""
        self._seen += sum(len(sentence) for sentence in sentences)
        if self.processes == 1 or self._seen < FEWEST_WORDS:
            self._alone = self._alone or load_model()
            return self._alone(sentences)
        if not self._workers:
            self._start()
        free: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
        for worker in self._workers:
            free.put(worker)

        def tag(part: list[Sequence[str]]) -> list[list[str]]:
            worker = free.get()
            try:
                return _ask(worker, part)
            finally:
                free.put(worker)

        with ThreadPoolExecutor(self.processes) as threads:
            return [tags for part in threads.map(tag, _parts(sentences)) for tags in part]

    def _start(self) -> None:
        command = [sys.executable, "-m", "twotower.data.tagging_pool"]
        self._workers = [
            subprocess.Popen(command, text=True, encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(self.processes)
        ]

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.communicate()
        self._workers = []


def load_model() -> TagSentences:
    """HanTa's model of English, in this process."""
    from HanTa.HanoverTagger import HanoverTagger

    tagger = HanoverTagger("morphmodel_en.pgz")
    return lambda sentences: [[str(tag) for tag in tagger.tag_sent(list(one), taglevel=0)] for one in sentences]


def _ask(worker: subprocess.Popen[str], part: Sequence[Sequence[str]]) -> list[list[str]]:
    assert worker.stdin is not None and worker.stdout is not None
    worker.stdin.write(json.dumps(part) + "\n")
    worker.stdin.flush()
    answer = worker.stdout.readline()
    if not answer:
        raise RuntimeError(f"a process that tags ended with {worker.wait()}; --threads 1 tags without others")
    found: list[list[str]] = json.loads(answer)
    return found


def _parts(sentences: Sequence[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    part: list[Sequence[str]] = []
    words = 0
    for sentence in sentences:
        part.append(sentence)
        words += len(sentence)
        if words >= WORDS_AT_A_TIME:
            yield part
            part, words = [], 0
    if part:
        yield part


def main() -> None:
    """Tag what is read, until there is no more."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, with which this ends
    tag = load_model()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(tag(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
