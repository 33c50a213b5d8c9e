"""Where a division comes from, in words: after which word a type is better predicted by another tower."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from ..statistics.clustering import dealt
from ..statistics.division import Codes
from ..statistics.grouping import numbered
from ..statistics.tallies import Floats
from .division import readings_of, unmeasurable
from .labels import Occurrences
from .measured import Measured
from .types import pooled_variance

FEWEST_IN_CONTEXT = 8
"""Occurrences in the context, and out of it, in each half of the documents."""
MOST = 30
"""The most types that are looked at, and so the most contexts that are reported."""
SURE = 2.5
"""Standard errors, if documents are many, that a context must show where it was not chosen."""


@dataclass(frozen=True)
class ContextOfType:
    """A type that one tower predicts better after a certain word, and otherwise worse or less so; in nats."""

    tower: int
    """The tower (from 1) whose preference it is."""
    piece: str
    after: str
    """The piece before; "" at the beginning of a document."""
    there: float
    """Mean difference after it, where it was not chosen."""
    otherwise: float
    """Mean difference of the type elsewhere, where it was not chosen."""
    chosen: tuple[float, float]
    """The same two where it was chosen."""
    occurrences: int
    """After it, in all of the held-out text."""


def contexts_of(measured: Measured) -> list[ContextOfType]:
    """The contexts that divide most, largest first; empty where nothing can be measured.

    For each of the types that divide most by the word before, the word with the largest effect is chosen on half of the
    documents under half of the sets of readouts. It is reported if the other half of both shows the same sign by more
    than `SURE` standard errors, or by as many more as Student's t needs for the documents that have the context.
    """
    if measured.towers == 1 or unmeasurable(measured):
        return []
    text = Occurrences(measured)
    readings, sets = readings_of(measured, measured.sets, text), len(measured.sets)
    decides, checks = slice(max(1, sets // 2)), slice(sets // 2, None)  # the only one of exact models does both
    half = dealt(np.bincount(readings.document), 2)[readings.document]
    pieces = [*measured.pieces, ""]
    pairs, pair = numbered(text.type * len(pieces) + text.previous)
    of_type, before = np.divmod(pairs, len(pieces))
    contexts = []
    for number, contrast in enumerate(measured.contrasts):
        under = readings.centred[:, number]
        values, means = (
            [of_sets[part].mean(axis=0) for part in (decides, checks)] for of_sets in (under, readings.means[:, number])
        )
        first, second = (_Half(values[side], pair, of_type, half == side) for side in (0, 1))
        enough = np.minimum(first.enough, second.enough)
        weight = np.where(enough, first.shift**2 * first.counts, 0.0)
        best = np.lexsort((-weight, of_type))
        best = best[np.unique(of_type[best], return_index=True)[1]]
        best = best[np.argsort(-weight[best], kind="stable")][:MOST]
        best = best[weight[best] > 0]
        by_readouts = np.zeros(len(pairs))
        if sets > 1 and len(best):
            shifts = np.array([_Half(of_set, pair, of_type, half == 1).shift for of_set in under])
            by_readouts = pooled_variance(shifts, second.counts * enough) / len(under[checks])
        for place in best.tolist():
            inside = (half == 1) & (text.type == of_type[place])
            variance, freedom = _spread(values[1][inside], pair[inside] == place, readings.document[inside])
            # NaN, and so not reported, where only one document has the context
            sure = stats.t.isf(stats.norm.sf(SURE), freedom) * np.sqrt(variance + by_readouts[place])
            if second.shift[place] * np.sign(first.shift[place]) > sure:
                contexts.append(ContextOfType(
                    contrast.tower, pieces[of_type[place]], pieces[before[place]],
                    float(second.there[place] + means[1]), float(second.otherwise[place] + means[1]),
                    (float(first.there[place] + means[0]), float(first.otherwise[place] + means[0])),
                    int(first.counts[place] + second.counts[place]),
                ))  # fmt: skip
    return contexts


class _Half:
    """Means of the pairs of a type and the word before it on one side, each (pairs,)."""

    def __init__(self, values: Floats, pair: Codes, of_type: Codes, inside: Codes) -> None:
        types = int(of_type.max()) + 1
        self.counts = np.bincount(pair[inside], minlength=len(of_type)).astype(np.float64)
        sums = np.bincount(pair[inside], weights=values[inside], minlength=len(of_type))
        other_counts = np.bincount(of_type, weights=self.counts, minlength=types)[of_type] - self.counts
        other_sums = np.bincount(of_type, weights=sums, minlength=types)[of_type] - sums
        self.enough = np.minimum(self.counts, other_counts) >= FEWEST_IN_CONTEXT
        self.there, self.otherwise = sums / np.maximum(self.counts, 1), other_sums / np.maximum(other_counts, 1)
        self.shift = self.there - self.otherwise


def _spread(values: Floats, inside: Codes, document: Codes) -> tuple[float, int]:
    """Variance of the difference between the means inside and outside, with documents as clusters.

    And its degrees of freedom: the documents that have any inside, less one.
    """
    influence = np.zeros(len(values))
    for side, sign in ((inside, 1.0), (~inside, -1.0)):
        influence[side] = sign * (values[side] - values[side].mean()) / side.sum()
    sums = np.bincount(document, weights=influence)
    freedom = len(np.unique(document[inside])) - 1
    return float(sums @ sums) * (freedom + 1) / max(1, freedom), freedom
