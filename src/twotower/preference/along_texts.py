"""How far the difference between towers runs along that of a pair that was planted by texts, token by token."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..statistics.division import Readings
from ..statistics.intervals import Estimate, negated
from ..statistics.verdicts import Verdict, verdict
from ..system.errors import InputError
from .division import LabelDivision, readings_of, shares_of, unmeasurable
from .labels import Occurrences, from_categories
from .measured import Measured

TENTH, TENTHS = "tenth of the planted difference", 10


@dataclass(frozen=True)
class AlongTexts:
    """The difference between towers beside that between a tower of syntax and a tower of topics, at the same tokens."""

    correlation: Estimate
    """Of the two differences over tokens, without the noise of readouts. It is turned to be positive, because the
    number of a tower means nothing."""
    tenths: list[LabelDivision]
    """What tenths of the planted difference hold of this one: alone, and beyond frequency and type."""
    strangers: AlongTexts | None
    """The same for towers that did not cooperate."""
    verdict: Verdict
    """Whether the differences correlate, and more than those of strangers do."""


def along_texts(measured: Measured, planted: Measured, strangers: AlongTexts | None = None) -> AlongTexts | None:
    """Set a pair beside one that was planted by texts; None where either has no difference to measure.

    `planted` must have another seed: towers that start alike differ alike. Raises `InputError` if it has the same one,
    or has not scored the same tokens.
    """
    if measured.seed == planted.seed:
        raise InputError(f"planted texts: both pairs have seed {measured.seed}; plant one of another seed")
    if not np.array_equal(measured.piece, planted.piece) or not np.array_equal(measured.document, planted.document):
        raise InputError("planted texts: the two pairs have not scored the same text; redo both with --overwrite")
    if measured.towers != 2 or unmeasurable(measured) or unmeasurable(planted):
        return None
    text = Occurrences(measured)
    readings = readings_of(measured, measured.sets, text)
    difference = readings_of(planted, planted.sets, text)
    correlation = correlation_of(readings, difference)
    if correlation is None:
        return None
    answer = verdict(correlation, None, strangers.correlation if strangers else None, measured.converged)
    return AlongTexts(correlation, tenths_of(difference, readings, text), strangers, answer)


def correlation_of(first: Readings, second: Readings) -> Estimate | None:
    """Correlation of two pairs' differences, turned to be positive; None where either pair differs by chance alone.

    The covariance of the two, means over sets, over the product of both D: readouts of two runs share no noise, so that
    it adds nothing above, and D has none below (Spearman 1904). Types, previous types and documents are random.
    """
    (square, of_square), (other, of_other) = first.square, second.square
    if first.squared.low <= 0 or second.squared.low <= 0:
        return None
    left, right = (readings.centred.mean(axis=0)[0] for readings in (first, second))
    product = left * right
    covariance = float(product.mean())
    root = (square * other) ** 0.5
    r = covariance / root
    influence = (product - covariance) / root / len(product) - r * (of_square / square + of_other / other) / 2
    correlation = first.clusters.interval(r, influence, first.confidence)
    return correlation if r >= 0 else negated(correlation)


def tenths_of(planted: Readings, readings: Readings, text: Occurrences) -> list[LabelDivision]:
    """What tenths of a planted difference hold of the difference between towers, a row for each thing that is given."""
    tenth = pd.Categorical(pd.qcut(planted.differences.mean(axis=0)[0], TENTHS, labels=False, duplicates="drop"))
    label = replace(from_categories(TENTH, tenth), by_place=True)
    return shares_of(label, readings, text, text.measured.converged)
