"""The stage `score`: one row per held-out occurrence, with its log-probability under every head."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Generator, Iterable
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..config.schema import RunConfig
from ..data.heldout import PreparedText
from ..data.windows import ScoringRows
from ..modeling.model import TowersModel
from ..modeling.scoring import NEAR, score_rows
from ..modeling.sizes import require_same_vocabulary
from ..system.processes import Processes, device, joined
from ..system.progress import Progress
from .context import in_order, shortened
from .direction import lesion
from .score_parts import Heads, read_frame, read_heads, write_heads

ROWS = 1_000_000


def score(config: RunConfig, run: Path, out: Path) -> None:
    """Score the held-out text with `run/model`; write three tables into `out`.

    `scores.parquet` has a row for each held-out piece: `document`, `position` (in its document), `piece_id`, `piece`,
    `word`, `upos`, `whole_word`, then log-probabilities in nats (float32): `joint`, `near` (the joint head's, in
    windows of `NEAR` tokens) and, for each tower K and each set of readouts (see `training.readouts.SETS`),
    `readout_K`, `second_K`, `third_K`, `fourth_K`. For `context.parquet` and `direction.parquet` see
    `context.shortened` and `direction.lesion`.

    Under a launcher every process must call it: each scores a contiguous stretch of the rows, in the batches of a
    single process, and the first one joins what they wrote.
    """
    text = PreparedText(run)
    model = TowersModel.from_pretrained(run / "model")
    model.eval()
    model.to(device())
    require_same_vocabulary(model.config, text)
    rows = text.windows(model.config.objective, model.config.windows, model.config.window)
    starts = text.documents["start"].to_numpy()
    processes, batch = joined(), config.score.batch
    near = _near(model, text, config, processes)
    if processes.count == 1:
        # Closed so that its progress ends before an error is printed.
        with closing(_scored("score", model, rows, batch, config.score.passes, processes)) as scored:
            _write_scores(run, out, text, scored, near)
        shortened(model, rows, starts, batch).to_parquet(out / "context.parquet", index=False)
        lesion(model, rows, starts, batch).to_parquet(out / "direction.parquet", index=False)
        return
    parts = out / "parts"
    parts.mkdir(exist_ok=True)
    np.save(parts / f"{processes.rank}.npy", near)
    with closing(_scored("score", model, rows, batch, config.score.passes, processes)) as scored:
        write_heads(parts / f"{processes.rank}.arrow", scored)
    shortened(model, rows, starts, batch, processes).to_parquet(parts / f"{processes.rank}.context", index=False)
    lesion(model, rows, starts, batch, processes).to_parquet(parts / f"{processes.rank}.direction", index=False)
    processes.wait()
    if processes.first:
        of_kind = {
            kind: [parts / f"{rank}.{kind}" for rank in range(processes.count)]
            for kind in ("npy", "arrow", "context", "direction")
        }
        near = np.concatenate([np.load(path, mmap_mode="r") for path in of_kind["npy"]])
        _write_scores(run, out, text, read_heads(of_kind["arrow"]), near)
        in_order(read_frame(of_kind["context"])).to_parquet(out / "context.parquet", index=False)
        read_frame(of_kind["direction"]).to_parquet(out / "direction.parquet", index=False)
        shutil.rmtree(parts)


def _scored(
    label: str,
    model: TowersModel,
    rows: ScoringRows,
    batch: int,
    passes: int,
    processes: Processes,
    heads: Collection[str] | None = None,
) -> Generator[Heads, None, None]:
    """The log-probabilities of this process's rows under the heads (all if None), batch by batch, with progress."""
    starts = processes.starts(len(rows), batch)
    own_rows = max(0, starts.stop - starts.start)
    with Progress(label, own_rows, "window", quiet=not processes.first) as progress:
        for start, (_, log_probs) in zip(starts, score_rows(model, rows, batch, passes, heads, starts), strict=True):
            yield {name: values.numpy() for name, values in log_probs.items()}
            progress.advance(min(batch, starts.stop - start))


def _write_scores(run: Path, out: Path, text: PreparedText, chunks: Iterable[Heads], near: np.ndarray) -> None:
    """Set the log-probabilities beside the pieces that they are of, a row group of `ROWS` pieces at a time."""
    pieces = pa.array(text.pieces, pa.string())
    source = pq.ParquetFile(run / "data" / "heldout.parquet").iter_batches(batch_size=ROWS)
    writer: pq.ParquetWriter | None = None
    pending: list[Heads] = []
    waiting = 0
    batch_rows = next(source, None)
    scored = 0
    for heads in chunks:
        count = len(heads["joint"])
        pending.append(heads | {"near": near[scored : scored + count]})
        scored += count
        waiting += count
        while batch_rows is not None and (waiting >= len(batch_rows)):
            joined_up = {name: np.concatenate([part[name] for part in pending]) for name in pending[0]}
            table = _table(batch_rows, pieces, {name: values[: len(batch_rows)] for name, values in joined_up.items()})
            pending = [{name: values[len(batch_rows) :] for name, values in joined_up.items()}]
            waiting -= len(batch_rows)
            writer = writer or pq.ParquetWriter(out / "scores.parquet", table.schema)
            writer.write_table(table)
            batch_rows = next(source, None)
    assert batch_rows is None and waiting == 0, "scores and held-out pieces differ in number"
    if writer is not None:
        writer.close()


def _near(model: TowersModel, text: PreparedText, config: RunConfig, processes: Processes) -> np.ndarray:
    """The joint head's log-probability of held-out tokens in windows of `NEAR` tokens, (tokens,), float32.

    Windows are contiguous, unlike those of some trainings. A causal tower has `NEAR` / 2 to `NEAR` tokens of context.
    The tokens are those of this process's stretch of these windows, which is not its stretch of the longer ones.
    """
    rows = text.windows(model.config.objective, "contiguous", min(NEAR, model.config.window))
    batch = config.score.batch * max(1, model.config.window // NEAR)
    scored = _scored("score, near context", model, rows, batch, config.score.passes, processes, {"joint"})
    none = np.empty(0, dtype=np.float32)  # there may be fewer batches than processes
    return np.concatenate([none, *(heads["joint"] for heads in scored)])


def _table(rows: pa.RecordBatch, pieces: pa.Array, heads: dict[str, np.ndarray]) -> pa.Table:
    ids = rows.column("piece")
    columns = {
        "document": rows.column("document"),
        "position": rows.column("position"),
        "piece_id": ids,
        "piece": pa.DictionaryArray.from_arrays(ids, pieces),
        "word": rows.column("word").dictionary_encode(),
        "upos": rows.column("upos"),
        "whole_word": rows.column("whole_word"),
        "begins": rows.column("begins"),
    }
    return pa.table(columns | {name: pa.array(values, pa.float32()) for name, values in heads.items()})
