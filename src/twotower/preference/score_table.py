"""`scores.parquet`, read back: without the towers, whose libraries take seconds to import."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq


class ScoreColumns:
    """`scores.parquet` as a frame of which only the column that is asked for is read, and none is kept."""

    def __init__(self, path: Path) -> None:
        self.path, metadata = path, pq.read_metadata(path)
        self._rows = int(metadata.num_rows)
        self.columns: list[str] = metadata.schema.to_arrow_schema().names

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, name: str) -> pd.Series:
        """One value for each held-out occurrence, (occurrences,)."""
        return pq.read_table(self.path, columns=[name]).to_pandas()[name]


def read_scores(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """`scores.parquet` as a frame, one row per held-out occurrence; only the named columns, if any are named."""
    return pd.read_parquet(path, columns=columns)
