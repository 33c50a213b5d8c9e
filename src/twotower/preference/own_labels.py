"""A reader's own labels of the held-out text: a table of document, position and label columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from ..system.errors import InputError, one_line
from .labels import Label, from_categories
from .measured import Measured

KEYS = ["document", "position"]


def own_labels(measured: Measured) -> list[Label]:
    """The labels of `analyze.labels`, if that names a file. Raises `InputError` if it does not fit the text."""
    path = measured.settings.labels
    return labels_of(read_labels(path), measured, f"analyze.labels: {path}") if path else []


def read_labels(path: Path | str) -> pd.DataFrame:
    """A Parquet table of labels. Raises `InputError` if it cannot be read."""
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise InputError(f"analyze.labels: there is no file {path}") from None
    except (OSError, pa.ArrowException, ValueError) as error:
        raise InputError(f"analyze.labels: {path} is no Parquet table ({one_line(error)})") from None


def labels_of(table: pd.DataFrame, measured: Measured, source: str = "labels") -> list[Label]:
    """One label for each column of a table beside `document` and `position`, as `scores.parquet` numbers them.

    An occurrence without a row has no label. Raises `InputError` if a row fits no held-out occurrence, or is there
    twice.
    """
    missing = [name for name in KEYS if name not in table.columns]
    names = [name for name in table.columns if name not in KEYS]
    if missing or not names:
        raise InputError(
            f"{source}: the columns are {', '.join(map(str, table.columns)) or 'none'}; give document, position and at "
            "least one column of labels, with the numbers of scores.parquet"
        )
    for key in KEYS:
        if not pd.api.types.is_integer_dtype(table[key]):
            raise InputError(
                f"{source}: the column {key} holds {table[key].dtype}; give the whole numbers of scores.parquet"
            )
    text = pd.MultiIndex.from_arrays([np.asarray(measured.scores[key]) for key in KEYS])
    rows = pd.MultiIndex.from_frame(table[KEYS])
    if rows.has_duplicates:
        document, position = rows[rows.duplicated()][0]
        raise InputError(f"{source}: document {document}, position {position} is there twice; give each once")
    places = text.get_indexer(rows)
    if (places < 0).any():
        row = int(np.flatnonzero(places < 0)[0])
        document, position = rows[row]
        raise InputError(
            f"{source}: row {row} is document {document}, position {position}, which is not held out "
            f"({int((places < 0).sum())} of {len(rows)} rows); give places that scores.parquet has"
        )
    labels = []
    for name in names:
        categories = pd.Categorical(table[name].astype("string"))
        codes = np.full(len(text), -1)
        codes[places] = categories.codes
        labels.append(from_categories(str(name), pd.Categorical.from_codes(codes, categories.categories)))
    return labels
