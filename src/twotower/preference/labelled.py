"""Labelled words: the unit in which preferences of word classes are measured.

The unit is a *word*: a type with a label, so that `to` as particle and `to` as adposition are two. Only whole words
count here; `explained_by.py` has the pieces of longer words as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data.tagging import NO_WORD
from ..statistics.strata import FEWEST, frequency_bins
from ..statistics.stretches import stretches
from ..statistics.tallies import Floats, Sums, Tallies, ValuesOf, add_up
from .measured import Measured

LEXICAL_AND_GRAMMATICAL = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "NOUN", "PART", "PRON", "PROPN", "SCONJ", "VERB",
)  # fmt: skip
"""The parts of speech that are compared. Numbers, symbols, punctuation and interjections are in the profile only: what
sets them apart need be neither syntax nor meaning."""


@dataclass(frozen=True)
class Units:
    """Labelled words, with each signal added up by document and word."""

    classes: tuple[str, ...]
    label: NDArray[np.int64]
    """Class of each word, (words,)."""
    piece: NDArray[np.int64]
    """Piece id of each word, (words,)."""
    frequency: Floats
    """Training count of the type times the label's share of its held-out occurrences, (words,)."""
    strata: NDArray[np.int64]
    """Bin of frequency within which labels are permuted, (words,)."""
    tallies: list[Tallies]
    """One per signal."""

    @property
    def counts(self) -> Floats:
        """Held-out occurrences of each word, (words,)."""
        return np.asarray(self.tallies[0].counts.sum(axis=0)).ravel()

    def select(self, chosen: NDArray[np.bool_]) -> Units:
        """Only the words in the mask, (words,)."""
        return Units(
            self.classes, self.label[chosen], self.piece[chosen], self.frequency[chosen], self.strata[chosen],
            [tallies.select(chosen) for tallies in self.tallies],
        )  # fmt: skip

    def only(self, classes: Sequence[str]) -> Units:
        """Only the words of these classes, numbered in this order."""
        numbers = np.full(len(self.classes), -1)
        for number, name in enumerate(classes):
            numbers[self.classes.index(name)] = number
        label = numbers[self.label]
        chosen = self.select(label >= 0)
        return Units(tuple(classes), label[label >= 0], chosen.piece, chosen.frequency, chosen.strata, chosen.tallies)


def units_of(measured: Measured, labels: pd.Categorical, signals: Iterable[Floats | ValuesOf]) -> Units:
    """Words from a label for each occurrence (`_`: none), (occurrences,), and signals of the same shape.

    Only occurrences that are whole words count. A signal may also be a function that gives the values of a stretch.
    """
    names, codes = label_codes(labels, left_out=(NO_WORD, ""))
    width = max(1, len(names))

    def keys(part: slice) -> NDArray[np.int64]:
        """The number of each occurrence's word among all pairs of a piece and a label; -1 where it does not count."""
        counted = np.asarray(measured.rows(part)["whole_word"], dtype=bool) & (codes[part] >= 0)
        return np.where(counted, measured.piece[part].astype(np.int64) * width + codes[part], -1)

    times = np.zeros(len(measured.pieces) * width + 1, dtype=np.int64)
    for part in stretches(measured.document):
        times += np.bincount(keys(part) + 1, minlength=len(times))
    word = np.flatnonzero(times[1:])
    place = np.full(len(times), -1, dtype=np.int32)
    place[word + 1] = np.arange(len(word))
    number = np.empty(len(measured.piece), dtype=np.int32)
    for part in stretches(measured.document):
        number[part] = place[keys(part) + 1]
    piece, code = np.divmod(word, width)
    present, label = np.unique(code, return_inverse=True)
    share = times[word + 1] / np.maximum(measured.counts[piece], 1)
    frequency = measured.frequencies[piece] * share
    strata = frequency_bins(frequency, measured.settings.frequency_ratio, FEWEST)

    def added(values: Floats | ValuesOf | None) -> Sums:
        return add_up(measured.block, number, values, len(word), measured.blocks)

    counts = added(None)
    tallies = [Tallies(counts, added(signal)) for signal in signals]
    return Units(tuple(names[present].tolist()), label, piece, frequency, strata, tallies)


def label_codes(labels: pd.Categorical, left_out: Sequence[str] = ()) -> tuple[NDArray[np.str_], NDArray[np.int32]]:
    """The names of labels in alphabetical order, and the number of each occurrence's, (occurrences,); -1: left out."""
    names, numbers = np.unique(np.asarray(labels.categories, dtype=str), return_inverse=True)
    numbers = np.append(np.where(np.isin(names, left_out), -1, np.arange(len(names)))[numbers], -1).astype(np.int32)
    return names, numbers[labels.codes]


def annotated_labels(annotations: Any) -> Iterator[tuple[str, pd.Categorical]]:
    """What a treebank says of the word at each occurrence: names, and labels (occurrences,), `_` for none.

    Names are `deprel`, `head's class`, `distance to the head`, and `feature NAME` for each morphological feature.
    """
    if annotations is None:
        return
    if "deprel" in annotations:
        yield "deprel", pd.Categorical(annotations["deprel"])
    for column, name in (("head", "head's class"), ("distance", "distance to the head")):
        if column in annotations:
            yield name, pd.Categorical(annotations[column])
    if "feats" in annotations:
        feats = pd.Categorical(annotations["feats"])
        texts = [str(text) for text in feats.categories]
        features = [dict(pair.split("=", 1) for pair in text.split("|") if "=" in pair) for text in texts]
        for feature in sorted({name for values in features for name in values}):
            names, codes = np.unique([values.get(feature, NO_WORD) for values in features], return_inverse=True)
            yield f"feature {feature}", pd.Categorical.from_codes(codes.astype(np.int32)[feats.codes], names)


def one_hot(label: NDArray[np.int64], classes: int) -> Floats:
    """A column for each class, 1 where the label is that class; `label` (words,), returns (words, classes)."""
    hot: Floats = (label[:, None] == np.arange(classes)).astype(np.float64)
    return hot
