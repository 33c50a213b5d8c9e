"""What a labelling would hold by chance: its labels exchanged among what carries them, never among tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .division import NOTHING, Codes, Readings, Share, added, cells_of, crossing, products_of, within
from .strata import FEWEST, frequency_bins
from .tallies import Floats


@dataclass(frozen=True)
class Carriers:
    """The units that carry a labelling, such as types, and which of them may exchange their labels."""

    unit: NDArray[np.int64]
    """Of each occurrence, (occurrences,)."""
    label: NDArray[np.int64]
    """Of each unit, (units,)."""
    stratum: NDArray[np.int64]
    """Of each unit: labels are exchanged within it, (units,)."""

    @cached_property
    def together(self) -> NDArray[np.int64]:
        """The units, stratum by stratum, (units,)."""
        return np.argsort(self.stratum, kind="stable")

    @property
    def movable(self) -> bool:
        """Whether some stratum has two labels to exchange."""
        pairs = np.unique(np.stack([self.stratum, self.label]), axis=1)
        return bool(len(np.unique(pairs[0])) < pairs.shape[1])


def carriers(base: Codes, label: Codes, frequency: Floats, ratio: float) -> Carriers:
    """Units are the pairs of what an occurrence has of `base`, such as its type, and its label, both (occurrences,).

    So *to* the particle and *to* the adposition are two. Their strata are bins of frequency: that of the base, given as
    `frequency` (bases,), times the label's share of it.
    """
    labels = int(label.max(initial=0)) + 1
    pairs, unit, counts = np.unique(base.astype(np.int64) * labels + label, return_inverse=True, return_counts=True)
    of_base, own = np.divmod(pairs, labels)
    share = counts / np.maximum(np.bincount(base, minlength=len(frequency))[of_base], 1)
    return Carriers(unit, own, frequency_bins(frequency[of_base] * share, ratio, FEWEST))


def permuted_shares(
    readings: Readings,
    carried_by: Sequence[Carriers],
    permutations: int,
    generator: np.random.Generator,
    given: Codes = NOTHING,
) -> Floats:
    """H, or H given another label, of relabelled units, (permutations,).

    Where several kinds of units carry parts of a label, such as a word's class and that of the word before, each kind
    is relabelled on its own.
    """
    given = given if len(given) else np.zeros(len(readings.group), np.int64)
    values, outer = within(readings, given)
    key = given.astype(np.int64) * readings.groups + readings.group
    for part in carried_by:
        key = key * len(part.label) + part.unit
    first, cell, counts = np.unique(key, return_index=True, return_inverse=True, return_counts=True)[1:]
    sums = added(cell, len(first), values)
    of_given, group = given[first], readings.group[first]
    units = [part.unit[first] for part in carried_by]
    square, found = readings.square[0], np.empty(permutations)
    for number in range(permutations):
        label, labels = np.zeros(len(first), np.int64), 1
        for part, unit in zip(carried_by, units, strict=True):
            kinds = int(part.label.max()) + 1
            label, labels = label * kinds + _exchanged(part, generator)[unit], labels * kinds
        crossed, whole = crossing(label, of_given, labels)
        own, label_of, _ = cells_of(crossed, group, len(whole), readings.groups)
        in_cells = added(
            own, len(label_of), np.concatenate([counts[None].astype(np.float64), sums.reshape(-1, len(first))])
        )
        n, means, pairs = products_of(
            label_of, len(whole), in_cells[0], in_cells[1:].reshape(*sums.shape[:-1], len(label_of))
        )
        known = pairs > 0
        found[number] = n[known] @ (means[known] - outer.means[whole[known]]) / len(readings.group) / square
    return found


def shifted_shares(readings: Readings, label: Codes, permutations: int, generator: np.random.Generator) -> Floats:
    """H of a labelling that tokens carry by their place, each document's rotated by a random number of places.

    The order of the labels stays, and which tokens they fall on is chance, (permutations,).
    """
    order = np.argsort(readings.document, kind="stable")
    document, group, values, label = (
        readings.document[order], readings.group[order], readings.centred[..., order], label[order],
    )  # fmt: skip
    size = np.bincount(document)
    start = np.repeat(np.cumsum(size) - size, size)
    place, length = np.arange(len(order)) - start, np.repeat(size, size)
    labels, found = int(label.max(initial=0)) + 1, np.empty(permutations)
    n_all, outer = len(label), readings.between.means[0]
    for number in range(permutations):
        at = place + np.repeat(generator.integers(0, size), size)
        np.subtract(at, length, out=at, where=at >= length)
        at += start
        cell, label_of, _ = cells_of(label[at], group, labels, readings.groups)
        counts = np.bincount(cell, minlength=len(label_of)).astype(np.float64)
        n, means, pairs = products_of(label_of, labels, counts, added(cell, len(label_of), values))
        known = pairs > 0
        found[number] = n[known] @ (means[known] - outer) / n_all / readings.square[0]
    return found


def turned_shares(
    readings: Readings, found: Share, units: Sequence[Codes], permutations: int, generator: np.random.Generator
) -> Floats:
    """H if what units hold were chance, so that two readings of one agree in sign as often as not, (permutations,).

    For labels that nothing can be exchanged with, such as the type itself: what each unit, such as a type, adds to the
    share keeps its size and gets a random sign. Of several kinds of units, (occurrences,) each, that with the largest
    spread.
    """
    draws = []
    for unit in units:
        added_up = np.bincount(unit, weights=found.parts)
        signs = 2.0 * generator.integers(0, 2, (permutations, len(added_up)), dtype=np.int8) - 1
        draws.append(signs @ added_up / readings.square[0])
    return max(draws, key=lambda one: float(one.std()))


def _exchanged(part: Carriers, generator: np.random.Generator) -> NDArray[np.int64]:
    """The labels of all units, shuffled within strata, (units,)."""
    shuffled = np.argsort(part.stratum + generator.random(len(part.stratum)))
    found = np.empty_like(part.label)
    found[part.together] = part.label[shuffled]
    return found
