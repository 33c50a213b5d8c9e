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
import time
from statistics import median

from speed.reading import compare_tokenizing, repeated, tokenize, tokenizer_of
from speed.resident import peak_bytes


def compare() -> None:
    times, characters = compare_tokenizing()
    size = characters / 1e6
    for name, seconds in times.items():
        print(f"{name}: {size / median(seconds):.2f} M characters/s (median), {size / min(seconds):.2f} (best)")
    print(f"ours / bare: {median(times['bare']) / median(times['ours']):.2f} (target 0.80)")


def grow(times: int) -> None:
    corpus = repeated(times)
    tokenizer = tokenizer_of(repeated(1))
    size = sum(len(document.text) for document in corpus.documents())
    begin = time.perf_counter()
    tokenize(corpus, tokenizer)
    seconds = time.perf_counter() - begin
    peak = peak_bytes() / 1e6
    print(f"x {times}: {size / 1e6:.0f} M characters at {size / 1e6 / seconds:.2f} M/s, peak {peak:.0f} MB")


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
