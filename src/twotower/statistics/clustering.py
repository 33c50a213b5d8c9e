"""Standard errors where documents, types and other units are random at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .grouping import numbered
from .intervals import Estimate, errors_to_each_side, symmetric_interval
from .tallies import Floats

POWER = 0.5**0.5
"""Scale of intervals of sums of squares; see `Clusters.interval_of_square`."""


class Clusters:
    """Units in several ways at once: the document, the type, the previous type of each occurrence.

    The variance of an estimate is that of its influences added up by document, plus that by type, minus that by the
    pairs of both, and so on for three (Cameron, Gelbach and Miller 2011). Where rounding or few units make that less
    than one way alone gives, the largest of these stands. An influence is what one more of an occurrence does to the
    estimate (the infinitesimal jackknife: Jaeckel 1972, Efron 1982).
    """

    def __init__(self, units: Mapping[str, NDArray[np.integer]]) -> None:
        """Take the unit of each occurrence by the name of its kind, each (occurrences,), numbered from 0."""
        self._units = dict(units)

    @cached_property
    def _crossed(self) -> list[tuple[int, NDArray[np.int32], Floats]]:
        """Sign, unit of each occurrence, and what leaving a unit out scales its influence by; one way alone first."""
        terms: list[tuple[int, NDArray[np.int32], Floats]] = []
        for ways in range(1, len(self._units) + 1):
            for names in combinations(self._units, ways):
                key = np.zeros(0, np.int64)
                for name in names:
                    own = np.asarray(self._units[name], dtype=np.int64)
                    key = own if not len(key) else key * (int(own.max(initial=0)) + 1) + own
                unit = numbered(key)[1].astype(np.int32)  # kept as long as the text is measured
                rest = 1 - np.bincount(unit) / max(1, len(unit))
                terms.append((1 if ways % 2 else -1, unit, 1 / np.maximum(rest, 0.5)))
        return terms

    def spread(self, influence: Floats) -> tuple[float, float]:
        """Sampling variance of an estimate from the influence of each occurrence on it, (occurrences,).

        And its degrees of freedom: few units may have most of the influence, as frequent types do, so that many count
        as few (the effective number of clusters: Carter, Schnepel and Steigerwald 2017).
        """
        parts, freedom = [], []
        for sign, unit, scale in self._crossed:
            squares = (np.bincount(unit, weights=influence) * scale) ** 2
            parts.append((sign, float(squares.sum())))
            freedom.append(parts[-1][1] ** 2 / max(float(squares @ squares), 1e-300))
        alone = [part for _, part in parts[: len(self._units)]]
        variance = max(sum(sign * part for sign, part in parts), *alone)
        return variance, max(2.0, freedom[int(np.argmax(alone))])

    def interval(self, estimate: float, influence: Floats, confidence: float) -> Estimate:
        """Student's interval, symmetric: for a mean."""
        variance, freedom = self.spread(influence)
        return symmetric_interval(estimate, variance**0.5, confidence, freedom)

    def interval_of_square(self, estimate: float, influence: Floats, confidence: float) -> Estimate:
        """Student's interval of a sum of squares, on the scale of its power `POWER` unless it is near 0.

        Such sums are skewed, and the jackknife's variance is twice their own where there is nothing to find (Efron and
        Stein 1981). On this scale the interval excludes 0 as often as it should there.
        """
        variance, freedom = self.spread(influence)
        reach = errors_to_each_side(confidence, freedom) * variance**0.5
        if estimate <= POWER * reach:
            return Estimate(estimate, min(0.0, estimate - reach), estimate + reach)
        ends = [(1 + sign * POWER * reach / estimate) ** (1 / POWER) * estimate for sign in (-1, 1)]
        return Estimate(estimate, *ends)


def dealt(sizes: Sequence[int] | NDArray[np.integer], groups: int) -> NDArray[np.int64]:
    """Group of each document, numbered from 0, so that groups are alike in size, (documents,).

    Documents are dealt from the longest to the shortest, to and fro, and ties keep the order of the text.
    """
    order = np.argsort(-np.asarray(sizes), kind="stable")
    there_and_back = np.concatenate([np.arange(groups), np.arange(groups)[::-1]])
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.resize(there_and_back, len(order))
    return group
