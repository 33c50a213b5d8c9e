"""Memory over very long training, and the cost of very many files: `python benchmarks/endurance.py`.

    python benchmarks/endurance.py --updates 100000    # training of tiny towers through the command line
    python benchmarks/endurance.py --files 1000 10000 100000

Training: private memory of the process of `twotower train` is read every few seconds and set beside the updates done.
What counts is its growth from the second tenth of the updates to the last. Files: the default corpus is repeated and
cut into files of a hundred words, and `twotower prepare` reads the folder.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from speed.resident import private_bytes, watch

from twotower.config.schema import PrepareConfig
from twotower.data.corpora import open_corpus

WORDS_OF_A_FILE, FILES_OF_A_FOLDER = 100, 1_000
EVERY = 2.0
"""Seconds between two looks at the memory."""
TINY = (
    "--model.layers", "1", "--model.width", "8", "--model.heads", "1", "--model.embedding", "8",
    "--train.window", "8", "--train.batch", "2", "--prepare.vocabulary", "512", "--prepare.heldout-words", "2000",
    "--train.evaluation-tokens", "1000", "--threads", "1",
)  # fmt: skip
TOKENS_OF_AN_UPDATE = 16


def twotower(*words: object) -> list[str]:
    return [sys.executable, "-m", "twotower", *map(str, words)]


def watched(command: Sequence[str], updates_done: Path | None = None) -> list[tuple[float, int, float]]:
    """Run a command; (seconds, updates that `updates_done` tells of, private MiB) every few seconds of it."""
    begin, seen = time.perf_counter(), list[tuple[float, int, float]]()

    def look(process: int) -> None:
        memory = private_bytes(process) / 2**20
        seen.append((time.perf_counter() - begin, last_update(updates_done), memory))

    watch(command, EVERY, look)
    return seen


def last_update(metrics: Path | None) -> int:
    """The step in the last whole line of `metrics.jsonl`; 0 before there is one."""
    if metrics is None or not metrics.is_file():
        return 0
    with metrics.open("rb") as stream:
        stream.seek(max(0, metrics.stat().st_size - 4_000))
        lines = stream.read().decode().split("\n")[:-1]
    return int(json.loads(lines[-1])["step"]) if lines else 0


def train_for(updates: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        settings = (*TINY, "--out", run)
        subprocess.run(twotower("prepare", *settings), check=True, capture_output=True)
        begin = time.perf_counter()
        seen = watched(
            twotower("train", *settings, "--tokens", updates * TOKENS_OF_AN_UPDATE),
            run / "checkpoints" / "metrics.jsonl",
        )
        seconds = time.perf_counter() - begin
    tenths = [
        [memory for _, done, memory in seen if done and tenth <= 10 * done / updates < tenth + 1] for tenth in range(10)
    ]
    for tenth, memory in enumerate(tenths):
        if memory:
            print(f"{updates * tenth // 10:>9,} to {updates * (tenth + 1) // 10:>9,} updates: {median(memory):.1f} MiB")
    measured = [median(memory) for memory in tenths[1:] if memory]
    if len(measured) > 1:
        grown = measured[-1] - measured[0]
        print(f"{updates:,} updates in {seconds:,.0f} s: memory grew by {grown:+.1f} MiB after the first tenth")


def read_files(count: int) -> None:
    texts = [document.text.split() for document in open_corpus(PrepareConfig()).documents()]
    words = itertools.cycle(word for text in texts for word in text)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            place = Path(folder) / "texts" / f"{number // FILES_OF_A_FOLDER:04d}"
            place.mkdir(parents=True, exist_ok=True)
            text = " ".join(itertools.islice(words, WORDS_OF_A_FILE))
            (place / f"{number:06d}.txt").write_text(text, encoding="utf-8")
        command = twotower("prepare", "--corpus", Path(folder) / "texts", "--threads", 1, "--out", Path(folder) / "run",
                           "--prepare.heldout-words", 4_000)  # fmt: skip
        begin = time.perf_counter()
        seen = watched(command)
        seconds = time.perf_counter() - begin
    peak = max(memory for _, _, memory in seen)
    print(f"{count:>7,} files, {count * WORDS_OF_A_FILE:,} words: prepared in {seconds:.0f} s, peak {peak:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, nargs="*", default=[])
    parser.add_argument("--files", type=int, nargs="*", default=[])
    words = parser.parse_args()
    if not words.updates and not words.files:
        words.updates, words.files = [100_000], [1_000, 10_000, 100_000]
    for updates in words.updates:
        train_for(updates)
    for count in words.files:
        read_files(count)


if __name__ == "__main__":
    main()
