"""Control texts: the same words without their order, within sentences, within documents or over all of them.

`scrambled` puts the words of each sentence in a random order, and leaves the mark that ends it in its place; `shuffled`
those of each document: no syntax is left, the topics are. `bag` draws as many words as a document has from its own
words, with replacement. `unigram` deals the words of a split out to its documents at random: only their frequencies are
left. All but `bag` leave how often a piece occurs in a split; all leave which word and part of speech an occurrence was
tagged with where it stood.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .tagging import NO_WORD, UPOS

Ints = NDArray[np.int64]
REORDERED = ("scrambled", "shuffled", "bag", "unigram")
"""What `prepare.words` can be of these."""


def scramble(
    folder: Path, words: str, seed: int, sentence_ends: NDArray[np.integer], parts: Sequence[str]
) -> dict[str, Ints]:
    """Reorder the splits of the prepared text in `folder` (`data/` of a run) in place; `words` as above.

    Words begin where the tokenizer lets them begin (`word_starts.py`); sentences end at the pieces `sentence_ends`.
    Takes some tens of bytes of memory per token. Returns, for each split, the tokens of each of the corpus' `parts`,
    shape (parts,).
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
        inside = spans(documents["start"].to_numpy()[mine], lengths)
        begins = np.load(folder / f"{name}_begins.npy")[inside]
        ends = np.isin(stream[inside], sentence_ends)
        order, lengths = new_order(begins, ends, lengths, words, np.random.default_rng([seed, number]))
        starts = 1 + np.cumsum(lengths + 1) - (lengths + 1)
        size = len(order) + len(lengths) + 1
        whole = np.full(size, stream[0])  # separators everywhere, then the words between them
        whole[spans(starts, lengths)] = stream[inside][order]
        np.save(folder / f"{name}.npy", whole)
        moved = np.ones(size, dtype=bool)
        moved[spans(starts, lengths)] = begins[order]
        np.save(folder / f"{name}_begins.npy", moved)
        documents.loc[mine, "start"] = starts
        documents.loc[mine, "tokens"] = lengths
        if name == "heldout":
            _reorder_rows(folder / "heldout.parquet", order, documents["document"].to_numpy()[mine], lengths)
        elif name == "train":
            vocabulary = len(np.load(folder / "frequencies.npy"))
            np.save(folder / "frequencies.npy", np.bincount(stream[inside][order], minlength=vocabulary))
    np.save(folder / "tags.npy", _tags_of(folder))
    pq.write_table(pa.Table.from_pandas(documents, schema=schema, preserve_index=False), path)
    return {
        name: np.array([int(documents["tokens"][chosen & (documents["part"] == part)].sum()) for part in parts])
        for name, chosen in of_split.items()
    }


def _tags_of(folder: Path) -> Ints:
    """How often each piece is a held-out word of each part of speech, and how often it occurs held out; as `prepare`
    counts them."""
    table = pd.read_parquet(folder / "heldout.parquet", columns=["piece", "upos", "whole_word"])
    counts: Ints = np.zeros_like(np.load(folder / "tags.npy"))
    codes = table["upos"].cat.set_categories([*UPOS, NO_WORD]).cat.codes.to_numpy()
    known = table["whole_word"].to_numpy(bool) & (codes < len(UPOS))
    piece = table["piece"].to_numpy()
    np.add.at(counts, (piece[known], codes[known]), 1)
    counts[:, -1] += np.bincount(piece, minlength=len(counts))
    return counts


def new_order(
    begins: NDArray[np.bool_], ends: NDArray[np.bool_], lengths: Ints, words: str, generator: np.random.Generator
) -> tuple[Ints, Ints]:
    """Which token comes where, and the new lengths of the documents, in tokens; their number of words stays.

    `begins` (tokens,) says where a word begins, `ends` (tokens,) which pieces end a sentence; `lengths` (documents,)
    are in tokens.
    """
    document = np.repeat(np.arange(len(lengths)), lengths)
    begins = begins | np.append(True, document[1:] != document[:-1])
    first = np.flatnonzero(begins)
    size = np.diff(np.append(first, len(begins)))
    of_word = document[first]
    draw = generator.random(len(first))
    if words == "unigram":
        chosen = np.argsort(draw)
    elif words == "shuffled":
        chosen = np.lexsort((draw, of_word))
    elif words == "scrambled":
        mark = ends[first]
        sentence = np.cumsum(np.append(False, mark[:-1] | (np.diff(of_word) > 0)))
        chosen = np.lexsort((draw, mark, sentence))
    else:
        counts = np.bincount(of_word, minlength=len(lengths))
        begin = np.cumsum(counts) - counts
        chosen = begin[of_word] + (draw * counts[of_word]).astype(np.int64)
    new = np.bincount(of_word, weights=size[chosen], minlength=len(lengths)).astype(np.int64)
    return spans(first[chosen], size[chosen]), new


def spans(starts: Ints, lengths: Ints) -> Ints:
    """The numbers from each start on, as many as its length, one span after the other."""
    ends = np.cumsum(lengths)
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)


def _reorder_rows(path: Path, order: Ints, documents: Ints, lengths: Ints) -> None:
    table = pq.read_table(path).take(pa.array(order))
    for name, values in (
        ("document", np.repeat(documents, lengths)),
        ("position", spans(np.zeros(len(lengths), dtype=np.int64), lengths)),
    ):
        column = pa.array(values.astype(np.int32))
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), column)
    pq.write_table(table, path)
