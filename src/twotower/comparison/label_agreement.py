"""Whether runs divide the same labels: classes, what stands before a word, pairs of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..config.schema import AnalyzeConfig
from ..preference.measured import SETS
from ..statistics.tallies import Tallies
from .agreement import AgreementOfPairs, Pair, agreement_of_pairs
from .reading import Cells, OneRun, same_occurrences

FEWEST_LABELS = 10
"""Labels below which a correlation over them says nothing."""


@dataclass(frozen=True)
class AgreementOfLabel:
    """How well runs agree in the preferences of the values of one label, beyond how often these occur."""

    label: str
    """`class`, `previous type` or `class x previous class`, as the ruler has them."""
    values: int
    """How many values of it are frequent enough."""
    groups: dict[str, AgreementOfPairs]


def label_agreement(
    runs: Sequence[OneRun], groups: Mapping[str, Sequence[Pair]], settings: AnalyzeConfig
) -> list[AgreementOfLabel]:
    """`agreement_of_pairs` with the values of a label as types; empty where runs have different occurrences.

    A value counts if it occurs twice `analyze.min_count` times; how often it occurs takes the place of frequency.
    """
    text = runs[0].text
    if any(run.text is not text and not same_occurrences(run.text, text) for run in runs):
        return []
    least = max(2 * run.config.analyze.min_count for run in runs)
    sets = SETS[: min(len(run.sets) for run in runs)]
    cells, counts = dict[str, Cells](), dict[str, NDArray[np.int64]]()
    for label, values in _labels(text.occurrences).items():
        occurring = np.bincount(values)
        frequent = np.flatnonzero(occurring >= least)
        if len(frequent) >= FEWEST_LABELS:
            labelled = pd.DataFrame({"document": text.occurrences["document"], "piece_id": values})
            cells[label], counts[label] = Cells.of(labelled, frequent), occurring[frequent]
    preferences: dict[str, list[list[Tallies]]] = {label: [] for label in cells}
    for run in runs:  # whose scores are read once, and those of one run at a time
        differences = run.differences(sets)
        for label, of_label in cells.items():
            preferences[label].append([of_label.tally(difference) for difference in differences])
    agreements = []
    for label, own in preferences.items():
        agreed = agreement_of_pairs(own, counts[label], groups, settings, np.random.default_rng(0))
        agreements.append(AgreementOfLabel(label, len(counts[label]), agreed))
    return agreements


def _labels(occurrences: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
    """Label of each occurrence, (occurrences,), by its name; a document's first token has a value of its own before."""
    document = occurrences["document"].to_numpy()
    begins = np.append(True, document[1:] != document[:-1])
    piece = occurrences["piece_id"].to_numpy(np.int64)
    word_class = pd.factorize(occurrences["upos"])[0].astype(np.int64)

    def before(values: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where(begins, values.max(initial=0) + 1, np.append(0, values[:-1]))

    classes = int(word_class.max(initial=0)) + 2
    return {
        "class": word_class,
        "previous type": before(piece),
        "class x previous class": word_class * classes + before(word_class),
    }
