"""Where a division comes from, in words: after which word a type is better predicted by another tower."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..statistics.clustering import dealt
from ..statistics.division import Codes
from ..statistics.grouping import numbered
from ..statistics.tallies import Floats
from .division import readings_of, unmeasurable
from .labels import Occurrences
from .measured import Measured

FEWEST_IN_CONTEXT = 8
"""Occurrences in the context, and out of it, in each half of the documents."""
MOST = 30
"""The most types that are looked at, and so the most contexts that are reported."""
SURE = 2.5
"""Standard errors, by documents, that a context must show on the half where it was not chosen."""


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
    documents under one set of readouts. It is reported if the other half, under another set, shows the same sign by
    more than `SURE` standard errors.
    """
    if measured.towers == 1 or unmeasurable(measured):
        return []
    text = Occurrences(measured)
    readings = readings_of(measured, measured.sets[:2], text)
    half = dealt(np.bincount(readings.document), 2)[readings.document]
    pieces = [*measured.pieces, ""]
    pairs, pair = numbered(text.type * len(pieces) + text.previous)
    of_type, before = np.divmod(pairs, len(pieces))
    contexts = []
    for number, contrast in enumerate(measured.contrasts):
        values = readings.centred[[0, -1], number]  # two sets, or the only one twice
        first, second = (_Half(values[side], pair, of_type, half == side) for side in (0, 1))
        enough = np.minimum(first.enough, second.enough)
        weight = np.where(enough, first.shift**2 * first.counts, 0.0)
        best = np.lexsort((-weight, of_type))
        best = best[np.unique(of_type[best], return_index=True)[1]]
        best = best[np.argsort(-weight[best], kind="stable")][:MOST]
        for place in best[weight[best] > 0].tolist():
            inside = (half == 1) & (text.type == of_type[place])
            error = _standard_error(values[1, inside], pair[inside] == place, readings.document[inside])
            if second.shift[place] * np.sign(first.shift[place]) > SURE * error:
                means = readings.means[[0, -1], number]
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


def _standard_error(values: Floats, inside: Codes, document: Codes) -> float:
    """Standard error of the difference between the means inside and outside, with documents as clusters."""
    influence = np.zeros(len(values))
    for side, sign in ((inside, 1.0), (~inside, -1.0)):
        influence[side] = sign * (values[side] - values[side].mean()) / side.sum()
    sums = np.bincount(document, weights=influence)
    clusters = int((np.bincount(document) > 0).sum())
    return float(np.sqrt(sums @ sums * clusters / max(1, clusters - 1)))
