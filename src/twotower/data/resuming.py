"""What `prepare` keeps while it works, so that after a kill it goes on from there: survey, tokenizer, encoded parts.

The text is encoded in parts of `CHARACTERS_OF_PART`, each written into a folder of its own and then renamed; in the end
they are joined. A part that has its final name is whole.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import count, islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..runs.writing import sync, sync_one
from ..system.progress import Progress
from .documents import Corpus
from .duplicates import Sentences
from .encoding import DOCUMENTS, LEFT_OUT, STREAMS, Encoding, heldout_schema, write_tokens
from .inventory import LongDocument
from .streams import join_arrays
from .survey import Survey, survey
from .table_writer import TableWriter
from .tokenizer_files import load_tokenizer, save_tokenizer

Ints = NDArray[np.int64]
CHARACTERS_OF_PART = 50_000_000
"""About ten million tokens: half a minute of one core, and more where held-out words are tagged."""
ARRAYS = ("characters", "words", "part", "kept", "group")
COUNTS, SENTENCES = "counts.npz", "sentences.npz"


def is_long(surveyed: Survey) -> bool:
    """Whether a corpus is worth going on with: a short one is begun again."""
    return bool(surveyed.characters.sum() >= CHARACTERS_OF_PART)


def kept_survey(corpus: Corpus, progress_folder: Path | None, folder: Path) -> Survey:
    """The survey of a corpus: that in the folder `kept`, or a new one, made with a file in `folder` and put there."""
    path = progress_folder / "survey.npz" if progress_folder else None
    if path and path.exists():
        with np.load(path, allow_pickle=False) as known:
            rest = json.loads(str(known["rest"]))
            arrays = {name: known[name] for name in ARRAYS}
        return Survey(**arrays, **rest | {"longest": tuple(LongDocument(**document) for document in rest["longest"])})
    surveyed = survey(corpus, folder)
    if path and is_long(surveyed):
        rest = {name: value for name, value in vars(surveyed).items() if name not in ARRAYS}
        rest |= {"longest": [asdict(document) for document in surveyed.longest]}
        arrays = {name: getattr(surveyed, name) for name in ARRAYS}
        _put(path, lambda partial: np.savez(partial, rest=np.array(json.dumps(rest)), **arrays))
    return surveyed


def kept_tokenizer(train: Callable[[], Tokenizer], progress_folder: Path | None) -> Tokenizer:
    """The tokenizer in the folder `kept`, or the one that `train` gives, which is put there."""
    path = progress_folder / "tokenizer.json" if progress_folder else None
    if path and path.exists():
        return load_tokenizer(path)
    tokenizer = train()
    if path:
        _put(path, lambda partial: save_tokenizer(tokenizer, partial))
    return tokenizer


def write_in_parts(
    encoding: Encoding, corpus: Corpus, roles: Ints, characters: Ints, folder: Path, progress_folder: Path | None
) -> tuple[dict[str, Ints], Sentences]:
    """`write_tokens` of a corpus, part by part where there are several and a folder `kept`; what stands there is used.

    `roles` and `characters` are of each document, (documents,). Returns the tokens of each part of a mixture, and the
    sentences on both sides of the split.
    """
    sizes = np.where(roles == LEFT_OUT, 0, characters)
    ends = np.flatnonzero(np.diff(np.cumsum(sizes) // CHARACTERS_OF_PART)) + 1
    documents = zip(count(), corpus.documents(), roles.tolist(), strict=False)
    with Progress("prepare", total=int(sizes.sum()), unit="char") as progress:
        if progress_folder is None or not len(ends):
            sentences = Sentences()
            return write_tokens(encoding, documents, folder, sentences, progress), sentences
        folders = [progress_folder / f"part-{number:05d}" for number in range(len(ends) + 1)]
        missing = [not part.exists() for part in folders]
        for number, (part, of_part) in enumerate(zip(folders, np.split(sizes, ends), strict=True)):
            mine = islice(documents, len(of_part))
            if not missing[number]:
                deque(mine if any(missing[number:]) else (), maxlen=0)  # read on to what is missing
                progress.advance(int(of_part.sum()))
                continue
            partial, sentences = progress_folder / "partial", Sentences()
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            counts = write_tokens(encoding, mine, partial, sentences, progress)
            np.savez(partial / COUNTS, allow_pickle=False, **counts)
            np.savez(partial / SENTENCES, allow_pickle=False, **sentences.state())
            sync(partial)
            os.replace(partial, part)
            sync_one(progress_folder)
    return _joined(folders, folder, gold=encoding.tagger is None)


def _joined(parts: list[Path], folder: Path, gold: bool) -> tuple[dict[str, Ints], Sentences]:
    """The parts as one, written into `folder`."""
    sentences, lengths = Sentences(), dict[str, list[int]]()
    for name in STREAMS.values():  # each part begins with the separator that ends the one before
        lengths[name] = join_arrays([part / f"{name}.npy" for part in parts], folder / f"{name}.npy", overlap=1)
        join_arrays([part / f"{name}_begins.npy" for part in parts], folder / f"{name}_begins.npy", overlap=1)
    for name in ("frequencies", "tags"):
        np.save(folder / f"{name}.npy", sum(np.load(part / f"{name}.npy") for part in parts))
    counts = {name: np.zeros(0, dtype=np.int64) for name in STREAMS.values()}
    with (
        TableWriter(folder / "documents.parquet", DOCUMENTS) as documents,
        TableWriter(folder / "heldout.parquet", heldout_schema(gold)) as heldout,
    ):
        for number, part in enumerate(parts):
            table = pq.read_table(part / "documents.parquet")
            before = {name: sum(lengths[name][:number]) for name in lengths}
            documents.append(_moved(table, before))
            for group in _row_groups(part / "heldout.parquet"):
                heldout.append(group)
            with np.load(part / COUNTS) as of_part:
                counts = {name: of_part[name] + (counts[name] if number else 0) for name in counts}
            with np.load(part / SENTENCES) as state:
                sentences.merge(dict(state))
    return counts, sentences


def _row_groups(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number)


def _moved(table: pa.Table, before: dict[str, int]) -> pa.Table:
    """A table of documents whose streams have so many pieces before them."""
    held, aside = (table[name].to_numpy() for name in ("heldout", "validation"))
    moved = np.select([held, aside], [before["heldout"], before["validation"]], before["train"])
    column = table.schema.get_field_index("start")
    return table.set_column(column, DOCUMENTS.field("start"), pa.array(table["start"].to_numpy() + moved, pa.int64()))


def _put(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that it is whole once it has its name."""
    partial = path.with_name(f"partial-{path.name}")
    write(partial)
    sync_one(partial)
    os.replace(partial, path)
    sync_one(path.parent)
