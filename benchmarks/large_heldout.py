"""What a very long held-out text takes: `python benchmarks/large_heldout.py FOLDER --occurrences 10_000_000`.

The folder is a finished run. A run folder like it is planted whose held-out documents are those of the first, over and
over, with numbers and names of their own and with scores that differ by chance; `--document 200` cuts them into shorter
ones. `twotower analyze` then reads it in a process of its own; its time, its peak of private memory (read ten times a
second) and of resident memory, which counts mapped files too, are printed. `--each` prints them of each statistic
instead. With `--keep PLACE` the folder stays.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from speed.resident import private_bytes, status_bytes, watch

from twotower.results import analysis
from twotower.runs.records import fingerprint, load_config, read_records, recorded_output, write_records

JITTER = 0.1
"""Standard deviation of what is added to each score, in nats."""
ROWS = 1_000_000
"""Rows of a row group, as `twotower score` writes them."""
EVERY = 0.1
"""Seconds between two looks at the memory."""
LEFT_OUT = {"figures", "report.html", "tensorboard", "checkpoints", "preference.parquet", "results.json", "knowledge"}


def plant(source: Path, target: Path, occurrences: int, longest: int) -> None:
    """A run folder like `source`, not yet analyzed, with so many held-out tokens in documents of `longest` at most."""
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if path.is_file() and name.parts[0] not in LEFT_OUT:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target / name)
    documents = pq.read_table(source / "data" / "documents.parquet").to_pandas()
    held = documents[documents["heldout"] & (documents["tokens"] > 0)]
    rows = len(pq.ParquetFile(source / "scores.parquet").read(columns=["document"]))
    copies = -(-occurrences // rows)
    old = pq.read_table(source / "scores.parquet", columns=["document", "position"])
    number, position = numbered(old, longest)
    first = int(documents["document"].max()) + 1
    for name, jitter in (("data/heldout.parquet", 0.0), ("scores.parquet", JITTER)):
        repeat(source / name, target / name, copies, number, position, first, jitter)
    sizes = np.bincount(number)
    names = held.set_index("document")["name"].loc[
        old["document"].to_numpy()[np.flatnonzero(np.diff(number, prepend=-1))]
    ]
    planted = pa.table({
        "document": pa.array(first + np.arange(copies * len(sizes)), pa.int32()),
        "name": [f"copy {copy} of {name}" for copy in range(copies) for name in names],
        "part": [""] * (copies * len(sizes)),
        "heldout": [True] * (copies * len(sizes)),
        "start": np.concatenate([[1], 1 + np.cumsum(np.tile(sizes + 1, copies))[:-1]]),
        "tokens": np.tile(sizes, copies),
        "characters": np.tile(sizes, copies),
    })  # fmt: skip
    schema = pq.read_schema(source / "data" / "documents.parquet")
    replace(target / "data" / "documents.parquet", lambda path: pq.write_table(planted.cast(schema), path))
    tags = np.load(source / "data" / "tags.npy") * copies
    replace(target / "data" / "tags.npy", lambda path: np.save(path, tags))
    summary = json.loads((source / "data" / "corpus.json").read_text())
    summary |= {"heldout_documents": copies * len(sizes), "heldout_tokens": copies * rows}
    replace(target / "data" / "corpus.json", lambda path: path.write_text(json.dumps(summary)))
    record(target)
    print(f"planted {copies * rows:,} held-out tokens in {copies * len(sizes):,} documents", flush=True)


def numbered(old: pa.Table, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Document, from 0, and position in it of each row, once documents are cut to `longest` tokens (0: left whole)."""
    document = old["document"].to_numpy()
    begins = np.diff(document, prepend=document[0] - 1) != 0
    starts = np.flatnonzero(begins)
    place = np.arange(len(document)) - np.repeat(starts, np.diff(starts, append=len(document)))
    if longest:
        begins |= place % longest == 0
        place = place % longest
    return np.cumsum(begins) - 1, place


