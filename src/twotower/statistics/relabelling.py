"""What a labelling would hold by chance: its labels exchanged among what carries them, never among tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from .division import NOTHING, Codes, Readings, Share, added, products_of, within
from .grouping import numbered
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
    pairs, unit = numbered(base.astype(np.int64) * labels + label)
    of_base, own = np.divmod(pairs, labels)
    share = np.bincount(unit) / np.maximum(np.bincount(base, minlength=len(frequency))[of_base], 1)
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
    groups, key = readings.groups, given.astype(np.int64)
    for part in carried_by:
        key = key * len(part.label) + part.unit
    cells, cell = numbered(key * groups + readings.group)
    columns = np.vstack([np.bincount(cell), added(cell, len(cells), values).reshape(-1, len(cells))])
    members, group = np.divmod(cells, groups)
    units: list[NDArray[np.int64]] = []
    for part in reversed(carried_by):
        members, unit = np.divmod(members, len(part.label))
        units.insert(0, unit)
    kinds = [int(part.label.max()) + 1 for part in carried_by]
    labels, square, shares = math.prod(kinds), readings.square[0], np.empty(permutations)
    for number in range(permutations):
        label = members
        for part, unit, kind in zip(carried_by, units, kinds, strict=True):
            label = label * kind + _exchanged(part, generator)[unit]
        crossed, label = numbered(label)
        pairs_of, place = numbered(label * groups + group)  # after the labels, so that a table is small enough
        counts, *sums = added(place, len(pairs_of), columns)
        n, means, pairs = products_of(
            pairs_of // groups, len(crossed), counts, np.reshape(sums, (*values.shape[:-1], len(counts)))
        )
        shares[number] = (n * (pairs > 0)) @ (means - outer.means[crossed // labels]) / len(cell) / square
    return shares


def shifted_shares(readings: Readings, label: Codes, permutations: int, generator: np.random.Generator) -> Floats:
    """H of a labelling that tokens carry by their place, each document's rotated by a random number of places.

    The order of the labels stays, and which tokens they fall on is chance, (permutations,). A document lies in one
    group. What a label adds up to under all rotations at once is a cross-correlation, taken by Fourier transforms.
    """
    order = np.argsort(readings.document, kind="stable")
    document, label = readings.document[order], label[order].astype(np.int64)
    rows = readings.centred.reshape(-1, len(order))[:, order]
    labels, groups = int(label.max(initial=0)) + 1, readings.groups
    counts = np.bincount(label * groups + readings.group[order], minlength=labels * groups).astype(np.float64)
    size = np.bincount(document)
    turns = np.array([generator.integers(0, size) for _ in range(permutations)])
    sums = np.zeros((permutations, len(rows), labels, groups))
    for number, (length, end) in enumerate(zip(size.tolist(), np.cumsum(size).tolist(), strict=True)):
        if not length:
            continue
        inside, padded = slice(end - length, end), next_fast_len(2 * length, real=True)
        present = np.unique(label[inside])
        twice = np.tile(label[inside] == present[:, None], 2).astype(np.float64)
        under_rotations = irfft(rfft(twice, padded)[:, None] * rfft(rows[:, inside], padded).conj(), padded)
        sums[:, :, present, readings.group[order[end - 1]]] += under_rotations[..., turns[:, number]].T
    outer, shares = readings.between.means[0], np.empty(permutations)
    label_of, shape = np.repeat(np.arange(labels), groups), readings.centred.shape[:-1]
    for number in range(permutations):
        n, means, pairs = products_of(label_of, labels, counts, sums[number].reshape(*shape, -1))
        known = pairs > 0
        shares[number] = n[known] @ (means[known] - outer) / len(order) / readings.square[0]
    return shares


def turned_shares(
    readings: Readings, holding: Share, units: Sequence[Codes], permutations: int, generator: np.random.Generator
) -> Floats:
    """H if what units hold were chance, so that two readings of one agree in sign as often as not, (permutations,).

    For labels that nothing can be exchanged with, such as the type itself: what each unit, such as a type, adds to the
    share keeps its size and gets a random sign. Of several kinds of units, (occurrences,) each, that with the largest
    spread.
    """
    draws = []
    for unit in units:
        added_up = np.bincount(unit, weights=holding.parts)
        signs = 2.0 * generator.integers(0, 2, (permutations, len(added_up)), dtype=np.int8) - 1
        draws.append(signs @ added_up / readings.square[0])
    return max(draws, key=lambda shares: float(shares.std()))


def _exchanged(part: Carriers, generator: np.random.Generator) -> NDArray[np.int64]:
    """The labels of all units, shuffled within strata, (units,)."""
    shuffled = np.argsort(part.stratum + generator.random(len(part.stratum)))
    exchanged = np.empty_like(part.label)
    exchanged[part.together] = part.label[shuffled]
    return exchanged
