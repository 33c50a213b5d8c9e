"""`scores.parquet`, its columns and how it is read back: without models, whose libraries take seconds to import."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

MIXTURE = "model_together"
"""The column of the mixture: the log of the mean of the models' probabilities."""
CONTROL, CONTROL_MIXTURE = "control", "control_together"
"""Log-probabilities of the control, and of the mixture of the first model and the control."""
ANNOTATIONS = ("deprel", "feats")
MEASURES = ("kl", "kl_back", "jensen_shannon", "agreement", "rank_distance")
"""How far two models of one vocabulary are apart at each token: KL of the second model from the first, of the first
from the second, and the Jensen–Shannon divergence, in nats; 1 where the best guess is the same; the distance of the
logarithms (base 2) of the ranks of the token that came."""
NOTHING: Mapping[str, str] = MappingProxyType({})


class ScoreColumns:
    """`scores.parquet` as a frame whose columns are read on demand and not kept."""

    def __init__(self, path: Path, part: slice = slice(None), renamed: Mapping[str, str] = NOTHING) -> None:
        """A file, or some of its rows. `renamed` maps names that may be asked for to those of columns."""
        self.path, self._renamed, metadata = path, renamed, pq.read_metadata(path)
        self.columns: list[str] = [*metadata.schema.to_arrow_schema().names, *renamed]
        ends = np.cumsum([0, *(metadata.row_group(number).num_rows for number in range(metadata.num_row_groups))])
        start, stop, _ = part.indices(metadata.num_rows)
        first, last = np.searchsorted(ends, start, side="right") - 1, np.searchsorted(ends, stop)
        self._groups = range(int(first), int(last))
        self._rows = slice(start - int(ends[first]), stop - int(ends[first]))

    def __len__(self) -> int:
        return self._rows.stop - self._rows.start

    def __getitem__(self, name: str) -> pd.Series:
        """One value for each held-out occurrence, (occurrences,)."""
        column = self._renamed.get(name, name)
        with pq.ParquetFile(self.path) as file:
            table = file.read_row_groups(list(self._groups), columns=[column])
        return table.slice(self._rows.start, len(self)).to_pandas()[column]

    def part(self, rows: slice) -> ScoreColumns:
        """Some of the rows: only the row groups that hold them are read."""
        return ScoreColumns(self.path, rows, self._renamed)


def read_scores(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """`scores.parquet` as a frame, one row per held-out occurrence; only the named columns, if any are named."""
    return pd.read_parquet(path, columns=columns)