def repeat(
    source: Path, target: Path, copies: int, number: np.ndarray, position: np.ndarray, first: int, jitter: float
) -> None:
    """Write a table over and over, with its documents numbered anew, and with its scores moved a little by chance."""
    table, generator = pq.read_table(source), np.random.default_rng(0)
    schema, documents = table.schema, int(number[-1]) + 1

    def moved(field: pa.Field, copy: int) -> pa.Array | pa.ChunkedArray:
        if field.name == "document":
            return pa.array(first + copy * documents + number, field.type)
        if field.name == "position":
            return pa.array(position, field.type)
        if jitter and pa.types.is_floating(field.type):
            noise = jitter * generator.standard_normal(len(table), dtype=np.float32)
            return pa.array(table[field.name].to_numpy() + noise, field.type)
        return table[field.name]

    def write(path: Path) -> None:
        waiting: list[pa.Table] = []
        with pq.ParquetWriter(path, schema) as writer:
            for copy in range(copies):
                waiting.append(pa.table([moved(field, copy) for field in schema], schema=schema))
                if sum(map(len, waiting)) >= ROWS or copy == copies - 1:
                    writer.write_table(pa.concat_tables(waiting), row_group_size=ROWS)
                    waiting = []

    replace(target, write)


def replace(path: Path, write: Callable[[Path], Any]) -> None:
    path.unlink()  # it is a link to the source's
    write(path)


def record(run: Path) -> None:
    """Records that hold: new digests wherever the old ones are named, and none of what comes after the scores."""
    known = read_records(run)
    records = {name: known[name] for name in ("prepare", "train", "readout", "score")}
    new = {name: fingerprint(run / name) for name in ("data", "scores.parquet")}
    for stage in records.values():
        stage.inputs.update({name: new[name].digest for name in new if name in stage.inputs})
        for name in stage.outputs:
            stage.outputs[name] = recorded_output(run / name, new.get(name) or stage.outputs[name])
    write_records(run, records)


def analyze(run: Path) -> None:
    """`twotower analyze` in a process of its own, watched."""
    begin, private, peak = time.perf_counter(), 0, 0

    def look(process: int) -> None:
        nonlocal private, peak
        private, peak = max(private, private_bytes(process)), max(peak, status_bytes("VmHWM", process))

    watch([sys.executable, "-m", "twotower", "analyze", "--out", str(run), "--quiet"], EVERY, look)
    seconds = time.perf_counter() - begin
    print(f"analyzed in {seconds:,.0f} s, peak {private / 2**30:.2f} GiB private, {peak / 2**30:.2f} GiB resident")


def analyze_each(run: Path) -> None:
    """The stage in this process, with the time and the peak of resident memory of each of its steps."""

    def told(name: str, step: Callable[..., Any], *given: Any, **named: Any) -> Any:
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        begin = time.perf_counter()
        output = step(*given, **named)
        peak, now = status_bytes("VmHWM") / 2**30, private_bytes() / 2**30
        print(
            f"{name:24} {time.perf_counter() - begin:7.1f} s  peak {peak:5.2f} GiB, {now:5.2f} private after it",
            flush=True,
        )
        return output

    for name in ("types_table", "context", "direction", "emergence"):
        setattr(analysis, name, partial(told, name, getattr(analysis, name)))
    for name, statistic in analysis.STATISTICS.items():
        analysis.STATISTICS[name] = partial(told, name, statistic)
    out = run / ".each"
    out.mkdir(exist_ok=True)
    told("analyze", analysis.analyze, load_config(run), run, out)
    shutil.rmtree(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="FOLDER")
    parser.add_argument("--occurrences", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--document", type=int, default=0, help="tokens of a document at most; 0 leaves them whole")
    parser.add_argument("--each", action="store_true", help="time and memory of each statistic")
    parser.add_argument("--keep", type=Path, help="a folder for the planted runs, which stay there")
    parser.add_argument("--analyze-here", action="store_true", help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.analyze_here:
        analyze_each(words.source)
        return
    with tempfile.TemporaryDirectory() as folder:
        for occurrences in words.occurrences:
            run = (words.keep or Path(folder)) / f"heldout-{occurrences}-{words.document}"
            if not run.exists():
                plant(words.source, run, occurrences, words.document)
            if words.each:
                subprocess.run([sys.executable, __file__, str(run), "--analyze-here"], check=True)
            else:
                analyze(run)


if __name__ == "__main__":
    main()
