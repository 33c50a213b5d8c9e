"""Labels of occurrences that a division between towers may follow, one line each in a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data.plain_models import bag_of_words, tag_trigram
from ..data.tagging import NONE
from ..statistics.division import FEWEST_DOCUMENTS
from ..statistics.grouping import numbered
from ..statistics.relabelling import Carriers, carriers
from ..statistics.strata import FEWEST, frequency_bins
from ..statistics.tallies import Floats
from .clusters import source_numbers, topics
from .covariates import beginnings, sentence_positions, since_last, since_same_type
from .labelled import annotated_labels
from .measured import EVERYTHING, Measured

Numbers = NDArray[np.int64]
TOPICS, PERIODS, SURPRISALS = 8, 10, 10
SENTENCE_PLACES = (1, 2, 3, 4, 6, 9, 13, 21)
"""Where bins of places in a sentence begin, the first at 0."""
DOCUMENT_PLACES = (16, 64, 256, 1024, 4096)
DISTANCES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Tokens back to the last occurrence of the type; the bin below 1 is for its first in the document."""


class Occurrences:
    """What labels are made of: the pieces of the held-out text, those around them, and their words."""

    def __init__(self, measured: Measured) -> None:
        self.measured = measured
        self.document = measured.document
        self.type: Numbers = measured.piece.astype(np.int64)

    @cached_property
    def begins(self) -> NDArray[np.bool_]:
        """Whether a document begins here, (occurrences,)."""
        return beginnings(self.document)

    @cached_property
    def previous(self) -> Numbers:
        """The type before; at the beginning of a document the number of types, (occurrences,)."""
        return self.before(self.type, len(self.measured.pieces))

    @cached_property
    def next(self) -> Numbers:
        """The type after; at the end of a document the number of types, (occurrences,)."""
        return self.after(self.type, len(self.measured.pieces))

    @cached_property
    def word_class(self) -> Numbers:
        """Part of speech of the word, (occurrences,)."""
        return np.asarray(self.measured.upos.codes, dtype=np.int64)

    @cached_property
    def classes(self) -> int:
        """Number of parts of speech."""
        return len(self.measured.upos.categories)

    @cached_property
    def outside(self) -> int:
        """The class of what would stand before and after a document.

        In a text without tags it is that of all words, so that no label of classes has two values.
        """
        tagged = bool((self.word_class != self.word_class[:1]).any())
        return self.classes if tagged else int(self.word_class[0])

    @cached_property
    def strata(self) -> Numbers:
        """Bin of training frequency of each type, (vocabulary,)."""
        return frequency_bins(self.measured.frequencies, self.measured.settings.frequency_ratio, FEWEST)

    @cached_property
    def place(self) -> Numbers:
        """Tokens since the beginning of the document, (occurrences,)."""
        return since_last(self.begins)

    def before(self, values: Numbers, beginning: int) -> Numbers:
        """The value of the token before in its document, (occurrences,)."""
        return np.where(self.begins, beginning, np.append(beginning, values[:-1]))

    def after(self, values: Numbers, end: int) -> Numbers:
        """The value of the token after in its document, (occurrences,)."""
        return np.where(np.append(self.begins[1:], True), end, np.append(values[1:], end))

    def of_documents(self, values: Numbers) -> Numbers:
        """A value of each document (documents,) at each occurrence."""
        return values[self.document].astype(np.int64)


@dataclass(frozen=True)
class Label:
    """A labelling of the occurrences, and how its share is measured."""

    name: str
    values: Callable[[Occurrences], Numbers | None]
    """Label of each occurrence, (occurrences,), negative for none; None where this run does not have it."""
    carried_by: tuple[str, ...] = ()
    """What labels are exchanged among in the null: `type`, `previous`, `next`, `document`. Empty for labels that cannot
    be exchanged, such as the type itself: then signs are turned."""
    by_place: bool = False
    """Whether the place of a token carries the label; in the null the labels of a document are then rotated."""
    given: tuple[str, ...] = ("",)
    """What the share is taken beyond (`GIVEN`); "": nothing."""
    any_frequency: bool = False
    """Whether the null exchanges labels between carriers of any frequency."""
    within_documents: bool = False
    """Whether two halves of each document stand for groups of documents, because no two documents share a label."""
    planted: str = "reach"
    """The kind of planted division that is this label's 100 % (`model.planted`)."""


def _kind_of_piece(text: Occurrences) -> Numbers:
    whole_word, begins = (text.measured.scores[name].to_numpy(bool) for name in ("whole_word", "begins"))
    return np.where(whole_word, 0, np.where(begins, 1, 2))


def _pair(first: Numbers, second: Numbers) -> Numbers:
    return numbered(first * (int(second.max(initial=0)) + 1) + second)[1]


def _next_class(text: Occurrences) -> Numbers | None:
    return text.after(text.word_class, text.outside) if text.measured.reads_ahead else None


