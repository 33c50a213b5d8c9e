"""Whether two classes of words of similar frequency are preferred by different towers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.tagging import CONTENT, FUNCTION
from ..statistics.intervals import Estimate, logit_interval
from ..statistics.ranking import auroc_of_labels, matched, ranks_in_strata, stratified_auroc
from ..statistics.strata import frequency_bins, permutations_within
from ..statistics.tallies import Tallies, resample, resample_within
from .labelled import Units
from .measured import Measured

NOMINAL, VERBAL = frozenset({"NOUN", "PROPN", "NUM", "SYM"}), frozenset({"AUX", "VERB", "PART"})
PLANNED = {"nominal against verbal and grammatical": (NOMINAL, VERBAL), "function against content": (FUNCTION, CONTENT)}
"""Contrasts of parts of speech that were planned (research/hypotheses.md), or asked from the start."""
CHUNK = 100
"""Draws at a time."""


@dataclass(frozen=True)
class ContrastOfClasses:
    """Two classes of words of similar frequency against each other."""

    contrast: str
    first: list[str]
    """Parts of speech of the first class."""
    second: list[str]
    first_types: int
    """Words that have a counterpart of similar frequency in the second class."""
    second_types: int
    unmatched: int
    """Words without one, which are left out."""
    auroc: float
    """The probability that a word of the first class has the higher preference (for tower 1)."""
    low: float
    high: float
    p_value: float
    """Two-sided, by permutation."""

    @property
    def area(self) -> Estimate:
        """The area under the ROC curve, with its interval."""
        return Estimate(self.auroc, self.low, self.high)


def contrast_classes(measured: Measured, units: Units, preference: Tallies) -> list[ContrastOfClasses]:
    """Areas under the ROC curve between classes of words of similar frequency: the planned contrasts.

    The area is the probability that a word of the first class has the higher preference (for tower 1 of two) than one
    of the second whose training frequency differs by a factor up to `frequency_ratio`; words without such a counterpart
    are left out and counted. Two-sided p by permutation of the labels within bins of frequency. The interval resamples
    documents and words, on the logit scale. Only for two towers: a contrast of each of several would be a family of its
    own.
    """
    settings = measured.settings
    if measured.towers != 2:
        return []
    chosen = units.counts >= 2 * settings.min_count
    frequent, tallies = units.select(chosen), preference.select(chosen)
    names = np.asarray(units.classes)[frequent.label]
    generator = measured.generator("contrasts")
    planned = []
    for name, (first, second) in PLANNED.items():
        row = _contrast(
            measured, frequent, tallies, np.isin(names, list(first)), np.isin(names, list(second)), generator
        )
        planned.append(ContrastOfClasses(name, sorted(first), sorted(second), *row))
    return planned


def _contrast(
    measured: Measured, units: Units, tallies: Tallies, first: NDArray[np.bool_], second: NDArray[np.bool_],
    generator: np.random.Generator,
) -> tuple[int, int, int, float, float, float, float]:  # fmt: skip
    """The figures of `ContrastOfClasses`, from `first_types` on."""
    draws, permutations = measured.settings.bootstrap, measured.settings.permutations
    chosen = first | second
    strata = frequency_bins(units.frequency[chosen], measured.settings.frequency_ratio)
    label = first[chosen]
    counterpart = matched(label, strata)
    tallies = tallies.select(chosen).select(counterpart)
    label, strata = label[counterpart], strata[counterpart]
    words_of = int(label.sum()), int((~label).sum()), int((~counterpart).sum())
    if not label.any() or label.all():
        return *words_of, np.nan, np.nan, np.nan, np.nan
    values = tallies.means(np.ones((1, tallies.documents)))[0]
    estimate = float(stratified_auroc(values, label, strata)[0])
    drawn = []
    for start in range(0, draws, CHUNK):
        size = min(CHUNK, draws - start)
        means, _ = tallies.means(resample(tallies.documents, size, generator))
        words = resample_within(label.astype(np.int64), size, generator)
        drawn.append(stratified_auroc(means, label, strata, words))
    fewer = int(max(2, min(label.sum(), (~label).sum())))
    low, high = logit_interval(estimate, np.concatenate(drawn), measured.settings.confidence, fewer)
    labels = label[permutations_within(strata, permutations, generator)].T.astype(np.float64)
    null = auroc_of_labels(*ranks_in_strata(values, strata), labels, strata)[0]
    beyond = int((np.abs(null - 0.5) >= abs(estimate - 0.5) - 1e-12).sum())
    return *words_of, estimate, low, high, (1 + beyond) / (1 + permutations)
