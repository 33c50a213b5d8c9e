"""Held-out perplexity while the towers train, of all of them and of each alone.

Each evaluation also keeps what it scored, occurrence by occurrence, so that `analyze` can take the statistics of the
finished run of every one of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import nn

from ..data.heldout import PreparedText
from ..modeling.configuration import TowersConfig
from ..modeling.objectives import JointObjective
from ..modeling.scoring import score_rows
from .metrics import Evaluation

BATCH = 64
WATCHING = {"readout": "readouts", "second": "second"}
"""The attribute of the objective that holds each set of watching readouts."""
PASSES = 7
"""How many times each window is read under the masked objective, as by default when the finished run is scored."""


class Evaluator:
    """Scores the same held-out windows again and again; keeps the scores in `work/emergence` until `gather`."""

    def __init__(
        self,
        text: PreparedText,
        towers: TowersConfig,
        tokens: int,
        work: Path,
    ) -> None:
        self.text = text
        rows = text.windows(towers.objective, towers.windows, towers.window)
        self.rows = rows.every(max(1, round(rows.scored / tokens)))
        document = np.searchsorted(text.documents["start"].to_numpy(), self.rows.first, side="right") - 1
        self.document = np.repeat(document.astype(np.int32), self.rows.last - self.rows.first)
        scored = [np.arange(first, last) for first, last in zip(self.rows.first, self.rows.last, strict=True)]
        self.previous = text.heldout[np.concatenate(scored) - 1].astype(np.int32)
        self.folder = work / "emergence"

    @torch.no_grad()
    def __call__(self, objective: JointObjective, tokens: int, writer: bool = True) -> Evaluation:
        """Evaluate the towers and the readouts that watch them, after `tokens` tokens of training.

        The model stays in the mode in which it was. Of several processes the one with `writer` keeps the scores.
        """
        model = objective.model
        training = model.training
        model.eval()
        for name, watching in WATCHING.items():
            readouts = cast(list[nn.Module], getattr(objective, watching))
            model.readouts[name] = nn.ModuleDict({str(tower): read for tower, read in enumerate(readouts, start=1)})
        scored: list[tuple[NDArray[np.int64], dict[str, NDArray[np.float32]]]] = []
        try:
            for piece, heads in score_rows(model, self.rows, BATCH, PASSES):
                scored.append((piece.numpy(), {name: values.numpy() for name, values in heads.items()}))
        finally:
            for name in WATCHING:
                del model.readouts[name]
            model.train(training)
        pieces = np.concatenate([ids for ids, _ in scored])
        columns = {name: np.concatenate([heads[name] for _, heads in scored]) for name in scored[0][1]}
        if writer:
            self._keep(pieces, columns, tokens)
        joint, *alone = (
            -float(columns[name].mean(dtype=np.float64))
            for name in ("joint", *(f"readout_{tower}" for tower in range(1, len(objective.readouts) + 1)))
        )
        return Evaluation(joint, alone)

    def _keep(self, piece: NDArray[np.int64], columns: dict[str, NDArray[np.float32]], tokens: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        table = {
            "tokens": np.full(len(piece), tokens), "document": self.document, "piece_id": piece.astype(np.int32),
            "previous_id": self.previous, **columns,
        }  # fmt: skip
        partial = self.folder / "partial"
        pq.write_table(pa.table(table), partial)
        partial.replace(self._file(tokens))

    def _file(self, tokens: int) -> Path:
        return self.folder / f"{tokens:016d}.parquet"

    def gather(self, path: Path, tokens: int) -> None:
        """Write the scores of the evaluations up to `tokens` tokens of training to one file.

        Columns: `tokens` (trained on before the evaluation), `document`, `piece_id`, `previous_id` (the piece before in
        the stream, even if that is the separator), then log-probabilities in nats: `joint`, and for each tower K
        `readout_K` and `second_K`, of the two sets of readouts that watch.
        """
        writer: pq.ParquetWriter | None = None
        for file in sorted(self.folder.glob("*.parquet")):
            if file <= self._file(tokens):
                table = pq.read_table(file)
                writer = writer or pq.ParquetWriter(path, table.schema)
                writer.write_table(table)
        assert writer is not None, "no evaluation has kept its scores"
        writer.close()
