"""Labelled words: the unit of what classes of words prefer.

The unit is a *word*: a type with a label, so that `to` as particle and `to` as adposition are two. Only whole words
count here; `explained_by.py` has the pieces of longer words as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.tagging import NO_WORD
from ..statistics.strata import FEWEST, frequency_bins
from ..statistics.tallies import Floats, Tallies, tally
from .measured import Measured

LEXICAL_AND_GRAMMATICAL = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "NOUN", "PART", "PRON", "PROPN", "SCONJ", "VERB",
)  # fmt: skip
"""The parts of speech of which the spread is taken. Numbers, symbols, punctuation and interjections are in the profile
only: what sets them apart need be neither syntax nor meaning."""


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
            [one.select(chosen) for one in self.tallies],
        )  # fmt: skip

    def only(self, classes: Sequence[str]) -> Units:
        """Only the words of these classes, numbered in this order."""
        numbers = np.full(len(self.classes), -1)
        for number, name in enumerate(classes):
            numbers[self.classes.index(name)] = number
        label = numbers[self.label]
        chosen = self.select(label >= 0)
        return Units(tuple(classes), label[label >= 0], chosen.piece, chosen.frequency, chosen.strata, chosen.tallies)


def units_of(measured: Measured, labels: NDArray[np.object_], signals: Sequence[Floats]) -> Units:
    """Words from a label for each occurrence (`_`: none), (occurrences,), and signals of the same shape.

    Only occurrences that are whole words count.
    """
    kept = measured.scores["whole_word"].to_numpy(bool) & (labels != NO_WORD) & (labels != "")
    names, label = np.unique(labels[kept].astype(str), return_inverse=True)
    word, number = np.unique(measured.piece[kept] * max(1, len(names)) + label, return_inverse=True)
    piece, label = np.divmod(word, max(1, len(names)))
    share = np.bincount(number, minlength=len(word)) / np.maximum(measured.counts[piece], 1)
    frequency = measured.frequencies[piece] * share
    strata = frequency_bins(frequency, measured.settings.frequency_ratio, FEWEST)
    tallies = [
        tally(measured.document[kept], number, signal[kept], len(word), measured.documents) for signal in signals
    ]
    return Units(tuple(names.tolist()), label, piece, frequency, strata, tallies)


def annotated_labels(annotations: Any) -> dict[str, NDArray[np.object_]]:
    """By name, `deprel` or `feature NAME`, the label of each occurrence; features have a value or `_`."""
    found: dict[str, NDArray[np.object_]] = {}
    if annotations is None:
        return found
    if "deprel" in annotations:
        found["deprel"] = annotations["deprel"].astype(str).to_numpy(dtype=object)
    if "feats" in annotations:
        texts = annotations["feats"].astype(str)
        each = {text: dict(one.split("=", 1) for one in text.split("|") if "=" in one) for text in texts.unique()}
        for feature in sorted({name for values in each.values() for name in values}):
            known = {text: values.get(feature, NO_WORD) for text, values in each.items()}
            found[f"feature {feature}"] = texts.map(known).to_numpy(dtype=object)
    return found


def one_hot(label: NDArray[np.int64], classes: int) -> Floats:
    """A column for each class, 1 where the label is that class; `label` (words,), returns (words, classes)."""
    found: Floats = (label[:, None] == np.arange(classes)).astype(np.float64)
    return found