def _period(text: Occurrences) -> Numbers | None:
    documents = text.measured.documents
    return None if documents < 2 * PERIODS else text.of_documents(np.arange(documents) * PERIODS // documents)


def _topic(text: Occurrences) -> Numbers | None:
    if text.measured.documents < 2 * FEWEST_DOCUMENTS:
        return None
    return text.of_documents(topics(text.measured, min(TOPICS, text.measured.documents // FEWEST_DOCUMENTS)))


def _source(text: Occurrences) -> Numbers | None:
    sources = source_numbers(text.measured.document_names, text.measured.settings.clusters)
    return text.of_documents(sources) if 1 < int(sources.max(initial=0)) + 1 < text.measured.documents else None


def _surprisal(text: Occurrences) -> Numbers | None:
    """Tenths of the text by log-probability under the joint readout of the first set, which treats all towers alike."""
    together = f"{text.measured.sets[0]}_together"
    if together not in text.measured.scores.columns:
        return None
    log_probs = text.measured.log_probs(together)
    return np.digitize(log_probs, np.quantile(log_probs, np.arange(1, SURPRISALS) / SURPRISALS))


def _better_plain_model(text: Occurrences) -> Numbers | None:
    """0 where a trigram of tags predicts the token better than a bag of its document's words, else 1."""
    prepared = text.measured.text
    if prepared is None or prepared.summary.tagger == NONE:
        return None
    tags = tag_trigram(prepared, text.type, text.begins)
    return (bag_of_words(prepared, text.type, text.document.astype(np.int64)) > tags).astype(np.int64)


LABELS: tuple[Label, ...] = (
    Label("type", lambda text: text.type, given=("", "frequency", "previous type"), planted="classes"),
    Label("class", lambda text: text.word_class, ("type",), given=("", "frequency", "previous type"),
          planted="classes"),
    Label("kind of piece", _kind_of_piece, ("type",), given=("", "frequency"), planted="classes"),
    Label("frequency", lambda text: text.strata[text.type], ("type",), any_frequency=True, planted="classes"),
    Label("previous type", lambda text: text.previous, given=("", "type")),
    Label("previous class", lambda text: text.before(text.word_class, text.outside), ("previous",),
          given=("", "type")),
    Label("class x previous class",
          lambda text: text.word_class * (text.classes + 1) + text.before(text.word_class, text.outside),
          ("type", "previous"), given=("", "frequency")),
    Label("type x previous type", lambda text: _pair(text.type, text.previous)),
    Label("next class", _next_class, ("next",), given=("", "type")),
    Label("position in the sentence",
          lambda text: np.digitize(sentence_positions(text.measured, EVERYTHING), SENTENCE_PLACES),
          by_place=True, given=("", "type")),
    Label("position in the document", lambda text: np.digitize(text.place, DOCUMENT_PLACES), by_place=True,
          given=("", "type")),
    Label("distance to the last occurrence",
          lambda text: np.digitize(since_same_type(text.type, text.document), DISTANCES),
          by_place=True, given=("", "type")),
    Label("surprisal", _surprisal, by_place=True, given=("", "type")),
    Label("tag trigram or bag of words", _better_plain_model, by_place=True, given=("", "frequency", "type"),
          planted="texts"),
    Label("document", lambda text: text.document.astype(np.int64), within_documents=True, given=("", "type"),
          planted="texts"),
    Label("topic", _topic, ("document",), given=("", "type"), planted="texts"),
    Label("period", _period, ("document",), given=("", "type"), planted="texts"),
    Label("cluster", _source, ("document",), given=("", "type"), planted="texts"),
)  # fmt: skip
"""A new question is a line here. `given` is what the share is taken beyond."""
GIVEN: dict[str, Callable[[Occurrences], Numbers]] = {
    "frequency": lambda text: text.strata[text.type],
    "type": lambda text: text.type,
    "previous type": lambda text: text.previous,
}


def planted_kind(label: str) -> str:
    """The kind of planted division that is a label's 100 %; `classes` for those of a treebank or a reader's own."""
    return next((line.planted for line in LABELS if line.name == label), "classes")


def gold_labels(measured: Measured) -> list[Label]:
    """Dependency relation and morphological features of the words, where the corpus is a treebank."""
    return [from_categories(name, labels) for name, labels in annotated_labels(measured.annotations)]


def from_categories(name: str, labels: pd.Categorical) -> Label:
    """A label from a category of each word, (occurrences,); `_` is a value, a missing category is none."""
    codes = labels.codes.astype(np.int64)
    return Label(name, lambda _: codes, ("type",), given=("", "frequency", "type"), planted="classes")


def carriers_of(label: Label, values: Numbers, text: Occurrences) -> list[Carriers]:
    """The units that carry each part of a label, and what they may be exchanged with."""
    measured = text.measured
    ratio = np.inf if label.any_frequency else measured.settings.frequency_ratio
    counts = np.append(measured.frequencies, measured.documents).astype(np.float64)
    sizes: Floats = np.bincount(text.document).astype(np.float64)
    kinds: dict[str, tuple[Numbers, Floats]] = {
        "type": (text.type, counts), "previous": (text.previous, counts),
        "document": (text.document.astype(np.int64), sizes),
    }  # fmt: skip
    if "next" in label.carried_by:
        kinds["next"] = (text.next, counts)
    parts = [values]
    if label.carried_by == ("type", "previous"):
        parts = list(np.divmod(values, text.classes + 1))
    return [carriers(kinds[kind][0], part, kinds[kind][1], ratio)
            for kind, part in zip(label.carried_by, parts, strict=True)]  # fmt: skip
