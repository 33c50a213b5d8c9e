"""The stage `score`: one row per held-out occurrence, with its log-probability under every head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from ..config import RunConfig
from ..data.heldout import PreparedText
from ..modeling.model import TowersModel
from ..modeling.scoring import score_rows
from ..modeling.sizes import require_same_vocabulary
from ..progress import Progress
from .context import shortened
from .direction import lesion

ROWS = 1_000_000
NEAR = 8
"""Tokens of a window in which `near` is scored: about as many as a clause has."""


def score(config: RunConfig, run: Path, out: Path) -> None:
    """Score the held-out text with `run/model`; write three tables into `out`.

    `scores.parquet` has a row for each held-out piece: `document`, `position` (in its document), `piece_id`, `piece`,
    `word`, `upos`, `whole_word`, then log-probabilities in nats (float32): `joint`, `near` (the joint head's, in
    windows of `NEAR` tokens) and, for each tower K and each set of readouts (see `training.readouts.SETS`),
    `readout_K`, `noise_K`, `init_K`, `order_K`. For `context.parquet` and `direction.parquet` see `context.shortened`
    and `direction.lesion`.
    """
    text = PreparedText(run)
    model = TowersModel.from_pretrained(run / "model")
    model.eval()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    require_same_vocabulary(model.config, text)
    rows = text.windows(model.config.objective, model.config.windows, model.config.window)
    near = _near(model, text, config)
    pieces = pa.array(text.pieces, pa.string())
    source = pq.ParquetFile(run / "data" / "heldout.parquet").iter_batches(batch_size=ROWS)
    writer: pq.ParquetWriter | None = None
    pending: list[dict[str, np.ndarray]] = []
    waiting = 0
    batch_rows = next(source, None)
    done = 0
    scored = 0
    with Progress("score", len(rows), "window") as progress:
        for _, heads in score_rows(model, rows, config.score.batch, config.score.passes):
            pending.append({name: values.numpy() for name, values in heads.items()})
            count = len(pending[-1]["joint"])
            pending[-1]["near"] = near[scored : scored + count]
            scored += count
            waiting += count
            while batch_rows is not None and (waiting >= len(batch_rows)):
                joined = {name: np.concatenate([part[name] for part in pending]) for name in pending[0]}
                table = _table(batch_rows, pieces, {name: values[: len(batch_rows)] for name, values in joined.items()})
                pending = [{name: values[len(batch_rows) :] for name, values in joined.items()}]
                waiting -= len(batch_rows)
                writer = writer or pq.ParquetWriter(out / "scores.parquet", table.schema)
                writer.write_table(table)
                batch_rows = next(source, None)
            advanced = min(config.score.batch, len(rows) - done)
            done += advanced
            progress.advance(advanced)
    assert batch_rows is None and waiting == 0, "scores and held-out pieces differ in number"
    if writer is not None:
        writer.close()
    starts = text.documents["start"].to_numpy()
    context = shortened(model, rows, starts, config.score.batch)
    context.to_parquet(out / "context.parquet", index=False)
    lesioned = lesion(model, rows, starts, config.score.batch)
    lesioned.to_parquet(out / "direction.parquet", index=False)


def _near(model: TowersModel, text: PreparedText, config: RunConfig) -> np.ndarray:
    """The joint head's log-probability of every held-out token in windows of `NEAR` tokens, (tokens,), float32.

    Windows are contiguous, whatever those of training are. A causal tower has `NEAR` / 2 to `NEAR` tokens of context.
    """
    rows = text.windows(model.config.objective, "contiguous", min(NEAR, model.config.window))
    batch = config.score.batch * max(1, model.config.window // NEAR)
    with Progress("score, near context", len(rows), "window") as progress:
        parts = []
        for _, heads in score_rows(model, rows, batch, config.score.passes, {"joint"}):
            parts.append(heads["joint"].numpy())
            progress.advance(min(batch, len(rows) - batch * (len(parts) - 1)))
    found: np.ndarray = np.concatenate(parts)
    return found


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
    }
    return pa.table(columns | {name: pa.array(values, pa.float32()) for name, values in heads.items()})


def read_scores(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """`scores.parquet` as a frame, one row per held-out occurrence; only the named columns, if any are named."""
    return pd.read_parquet(path, columns=columns)
