"""Speed of tokenizing against the bare batch call of `tokenizers`, and memory on a growing corpus.

    python benchmarks/tokenization.py                  # the default corpus, 1 and 10 times over
    python benchmarks/tokenization.py --times 1 10 100

The stage's own writer (encoding, counting, streams and tables on disk) and one `encode_batch_fast` over the whole
default corpus, which holds everything in memory, take turns in one process; each is measured in characters per second.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np

from twotower.config import PrepareConfig
from twotower.data.corpora import open_corpus
from twotower.data.documents import Corpus, Document
from twotower.data.prepare import TRAIN, write_tokens
from twotower.data.tokenization import Tokenizer, chunks, train_tokenizer

ROUNDS = 3


def repeated(times: int) -> Corpus:
    source = open_corpus(PrepareConfig())

    def read() -> Iterator[Document]:
        for _ in range(times):
            yield from source.documents()

    return Corpus(f"sotu x {times}", read, parts=("all",))


def tokenizer_of(corpus: Corpus) -> Tokenizer:
    def texts() -> Iterator[list[str]]:
        for document in corpus.documents():
            yield [document.text[start:end] for start, end in chunks(document.text)]

    return train_tokenizer(texts, 8192)


def ours(corpus: Corpus, documents: int, tokenizer: Tokenizer) -> float:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        write_tokens(corpus, np.full(documents, TRAIN), tokenizer, None, 0, Path(folder))
        return time.perf_counter() - begin


def bare(texts: list[str], tokenizer: Tokenizer) -> float:
    begin = time.perf_counter()
    tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    return time.perf_counter() - begin


def compare() -> None:
    corpus = repeated(1)
    texts = [document.text for document in corpus.documents()]
    size = sum(map(len, texts)) / 1e6
    tokenizer = tokenizer_of(corpus)
    times: dict[str, list[float]] = {"bare": [], "ours": []}
    for _ in range(ROUNDS):
        times["bare"].append(bare(texts, tokenizer))
        times["ours"].append(ours(corpus, len(texts), tokenizer))
    for name, seconds in times.items():
        print(f"{name}: {size / median(seconds):.2f} M characters/s (median), {size / min(seconds):.2f} (best)")
    print(f"ours / bare: {median(times['bare']) / median(times['ours']):.2f} (target 0.80)")


def grow(times: int) -> None:
    corpus = repeated(times)
    tokenizer = tokenizer_of(repeated(1))
    size = documents = 0
    for document in corpus.documents():
        size += len(document.text)
        documents += 1
    seconds = ours(corpus, documents, tokenizer)
    peak = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
    print(f"x {times}: {size / 1e6:.0f} M characters at {size / 1e6 / seconds:.2f} M/s, peak {int(peak) / 1e3:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, nargs="*", default=[1, 10])
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        grow(arguments.only)
        return
    print(f"{os.cpu_count()} cores")
    compare()
    for number in arguments.times:  # a process each: the peak is that of this corpus alone
        subprocess.run([sys.executable, __file__, "--only", str(number)], check=True)


if __name__ == "__main__":
    main()
