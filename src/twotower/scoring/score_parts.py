"""What each of several processes has scored, on disk until the first one joins it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ..system.processes import Processes

Values = NDArray[np.float32]
Heads = dict[str, Values]


def of_all(values: Values, folder: Path, name: str, processes: Processes) -> Values:
    """What all processes have found, (…, tokens), in the first of them: each has NaN where others have worked."""
    if processes.count == 1:
        return values
    folder.mkdir(exist_ok=True)
    np.save(folder / f"{name}.{processes.rank}.npy", values)
    processes.wait()
    for rank in range(1, processes.count) if processes.first else ():
        theirs: Values = np.load(folder / f"{name}.{rank}.npy", mmap_mode="r")
        values = np.where(np.isnan(values), theirs, values)
    return values


def write_heads(path: Path, chunks: Iterable[Heads]) -> None:
    """Write log-probabilities, chunk by chunk, as an Arrow stream; no file if there is no chunk."""
    writer: pa.RecordBatchStreamWriter | None = None
    for chunk in chunks:
        batch = pa.record_batch({name: pa.array(values, pa.float32()) for name, values in chunk.items()})
        writer = writer or pa.ipc.new_stream(path, batch.schema)
        writer.write_batch(batch)
    if writer is not None:
        writer.close()


def read_heads(paths: Iterable[Path]) -> Iterator[Heads]:
    """The chunks of several files in their order; a file that is absent has none."""
    for path in paths:
        if path.exists():
            with pa.ipc.open_stream(path) as reader:
                for batch in reader:
                    yield {name: batch.column(name).to_numpy() for name in batch.schema.names}


def read_frame(paths: Iterable[Path]) -> pd.DataFrame:
    """The rows of several Parquet files, in their order; those without rows may lack the columns."""
    frames = [frame for frame in map(pd.read_parquet, paths) if len(frame)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
