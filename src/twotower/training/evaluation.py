"""Held-out perplexity and separation while the towers train: the preference, watched as it emerges.

Each evaluation also keeps what it scored, occurrence by occurrence, so that `analyze` can take the statistics of the
finished run of every one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import nn

from ..data.heldout import CONTENT_CLASS, FUNCTION_CLASS, PreparedText
from ..modeling.configuration import TowersConfig
from ..modeling.objectives import JointObjective
from ..modeling.scoring import score_rows
from ..statistics.contrasts import contrasts
from ..statistics.ranking import stratified_auroc
from ..statistics.strata import frequency_bins

BATCH = 64
PASSES = 7
"""How many times each window is read under the masked objective, as by default when the finished run is scored."""
LEAST = 3
"""Occurrences of a type that counts."""
RATIO = 1.25
"""Of the largest to the smallest training frequency in a bin."""


@dataclass(frozen=True)
class Evaluation:
    """Figures on a fixed sample of the held-out text."""

    joint_nats: float
    tower_nats: list[float]
    auroc: list[float]
    """Function against content types within bins of frequency: for two towers one figure, of tower 1 minus tower 2,
    whose sign is arbitrary; for more one per tower, minus their mean. Point estimates on a small sample: for watching,
    not for reporting."""
    spread: float
    """Standard deviation of the types' preferences, in nats; NaN for one tower."""


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
        self.folder = work / "emergence"
        word_class = text.classes["word_class"].to_numpy()
        self.function = word_class == FUNCTION_CLASS
        self.classed = self.function | (word_class == CONTENT_CLASS)

    @torch.no_grad()
    def __call__(self, objective: JointObjective, tokens: int, writer: bool = True) -> Evaluation:
        """Evaluate the towers and the readouts that watch them, after so many `tokens` of training.

        The model stays in the mode in which it was. Of several processes the one with `writer` keeps the scores.
        """
        model = objective.model
        training = model.training
        model.eval()
        watching = cast(list[nn.Module], objective.readouts)
        model.readouts["readout"] = nn.ModuleDict({str(tower): one for tower, one in enumerate(watching, start=1)})
        model.readouts["second"] = nn.ModuleDict({"1": objective.second})
        scored: list[tuple[NDArray[np.int64], dict[str, NDArray[np.float32]]]] = []
        try:
            for piece, heads in score_rows(model, self.rows, BATCH, PASSES):
                scored.append((piece.numpy(), {name: values.numpy() for name, values in heads.items()}))
        finally:
            del model.readouts["readout"], model.readouts["second"]
            model.train(training)
        pieces = np.concatenate([one for one, _ in scored])
        columns = {name: np.concatenate([heads[name] for _, heads in scored]) for name in scored[0][1]}
        if writer:
            self._keep(pieces, columns, tokens)
        readouts = [columns[f"readout_{tower}"] for tower in range(1, len(objective.readouts) + 1)]
        return self._summarize(pieces, np.stack([columns["joint"], *readouts]).astype(np.float64))

    def _keep(self, piece: NDArray[np.int64], columns: dict[str, NDArray[np.float32]], tokens: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        table = {
            "tokens": np.full(len(piece), tokens), "document": self.document, "piece_id": piece.astype(np.int32),
            **columns,
        }  # fmt: skip
        partial = self.folder / "partial"
        pq.write_table(pa.table(table), partial)
        partial.replace(self._file(tokens))

    def _file(self, tokens: int) -> Path:
        return self.folder / f"{tokens:016d}.parquet"

    def gather(self, path: Path, tokens: int) -> None:
        """Write what the evaluations up to so many `tokens` have scored to one file.

        Columns: `tokens` (trained on before the evaluation), `document`, `piece_id`, then log-probabilities in nats:
        `joint`, `readout_K` for each tower K, and `second_1`, of a second readout on the first tower.
        """
        writer: pq.ParquetWriter | None = None
        for file in sorted(self.folder.glob("*.parquet")):
            if file <= self._file(tokens):
                table = pq.read_table(file)
                writer = writer or pq.ParquetWriter(path, table.schema)
                writer.write_table(table)
        assert writer is not None, "no evaluation has kept its scores"
        writer.close()

    def _summarize(self, piece: NDArray[np.int64], scores: NDArray[np.float64]) -> Evaluation:
        nats = (-scores.mean(axis=1)).tolist()
        types = len(self.function)
        counts = np.bincount(piece, minlength=types)
        seen = counts >= LEAST
        chosen = seen & self.classed
        bins = frequency_bins(self.text.frequencies[chosen], RATIO)
        areas, variances = [], []
        for contrast in contrasts(len(scores) - 1):
            sums = np.bincount(piece, weights=np.asarray(contrast.weights) @ scores[1:], minlength=types)
            preference = np.divide(sums, counts, where=seen, out=np.full(types, np.nan))
            if chosen.any():
                values = stratified_auroc(preference[None, chosen], self.function[chosen], bins)
                areas.append(float(values[0]))
            variances.append(float(preference[seen].var()) if seen.any() else np.nan)
        spread = float(np.sqrt(np.mean(variances))) if variances else np.nan
        return Evaluation(nats[0], nats[1:], areas, spread)
