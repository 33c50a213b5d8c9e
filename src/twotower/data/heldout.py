"""The prepared text, as later stages read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..config.conversion import record_from
from .inventory import CorpusSummary
from .pieces import read_pieces
from .tagging import CONTENT, FUNCTION, NO_WORD, UPOS
from .tokenization import Vocabulary, vocabulary_of
from .tokenizer_files import load_tokenizer
from .windows import ScoringRows, contiguous_rows, pair_rows, sliding_rows

PLANTED_TEXTS = ("relexicalized", "scrambled")
"""What the first tower and the second one are trained on where texts are planted (see `planted_texts.py`)."""
FUNCTION_CLASS, CONTENT_CLASS, OTHER_CLASS = "function", "content", "other"


@dataclass(frozen=True)
class PreparedText:
    """What the stage `prepare` left in a run folder; large arrays are memory-mapped."""

    run: Path

    @cached_property
    def summary(self) -> CorpusSummary:
        """`data/corpus.json`."""
        path = self.run / "data" / "corpus.json"
        return record_from(CorpusSummary, json.loads(path.read_text(encoding="utf-8")), str(path))

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The run's tokenizer."""
        return load_tokenizer(self.run / "tokenizer.json")

    @cached_property
    def train(self) -> NDArray[np.unsignedinteger[Any]]:
        """The training stream, shape (tokens,)."""
        stream: NDArray[np.unsignedinteger[Any]] = np.load(self.run / "data" / "train.npy", mmap_mode="r")
        return stream

    def planted(self, words: str) -> NDArray[np.unsignedinteger[Any]]:
        """The training stream with its words changed, one of `PLANTED_TEXTS`, shape (tokens,)."""
        stream: NDArray[np.unsignedinteger[Any]] = np.load(self.run / "texts" / f"{words}.npy", mmap_mode="r")
        return stream

    @cached_property
    def validation(self) -> NDArray[np.unsignedinteger[Any]]:
        """The stream of the documents kept aside, shape (tokens,): readouts are stopped by it."""
        stream: NDArray[np.unsignedinteger[Any]] = np.load(self.run / "data" / "validation.npy", mmap_mode="r")
        return stream

    @cached_property
    def heldout(self) -> NDArray[np.unsignedinteger[Any]]:
        """The held-out stream, shape (tokens,)."""
        stream: NDArray[np.unsignedinteger[Any]] = np.load(self.run / "data" / "heldout.npy", mmap_mode="r")
        return stream

    @cached_property
    def frequencies(self) -> NDArray[np.int64]:
        """Count of each piece in the training split, shape (vocabulary,)."""
        counts: NDArray[np.int64] = np.load(self.run / "data" / "frequencies.npy")
        return counts

    @cached_property
    def log_frequencies(self) -> NDArray[np.float32]:
        """Log unigram probabilities of the training split, in nats, add-one smoothed; shape (vocabulary,)."""
        smoothed = self.frequencies + 1.0
        return np.asarray(np.log(smoothed / smoothed.sum()), dtype=np.float32)

    @cached_property
    def pieces(self) -> list[str]:
        """What the pieces are called (`pieces.Pieces.labels`), by id.

        Ids without a piece (a vocabulary padded to a multiple of 8) are empty strings.
        """
        labels = read_pieces(self.tokenizer).labels
        return labels + [""] * (len(self.frequencies) - len(labels))

    @cached_property
    def begins(self) -> NDArray[np.bool_]:
        """Whether a word begins at each piece of the training stream, shape (tokens,); see `word_starts.py`."""
        begins: NDArray[np.bool_] = np.load(self.run / "data" / "train_begins.npy", mmap_mode="r")
        return begins

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The ids that have a role."""
        return vocabulary_of(self.tokenizer)

    @cached_property
    def documents(self) -> pd.DataFrame:
        """The held-out documents, in the order of the stream."""
        return self._documents_that_are("heldout")

    @cached_property
    def validation_documents(self) -> pd.DataFrame:
        """The documents kept aside, in the order of their stream."""
        return self._documents_that_are("validation")

    def _documents_that_are(self, kind: str) -> pd.DataFrame:
        chosen = [(kind, "==", True), ("tokens", ">", 0)]  # the others, often many millions, are not kept
        return pd.read_parquet(self.run / "data" / "documents.parquet", filters=chosen)

    @cached_property
    def classes(self) -> pd.DataFrame:
        """Part of speech and class of each piece, one row per piece: see `classify_types`."""
        return classify_types(np.load(self.run / "data" / "tags.npy"))

    @cached_property
    def annotations(self) -> pd.DataFrame | None:
        """What a treebank says of the word of each held-out piece, in their order (see `documents.Word`).

        Its dependency relation (`deprel`), its features (`feats`), the class of its `head` and its `distance` from it.
        `_` where there is none. Only the columns in which the treebank has anything; None for other corpora.
        """
        path = self.run / "data" / "heldout.parquet"
        known = [name for name in ("deprel", "feats", "head", "distance") if name in pq.read_schema(path).names]
        table = pd.read_parquet(path, columns=known)
        columns = [name for name in known if (table[name].astype(str) != NO_WORD).any()]
        return table[columns] if columns else None

    def windows(self, objective: str, kind: str, window: int) -> ScoringRows:
        """The rows in which the held-out text is scored; what they score comes in the order of `heldout.parquet`.

        They are made like the rows of training: `kind` is `contiguous` or `pairs`. The causal objective slides over
        contiguous text, so that every token has context; the others read it window by window.
        """
        return self._windows(self.heldout, self.documents, objective, kind, window)

    def validation_windows(self, objective: str, kind: str, window: int) -> ScoringRows:
        """The same of the documents kept aside."""
        return self._windows(self.validation, self.validation_documents, objective, kind, window)

    def _windows(
        self, stream: NDArray[np.unsignedinteger[Any]], documents: pd.DataFrame, objective: str, kind: str, window: int
    ) -> ScoringRows:
        starts, lengths = documents["start"].to_numpy(), documents["tokens"].to_numpy()
        if kind == "pairs":
            return pair_rows(stream, starts, lengths, window, self.vocabulary)
        make = sliding_rows if objective == "causal" else contiguous_rows
        return make(stream, starts, lengths, window, self.vocabulary)


def classify_types(tags: NDArray[np.int64]) -> pd.DataFrame:
    """Part of speech and class of each type, from its held-out occurrences.

    `tags` counts, for each type, its occurrences as a whole word of each part of speech (in the order of `UPOS`) and,
    last, all its occurrences; shape (types, len(UPOS) + 1). A type's part of speech is the most common one (ties: the
    first by name), if at least half of its occurrences are whole words; a piece of longer words has none. Its class is
    `function` (closed-class: ADP AUX CCONJ DET PART PRON SCONJ), `content` (NOUN PROPN VERB ADJ ADV NUM) or `other`.

    Returns a frame with the columns `upos` and `word_class`, one row per type.
    """
    counts, total = tags[:, :-1], tags[:, -1]
    tagged = counts.sum(axis=1)
    has_tag = (tagged > 0) & (tagged * 2 >= total)
    tag = np.where(has_tag, np.asarray(UPOS, dtype=object)[counts.argmax(axis=1)], NO_WORD)
    word_class = [
        FUNCTION_CLASS if upos in FUNCTION else CONTENT_CLASS if upos in CONTENT else OTHER_CLASS for upos in tag
    ]
    return pd.DataFrame({"upos": tag, "word_class": word_class})
