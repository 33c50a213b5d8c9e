"""Encoding a corpus: three streams of pieces, and the tables of documents and of held-out words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..system.progress import Progress
from .documents import Document, Tagger, Word, adjoining, middle_of
from .duplicates import Sentences
from .relexicalizing import Rewriting
from .segmentation import pieces_as_words
from .streams import Stream, piece_type
from .table_writer import TableWriter
from .tagging import NO_WORD, UPOS, words_of_pieces
from .tokenization import divide_batch, encode, padded_size, vocabulary_of
from .word_starts import NO_TEXT, DividedText, EncodedText

DOCUMENTS = pa.schema(
    [("document", pa.int32()), ("name", pa.string()), ("part", pa.string()), ("heldout", pa.bool_()),
     ("validation", pa.bool_()), ("start", pa.int64()), ("tokens", pa.int64()), ("characters", pa.int64())]
)  # fmt: skip
ANNOTATIONS = ("deprel", "feats", "head", "distance")
"""Columns that `heldout.parquet` has besides where words have gold tags."""
TRAIN, HELD, LEFT_OUT, VALIDATION = 0, 1, 2, 3
"""What a document is for; left out are copies, and those for which a weighted mixture has no room."""
STREAMS = {TRAIN: "train", VALIDATION: "validation", HELD: "heldout"}
CHARACTERS_AT_ONCE = 1_000_000
"""Of documents that are encoded or tagged together."""
HELDOUT = pa.schema(
    [("document", pa.int32()), ("position", pa.int32()), ("piece", pa.int32()),
     ("word", pa.string()), ("upos", pa.dictionary(pa.int8(), pa.string())), ("whole_word", pa.bool_()),
     ("begins", pa.bool_())]
)  # fmt: skip


Numbered = tuple[int, Document, int]
"""A document with its number, and what it is for."""


@dataclass(frozen=True)
class Encoding:
    """How documents are encoded."""

    tokenizer: Tokenizer
    tagger: Tagger | None
    """Tags the held-out words; None where they have gold tags."""
    parts: tuple[str, ...]
    """The names of the parts of a mixture."""
    heldout_words: int = 0
    """Of each held-out document at most so many from its middle are kept (0: all)."""
    by_piece: bool = False
    """Whether each held-out piece is a word, where nothing tells words."""
    rewriting: Rewriting | None = None
    """Replaces words beforehand."""


def write_tokens(
    encoding: Encoding,
    documents: Iterable[Numbered],
    folder: Path,
    sentences: Sentences | None = None,
    progress: Progress | None = None,
) -> dict[str, NDArray[np.int64]]:
    """Encode documents into `folder`: the three streams and the tables (see `prepare`), documents by what they are for.

    `sentences` gets all texts, `progress` their characters.

    Returns, for `train`, `validation` and `heldout`, the tokens of each part of the corpus, shape (parts,), separators
    left out.
    """
    separator = vocabulary_of(encoding.tokenizer).sep
    vocabulary = padded_size(encoding.tokenizer)
    frequencies = np.zeros(vocabulary, dtype=np.int64)
    tag_counts = np.zeros((vocabulary, len(UPOS) + 1), dtype=np.int64)
    dtype, gold = piece_type(vocabulary), encoding.tagger is None
    counts = {name: np.zeros(len(encoding.parts), dtype=np.int64) for name in STREAMS.values()}
    with (
        Stream(folder, "train", dtype, separator) as train,
        Stream(folder, "validation", dtype, separator) as validation,
        Stream(folder, "heldout", dtype, separator) as heldout,
        pq.ParquetWriter(folder / "documents.parquet", DOCUMENTS) as table,
        TableWriter(folder / "heldout.parquet", heldout_schema(gold)) as heldout_table,
    ):
        streams = {TRAIN: train, VALIDATION: validation, HELD: heldout}
        rows: list[dict[str, Any]] = []
        for number, role, document, encoded, words in _encoded(encoding, documents):
            stream = streams[role]
            characters_read = len(document.text)
            if sentences:
                sentences.add(document.text, heldout=role == HELD)
            if role == HELD:
                document = middle_of(document, encoding.heldout_words)
                encoded = encode(encoding.tokenizer, document.text)
                known = None if encoding.by_piece else words
                _write_heldout(document, number, encoded, known, gold, heldout_table, tag_counts)
            elif role == TRAIN:
                frequencies += np.bincount(encoded.ids, minlength=vocabulary)
            counts[STREAMS[role]][document.part] += len(encoded.ids)
            rows.append(
                {"document": number, "name": document.name, "part": encoding.parts[document.part],
                 "heldout": role == HELD, "validation": role == VALIDATION, "start": stream.length,
                 "tokens": len(encoded.ids),
                 "characters": len(document.text)}
            )  # fmt: skip
            stream.append(encoded)
            if len(rows) == 10_000:
                table.write_table(pa.Table.from_pylist(rows, schema=DOCUMENTS))
                rows = []
            if progress:
                progress.advance(characters_read)
        table.write_table(pa.Table.from_pylist(rows, schema=DOCUMENTS))
    np.save(folder / "frequencies.npy", frequencies)
    np.save(folder / "tags.npy", tag_counts)
    return counts


def _encoded(
    encoding: Encoding, documents: Iterable[Numbered]
) -> Iterator[tuple[int, int, Document, DividedText, Sequence[Word]]]:
    """Number, role, document and, not held out, its pieces; held out, the words of its middle. In order.

    Many are encoded, or tagged, together.
    """
    tagger, rewriting, heldout_words = encoding.tagger, encoding.rewriting, encoding.heldout_words
    for group in adjoining(documents, lambda item: len(item[1].text), CHARACTERS_AT_ONCE):
        if rewriting is not None:
            remaining = [(number, document, role) for number, document, role in group if role != LEFT_OUT]
            used = [middle_of(document, heldout_words) if role == HELD else document for _, document, role in remaining]
            changed = rewriting.rewritten([number for number, _, _ in remaining], used)
            group = [(number, document, role) for (number, _, role), document in zip(remaining, changed, strict=True)]
            tagger = None  # what was tagged has brought its words along
        texts = [document.text for _, document, role in group if role in (TRAIN, VALIDATION)]
        encoded = iter(divide_batch(encoding.tokenizer, texts))
        held = [middle_of(document, heldout_words) for _, document, role in group if role == HELD]
        tagged = iter(
            tagger([document.text for document in held]) if tagger else [document.words or () for document in held]
        )
        for number, document, role in group:
            if role in (TRAIN, VALIDATION):
                yield number, role, document, next(encoded), ()
            elif role == HELD:
                yield number, role, document, NO_TEXT, next(tagged)


def heldout_schema(gold: bool) -> pa.Schema:
    """Columns of `heldout.parquet`; gold words bring their relations and features along."""
    schema = HELDOUT
    for name in ANNOTATIONS if gold else ():
        schema = schema.append(pa.field(name, pa.dictionary(pa.int32(), pa.string())))
    return schema


def _write_heldout(
    document: Document,
    number: int,
    encoded: EncodedText,
    words: Sequence[Word] | None,
    gold: bool,
    table: TableWriter,
    tag_counts: NDArray[np.int64],
) -> None:
    """Append the pieces of a held-out document to the table and count them."""
    ids = encoded.ids
    words = pieces_as_words(document.text, encoded.starts) if words is None else words
    index, whole = words_of_pieces(words, encoded.starts)
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
        pa.array(encoded.begins),
    ]
    if gold:
        for name in ANNOTATIONS:
            values = [getattr(word, name) or NO_WORD for word in words] + [NO_WORD]
            labels = pa.array([values[word] for word in index.tolist()], pa.string())
            columns.append(labels.dictionary_encode())
    table.append(pa.Table.from_arrays(columns, schema=heldout_schema(gold)))
