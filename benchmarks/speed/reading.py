"""Reading and tokenizing text, and drawing batches, against the bare read of the file and the bare tokenizer."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from twotower.config.schema import PrepareConfig, RunConfig
from twotower.data.corpora import open_corpus
from twotower.data.documents import Corpus, Document
from twotower.data.encoding import TRAIN, Encoding, write_tokens
from twotower.data.tokenization import Tokenizer, chunks
from twotower.data.tokenizer_training import train_tokenizer

from .measure import Row, alternate, ratio, reported, row, spread
from .training import setting

ROUNDS = 3
VOCABULARY = 8_192
TIMES = 10
"""The default corpus, 12 MB, so many times over is what is read."""
PIECE = 1 << 20


def repeated(times: int) -> Corpus:
    """The default corpus, so many times over."""
    source = open_corpus(PrepareConfig())

    def read() -> Iterator[Document]:
        for _ in range(times):
            yield from source.documents()

    return Corpus(f"sotu x {times}", read, parts=("all",))


def tokenizer_of(corpus: Corpus) -> Tokenizer:
    """A vocabulary for it."""

    def texts() -> Iterator[list[str]]:
        for document in corpus.documents():
            yield [document.text[start:end] for start, end in chunks(document.text)]

    return train_tokenizer(texts, VOCABULARY)


def tokenize(corpus: Corpus, tokenizer: Tokenizer) -> None:
    """What the stage does: encode, count, and write streams and tables to disk."""
    with tempfile.TemporaryDirectory() as folder:
        numbered = ((number, document, TRAIN) for number, document in enumerate(corpus.documents()))
        write_tokens(Encoding(tokenizer, None, corpus.parts), numbered, Path(folder))


def bare_tokenize(texts: list[str], tokenizer: Tokenizer) -> None:
    """One call over the whole corpus, which keeps everything in memory."""
    tokenizer.encode_batch_fast(texts, add_special_tokens=False)


def compare_tokenizing() -> tuple[dict[str, list[float]], int]:
    """Seconds of both on the default corpus, taking turns in one process, and its characters."""
    corpus = repeated(1)
    texts = [document.text for document in corpus.documents()]
    tokenizer = tokenizer_of(corpus)
    works: dict[str, Callable[[], object]] = {
        "bare": lambda: bare_tokenize(texts, tokenizer),
        "ours": lambda: tokenize(corpus, tokenizer),
    }
    return alternate(works, ROUNDS), sum(map(len, texts))


def _read(path: Path) -> int:
    """All bytes of a file, in order."""
    size = 0
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            size += len(piece)
    return size


def _read_documents(folder: Path) -> tuple[dict[str, list[float]], int]:
    """Seconds of reading a file's documents, a block each, and of reading its bytes; and its bytes."""
    path = folder / "corpus.txt"
    text = "\n\n".join(document.text.replace("\n\n", "\n") for document in repeated(1).documents())
    path.write_text("\n\n".join([text] * TIMES), encoding="utf-8")
    corpus = open_corpus(PrepareConfig(corpus=(str(path),), documents="block"))
    works: dict[str, Callable[[], object]] = {
        "bare": lambda: _read(path),
        "ours": lambda: sum(len(document.text) for document in corpus.documents()),
    }
    return alternate(works, ROUNDS), path.stat().st_size


def _read_batches(config: RunConfig, run: Path) -> tuple[dict[str, list[float]], int]:
    """Seconds of drawing an epoch's batches, shuffled windows, and of reading the stream's bytes; and its bytes."""
    _, _, batches = setting(config, run)
    path = run / "data" / "train.npy"
    steps = len(batches.text.train) // batches.tokens

    def draw() -> None:
        for step in range(steps):
            batches.get(step)

    return alternate({"bare": lambda: _read(path), "ours": draw}, ROUNDS), path.stat().st_size


def text_rows(config: RunConfig, run: Path) -> list[Row]:
    """Tokenizing, on all cores, has a target; reading, on one, is reported. Files are in the page cache."""
    cores = os.cpu_count() or 1

    def speeds(times: dict[str, list[float]], size: int) -> str:
        rates = {name: size / 1e6 / median(seconds) for name, seconds in times.items()}
        return spread(times) + "; " + ", ".join(f"{name} {rate:,.1f} MB/s" for name, rate in rates.items())

    times, characters = compare_tokenizing()
    note = speeds(times, characters)
    rows = [row("tokenizing", "bare batch call", ratio(times, "bare", "ours"), 0.8, cores, note=note)]
    with tempfile.TemporaryDirectory() as folder:
        times, size = _read_documents(Path(folder))
    against = ratio(times, "bare", "ours")
    rows.append(reported("reading documents", "sequential read", against, 1, speeds(times, size)))
    times, size = _read_batches(config, run)
    against = ratio(times, "bare", "ours")
    rows.append(reported("drawing an epoch's batches", "sequential read", against, 1, speeds(times, size)))
    return rows
