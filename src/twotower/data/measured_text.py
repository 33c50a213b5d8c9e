"""The text of a comparison of models: whole documents and their words; no model's tokens, and no held-out split."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ..config.conversion import as_json, record_from
from ..config.schema import RunConfig
from ..system.processes import usable_cores
from ..system.progress import Progress
from .corpora import open_corpus
from .corpus_names import SCORES
from .documents import Corpus, Tagger, Word, adjoining, middle_of
from .inventory import Inventory, tell
from .languages import guess
from .prepare import tagger_for
from .score_files import corpus_of_scores
from .segmentation import has_no_spaces
from .survey import Survey, survey
from .table_writer import TableWriter
from .tagging import GOLD, NO_WORD, NONE, UPOS, open_tagger

DOCUMENTS = pa.schema([("document", pa.int32()), ("name", pa.string()), ("part", pa.string()), ("text", pa.string())])
WORDS = pa.schema(
    [("document", pa.int32()), ("start", pa.int32()), ("end", pa.int32()),
     ("upos", pa.dictionary(pa.int8(), pa.string())), ("deprel", pa.string()), ("feats", pa.string())]
)  # fmt: skip
CHARACTERS = 1_000_000
"""Of documents that are tagged together."""


@dataclass(frozen=True)
class TextSummary:
    """What was read: `data/corpus.json`."""

    name: str
    documents: int
    characters: int
    words: int
    tagger: str
    """What named the parts of speech; `none` if nobody did."""
    digest: str
    """SHA-256 of the text."""
    parts: list[str]
    """Of a mixture."""
    inventory: Inventory


@dataclass(frozen=True)
class MeasuredText:
    """What the stage `prepare` of a comparison left in a run folder."""

    run: Path

    @cached_property
    def summary(self) -> TextSummary:
        """`data/corpus.json`. Raises `InputError` if it is damaged."""
        path = self.run / "data" / "corpus.json"
        return record_from(TextSummary, json.loads(path.read_text(encoding="utf-8")), str(path))

    @cached_property
    def documents(self) -> pd.DataFrame:
        """One row per document: `document` (its number), `name`, `part` and `text`."""
        return pd.read_parquet(self.run / "data" / "documents.parquet")

    @cached_property
    def words(self) -> pd.DataFrame:
        """One row per word: `document`, `start` and `end` (characters of its text), `upos`, `deprel` and `feats`."""
        return pd.read_parquet(self.run / "data" / "words.parquet")

    @cached_property
    def first_words(self) -> NDArray[np.int64]:
        """Row of the first word of each document and, last, the number of words, (documents + 1,)."""
        numbers = np.append(self.documents["document"].to_numpy(), np.iinfo(np.int32).max)
        return np.searchsorted(self.words["document"].to_numpy(), numbers).astype(np.int64)


def prepare_text(config: RunConfig, out: Path, say: Callable[[str], None] = lambda _: None) -> Inventory:
    """Write `data/documents.parquet`, `data/words.parquet` and `data/corpus.json` into `out`, and say what was read.

    Copies of earlier documents are left out. Raises `InputError` for text that cannot be read.
    """
    settings = config.prepare
    scores = [place.removeprefix(SCORES) for place in settings.corpus if place.startswith(SCORES)]
    corpus = corpus_of_scores(scores[0]) if scores else open_corpus(settings)
    corpus_survey = survey(corpus, out)
    language = guess(corpus_survey.passages, settings.language)
    tagged = tagger_for(settings, corpus, language.code)
    inventory = replace(corpus_survey.inventory(corpus), language=language)
    read = tell(inventory, {}, say)
    (out / "data").mkdir(parents=True)
    processes = config.threads or usable_cores()
    with nullcontext() if tagged == GOLD else open_tagger(tagged, language.code, processes) as tagger:
        totals = _write(corpus, corpus_survey, tagger, settings.heldout_words, out / "data")
    untagged = totals.untagged / max(1, totals.words)
    by_piece = tagged == NONE and has_no_spaces(corpus_survey.passages)
    named = f"{tagged} (scripts without spaces: each letter a word)" if by_piece else tagged
    inventory = replace(inventory, tagger=named, untagged=untagged)
    tell(inventory, read, say, warn=True)
    summary = TextSummary(
        corpus.name, totals.documents, totals.characters, totals.words, named, corpus_survey.digest, list(corpus.parts),
        inventory,
    )  # fmt: skip
    (out / "data" / "corpus.json").write_text(as_json(summary), encoding="utf-8")
    return inventory


@dataclass
class _Totals:
    documents: int = 0
    characters: int = 0
    words: int = 0
    untagged: int = 0


def _write(corpus: Corpus, corpus_survey: Survey, tagger: Tagger | None, most_words: int, folder: Path) -> _Totals:
    """The two tables; of each document at most `most_words` words from its middle (0: all)."""
    totals = _Totals()
    with (
        Progress("prepare", total=int(corpus_survey.characters[corpus_survey.kept].sum()), unit="char") as progress,
        pq.ParquetWriter(folder / "documents.parquet", DOCUMENTS) as documents,
        TableWriter(folder / "words.parquet", WORDS) as words,
    ):
        documents_and_kept = enumerate(zip(corpus.documents(), corpus_survey.kept.tolist(), strict=True))
        numbered = ((number, document) for number, (document, kept) in documents_and_kept if kept)
        for group in adjoining(numbered, lambda item: len(item[1].text), CHARACTERS):
            read = sum(len(document.text) for _, document in group)
            shortened = [(number, middle_of(document, most_words)) for number, document in group]
            tagged = (
                tagger([document.text for _, document in shortened])
                if tagger
                else [document.words or () for _, document in shortened]
            )
            documents.write_table(pa.Table.from_pylist(
                [{"document": number, "name": document.name, "part": corpus.parts[document.part], "text": document.text}
                 for number, document in shortened], schema=DOCUMENTS,
            ))  # fmt: skip
            for (number, document), of_document in zip(shortened, tagged, strict=True):
                words.append(_words_table(number, of_document))
                totals.words += len(of_document)
                totals.untagged += sum(word.upos not in UPOS for word in of_document)
                totals.characters += len(document.text)
            totals.documents += len(group)
            progress.advance(read)
    return totals


def _words_table(document: int, words: Sequence[Word]) -> pa.Table:
    codes = {tag: code for code, tag in enumerate((*UPOS, NO_WORD))}
    tags = np.array([codes.get(word.upos, codes[NO_WORD]) for word in words], dtype=np.int8)
    return pa.Table.from_arrays(
        [
            pa.array(np.full(len(words), document, np.int32)),
            pa.array(np.array([word.start for word in words], np.int32)),
            pa.array(np.array([word.end for word in words], np.int32)),
            pa.DictionaryArray.from_arrays(pa.array(tags), pa.array([*UPOS, NO_WORD])),
            pa.array([word.deprel or NO_WORD for word in words], pa.string()),
            pa.array([word.feats or NO_WORD for word in words], pa.string()),
        ],
        schema=WORDS,
    )
