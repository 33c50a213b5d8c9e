"""The stage `prepare`: a corpus becomes a tokenizer, two memory-mapped token streams and a table of held-out words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib import format as npy
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..config import PrepareConfig, RunConfig
from ..errors import InputError
from ..progress import Progress
from .corpora import Corpus, Document, open_corpus
from .tagging import NO_WORD, UPOS, Tagger, load_tagger, words_of_pieces
from .tokenization import (
    chunks,
    encode,
    encode_with_offsets,
    load_tokenizer,
    padded_size,
    save_tokenizer,
    special_ids,
    train_tokenizer,
)
from .windows import heldout_documents, require_window

SEPARATOR = "[SEP]"

DOCUMENTS = pa.schema(
    [("document", pa.int32()), ("name", pa.string()), ("heldout", pa.bool_()), ("start", pa.int64()),
     ("tokens", pa.int64()), ("characters", pa.int64())]
)  # fmt: skip
HELDOUT = pa.schema(
    [("document", pa.int32()), ("position", pa.int32()), ("piece", pa.int32()),
     ("word", pa.string()), ("upos", pa.dictionary(pa.int8(), pa.string())), ("whole_word", pa.bool_())]
)  # fmt: skip


def prepare(config: RunConfig, out: Path) -> None:
    """Write `data/` and `tokenizer.json` into `out`.

    - `data/train.npy`, `data/heldout.npy`: piece ids; a separator, then each document followed by a separator;
    - `data/documents.parquet`: where each document lies in its stream;
    - `data/heldout.parquet`: one row per held-out piece: its word, the word's part of speech, whether it is all of it;
    - `data/frequencies.npy`: count of each piece in the training split, shape (vocabulary,);
    - `data/tags.npy`: how often each piece is held-out word of each part of speech, and how often it occurs held out,
      shape (vocabulary, len(UPOS) + 1);
    - `data/corpus.json`: name, sizes, and the SHA-256 of the text.

    Raises `InputError` for text that cannot be read or split.
    """
    settings = config.prepare
    corpus = open_corpus(settings)
    tagger = _choose_tagger(settings, corpus)
    given = load_tokenizer(settings.tokenizer) if settings.tokenizer else None
    sizes, digest = _measure(corpus)
    heldout = heldout_documents(sizes, settings.heldout, settings.split_seed)

    def training_texts() -> Iterator[list[str]]:
        for document, held in zip(corpus.documents(), heldout, strict=True):
            if not held:
                yield [document.text[start:end] for start, end in chunks(document.text)]

    tokenizer = given or train_tokenizer(training_texts, settings.vocabulary)
    (out / "data").mkdir(parents=True)
    save_tokenizer(tokenizer, out / "tokenizer.json")
    counts = _write_tokens(corpus, heldout, tokenizer, tagger, int(sizes.sum()), out / "data")
    require_window(counts["train"], config.train.window)  # now, so that no folder is left behind
    summary = {
        "name": corpus.name,
        "documents": len(sizes),
        "tokens": counts["train"] + counts["heldout"],
        "heldout_documents": int(heldout.sum()),
        "heldout_tokens": counts["heldout"],
        "characters": int(sizes.sum()),
        "vocabulary": tokenizer.get_vocab_size(),
        "tagger": "gold" if tagger is None else settings.tagger.replace("auto", "hanta"),
        "digest": digest,
    }
    (out / "data" / "corpus.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def _choose_tagger(settings: PrepareConfig, corpus: Corpus) -> Tagger | None:
    """The tagger, or None where the corpus brings gold tags."""
    if settings.tagger == "gold" or (settings.tagger == "auto" and corpus.has_gold_tags):
        if not corpus.has_gold_tags:
            raise InputError(f"prepare.tagger: gold, but {corpus.name} is not CoNLL-U; use --prepare.tagger hanta")
        return None
    return load_tagger("hanta" if settings.tagger == "auto" else settings.tagger)


def _measure(corpus: Corpus) -> tuple[NDArray[np.int64], str]:
    """Characters of each document, and the SHA-256 of all names and texts. Raises `InputError` for no text at all."""
    sizes, digest = [], hashlib.sha256()
    for document in corpus.documents():
        sizes.append(len(document.text))
        for part in (document.name, document.text):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "little") + data)
    if not sizes:
        raise InputError(f"corpus: {corpus.name} holds no text; give files with text in them")
    return np.asarray(sizes, dtype=np.int64), digest.hexdigest()


def _write_tokens(
    corpus: Corpus,
    heldout: NDArray[np.bool_],
    tokenizer: Tokenizer,
    tagger: Tagger | None,
    characters: int,
    folder: Path,
) -> dict[str, int]:
    separator = special_ids(tokenizer)[SEPARATOR]
    vocabulary = padded_size(tokenizer)
    frequencies = np.zeros(vocabulary, dtype=np.int64)
    tag_counts = np.zeros((vocabulary, len(UPOS) + 1), dtype=np.int64)
    dtype = np.uint16 if vocabulary <= 1 << 16 else np.uint32
    with (
        Progress("prepare", total=characters, unit="char") as progress,
        _Stream(folder / "train.npy", dtype) as train,
        _Stream(folder / "heldout.npy", dtype) as held_stream,
        pq.ParquetWriter(folder / "documents.parquet", DOCUMENTS) as documents,
        pq.ParquetWriter(folder / "heldout.parquet", HELDOUT) as table,
    ):
        end = np.array([separator])
        train.append(end)
        held_stream.append(end)
        rows: list[dict[str, Any]] = []
        for number, (document, held) in enumerate(zip(corpus.documents(), heldout, strict=True)):
            stream = held_stream if held else train
            if held:
                ids = _write_heldout(document, number, tokenizer, tagger, table, tag_counts)
            else:
                ids = encode(tokenizer, document.text)
                frequencies += np.bincount(ids, minlength=vocabulary)
            rows.append(
                {"document": number, "name": document.name, "heldout": bool(held), "start": stream.length,
                 "tokens": len(ids), "characters": len(document.text)}
            )  # fmt: skip
            stream.append(ids)
            stream.append(end)
            if len(rows) == 10_000:
                documents.write_table(pa.Table.from_pylist(rows, schema=DOCUMENTS))
                rows = []
            progress.advance(len(document.text))
        documents.write_table(pa.Table.from_pylist(rows, schema=DOCUMENTS))
        lengths = {"train": train.length, "heldout": held_stream.length}
    np.save(folder / "frequencies.npy", frequencies)
    np.save(folder / "tags.npy", tag_counts)
    return lengths


def _write_heldout(
    document: Document,
    number: int,
    tokenizer: Tokenizer,
    tagger: Tagger | None,
    table: pq.ParquetWriter,
    tag_counts: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Encode and tag a held-out document, append its pieces to the table and count them; returns its piece ids."""
    ids, starts = encode_with_offsets(tokenizer, document.text)
    words = (document.words or ()) if tagger is None else tagger(document.text)
    index, whole = words_of_pieces(words, starts)
    forms = [document.text[word.start : word.end] for word in words] + [""]
    codes = {tag: code for code, tag in enumerate((*UPOS, NO_WORD))}
    tags = np.array([codes.get(word.upos, codes[NO_WORD]) for word in words] + [codes[NO_WORD]], dtype=np.int8)
    known = whole & (tags[index] < len(UPOS))
    np.add.at(tag_counts, (ids[known], tags[index][known]), 1)
    tag_counts[:, -1] += np.bincount(ids, minlength=len(tag_counts))
    longest = 200  # a "word" without end would be repeated for each of its pieces
    columns = [
        pa.array(np.full(len(ids), number, dtype=np.int32)),
        pa.array(np.arange(len(ids), dtype=np.int32)),
        pa.array(ids.astype(np.int32)),
        pa.array([forms[word][:longest] for word in index.tolist()], pa.string()),
        pa.DictionaryArray.from_arrays(pa.array(tags[index]), pa.array([*UPOS, NO_WORD])),
        pa.array(whole),
    ]
    table.write_table(pa.Table.from_arrays(columns, schema=HELDOUT))
    return ids


class _Stream:
    """A one-dimensional `.npy` file of unknown length, written piece by piece."""

    def __init__(self, path: Path, dtype: type[np.unsignedinteger[Any]]) -> None:
        self.length = 0
        self.dtype = np.dtype(dtype)
        self.file = path.open("wb")
        self._write_header()

    def _write_header(self) -> None:
        # NumPy pads headers so that the length may grow to any number of digits in place.
        self.file.seek(0)
        header = {"descr": npy.dtype_to_descr(self.dtype), "fortran_order": False, "shape": (self.length,)}
        npy.write_array_header_1_0(self.file, header)

    def append(self, ids: NDArray[np.integer]) -> None:
        self.file.write(ids.astype(self.dtype).tobytes())
        self.length += len(ids)

    def __enter__(self) -> _Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._write_header()
        self.file.close()
