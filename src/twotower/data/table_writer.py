"""Parquet files that grow by small tables."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_OF_GROUP = 100_000
"""Rows that are written together. Whoever writes or reads a file holds some kilobytes for each group."""


class TableWriter:
    """Tables one after the other into one file."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, schema)
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def append(self, table: pa.Table) -> None:
        """Add the rows of a table of the writer's schema."""
        self._waiting.append(table)
        self._rows += len(table)
        if self._rows >= ROWS_OF_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            together = pa.concat_tables(self._waiting).unify_dictionaries().combine_chunks()
            self._writer.write_table(together, row_group_size=max(1, len(together)))
        self._waiting, self._rows = [], 0

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()
