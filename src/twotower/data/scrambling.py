"""Control texts: the same words without their order, within documents or over all of them.

`shuffled` puts the words of each document in a random order: no syntax is left, the topics are. `unigram` deals the
words of a split out to its documents at random: only their frequencies are left. Neither changes how often a piece
occurs in a split, nor which word and part of speech an occurrence was tagged with where it stood.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def scramble(folder: Path, words: str, seed: int) -> None:
    """Reorder the splits of the prepared text in `folder` (`data/` of a run) in place; `words` as above.

    Words begin where the tokenizer lets them begin (`word_starts.py`). Takes some tens of bytes of memory per token.
    """
    path = folder / "documents.parquet"
    schema = pq.read_schema(path)
    documents = pd.read_parquet(path)
    of_split = {
        "train": ~documents["heldout"] & ~documents["validation"],
        "heldout": documents["heldout"],
        "validation": documents["validation"],
    }
    for number, (name, chosen) in enumerate(of_split.items()):
        mine = np.flatnonzero(chosen)
        stream = np.load(folder / f"{name}.npy")
        lengths = documents["tokens"].to_numpy()[mine]
        inside = _spans(documents["start"].to_numpy()[mine], lengths)
        begins = np.load(folder / f"{name}_begins.npy")[inside]
        order, lengths = _new_order(begins, lengths, words, np.random.default_rng([seed, number]))
        starts = 1 + np.cumsum(lengths + 1) - (lengths + 1)
        whole = np.full(len(stream), stream[0])  # separators everywhere, then the words between them
        whole[_spans(starts, lengths)] = stream[inside][order]
        np.save(folder / f"{name}.npy", whole)
        moved = np.ones(len(stream), dtype=bool)
        moved[_spans(starts, lengths)] = begins[order]
        np.save(folder / f"{name}_begins.npy", moved)
        documents.loc[mine, "start"] = starts
        documents.loc[mine, "tokens"] = lengths
        if name == "heldout":
            _reorder_rows(folder / "heldout.parquet", order, documents["document"].to_numpy()[mine], lengths)
    pq.write_table(pa.Table.from_pandas(documents, schema=schema, preserve_index=False), path)


def _new_order(
    begins: NDArray[np.bool_], lengths: Ints, words: str, generator: np.random.Generator
) -> tuple[Ints, Ints]:
    """Which token comes where, and the new lengths of the documents, in tokens; their number of words stays.

    `begins` (tokens,) says where a word begins; `lengths` (documents,) are in tokens.
    """
    document = np.repeat(np.arange(len(lengths)), lengths)
    begins = begins | np.append(True, document[1:] != document[:-1])
    first = np.flatnonzero(begins)
    size = np.diff(np.append(first, len(begins)))
    of_word = document[first]
    draw = generator.random(len(first))
    chosen = np.lexsort((draw, of_word)) if words == "shuffled" else np.argsort(draw)
    new = np.bincount(of_word, weights=size[chosen], minlength=len(lengths)).astype(np.int64)
    return _spans(first[chosen], size[chosen]), new


def _spans(starts: Ints, lengths: Ints) -> Ints:
    """The numbers from each start on, as many as its length, one span after the other."""
    ends = np.cumsum(lengths)
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)


def _reorder_rows(path: Path, order: Ints, documents: Ints, lengths: Ints) -> None:
    table = pq.read_table(path).take(pa.array(order))
    for name, values in (
        ("document", np.repeat(documents, lengths)),
        ("position", _spans(np.zeros(len(lengths), dtype=np.int64), lengths)),
    ):
        column = pa.array(values.astype(np.int32))
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), column)
    pq.write_table(table, path)
