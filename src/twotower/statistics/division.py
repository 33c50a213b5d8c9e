"""The ruler: how far towers differ where independent readings agree, and how much of that a labelling holds.

All figures come from products of two differences that share neither their readouts nor, where label means are taken,
their documents. What a set of readouts or a document does by chance then adds nothing on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .clustering import Clusters, dealt
from .grouping import numbered
from .intervals import Estimate
from .strata import frequency_bins
from .tallies import Floats

GROUPS = 16
"""Groups of documents between which label means are multiplied: 15 of 16 of all pairs of documents are used."""
FEWEST_DOCUMENTS = 5
"""Documents below which nothing is measured: an interval from fewer says next to nothing."""
STRATUM, FEWEST_LABELS = 1.25, 100
"""Labels are alike in frequency up to this factor, or in bins of at least so many; see `share`."""
Codes = NDArray[np.integer]
NOTHING: Codes = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Readings:
    """The difference between towers at each occurrence, as several independent sets of readouts read it.

    One set stands for a difference that is known exactly, such as that of two models as they are.
    """

    differences: Floats
    """In nats, (sets, contrasts, occurrences): one contrast for two towers, one for each tower beyond that."""
    document: Codes
    """Numbered from 0, (occurrences,)."""
    clusters: Clusters
    """The units that are random: documents, and types where the claim is about types or towers."""
    confidence: float
    apart: Codes | None = None
    """What two factors of a product must differ in, numbered from 0, (occurrences,); by default the `group`."""

    @cached_property
    def group(self) -> NDArray[np.int64]:
        """The group of documents that each occurrence is in, (occurrences,)."""
        if self.apart is not None:
            return np.asarray(self.apart, dtype=np.int64)
        sizes = np.bincount(self.document)
        return dealt(sizes, min(GROUPS, len(sizes)))[self.document]

    @cached_property
    def groups(self) -> int:
        """Number of groups."""
        return int(self.group.max()) + 1

    @cached_property
    def means(self) -> Floats:
        """Mean of each difference, (sets, contrasts)."""
        means: Floats = self.differences.mean(axis=-1)
        return means

    @cached_property
    def centred(self) -> Floats:
        """The differences less their means, (sets, contrasts, occurrences)."""
        values: Floats = self.differences - self.means[..., None]
        return values

    @cached_property
    def between(self) -> Products:
        """The covariance between groups of documents of the whole text's means: noise that all labels have."""
        return Products.of(self, np.zeros(len(self.document), np.int64), 1, self.centred)

    @cached_property
    def square(self) -> tuple[float, Floats]:
        """D squared, in nats squared, and the influence of each occurrence on it, (occurrences,)."""
        product = between_sets(self.centred)
        estimate = float(product.mean())
        return estimate - float(self.between.means[0]), (product - estimate) / len(product)

    @cached_property
    def squared(self) -> Estimate:
        """D squared, in nats squared, with its interval."""
        return self.clusters.interval(*self.square, self.confidence)

    @property
    def size(self) -> Estimate:
        """D, in nats: the root of the covariance of two readings, and of the ends of its interval (0 below 0)."""
        return Estimate(*(max(0.0, end) ** 0.5 for end in vars(self.squared).values()))


@dataclass(frozen=True)
class Products:
    """For each label, the mean product of two readings of it in different groups of documents."""

    counts: Floats
    """Occurrences, (labels,)."""
    pairs: Floats
    """Pairs of occurrences in different groups, (labels,); a label without any is not measured."""
    means: Floats
    """Mean product over contrasts added up, in nats squared, (labels,); 0 where not measured."""
    cell: Codes
    """The pair of label and group of each occurrence, (occurrences,)."""
    others: Floats
    """For each cell, occurrences of its label in other groups, (cells,)."""
    coefficients: Floats
    """For each cell, sums of the other sets' readings of its label in other groups, (sets, contrasts, cells)."""
    label_of: Codes
    """The label of each cell, (cells,)."""

    @classmethod
    def of(cls, readings: Readings, label: Codes, labels: int, values: Floats) -> Products:
        """Add up `values`, centred differences of (sets, contrasts, occurrences), by label, from 0, and group."""
        cell, label_of, _ = pairs_of(label, readings.group, labels, readings.groups)
        counts = np.bincount(cell, minlength=len(label_of)).astype(np.float64)
        sums = added(cell, len(label_of), values)
        n, means, pairs = products_of(label_of, labels, counts, sums)
        outside = added(label_of, labels, sums)[..., label_of] - sums
        number = len(values) * (len(values) - 1) / 2
        others = 2 * outside if len(values) == 1 else (outside.sum(axis=0) - outside) / number
        return cls(n, pairs, means, cell, n[label_of] - counts, others, label_of)

    def influence(self, values: Floats, weights: Floats) -> Floats:
        """What one more of each occurrence adds to the sum of `weights` (labels,) times the means, (occurrences,)."""
        scale = np.divide(weights, self.pairs, where=self.pairs > 0, out=np.zeros(len(self.pairs)))[self.label_of]
        constant = -2 * scale * self.means[self.label_of] * self.others
        influence: Floats = constant[self.cell]
        for ours, theirs in zip(values, self.coefficients * scale, strict=True):
            for value, coefficient in zip(ours, theirs, strict=True):
                influence += value * coefficient[self.cell]
        return influence


@dataclass(frozen=True)
class Share:
    """How much of what towers differ in a labelling holds."""

    share: Estimate
    """H: of D squared."""
    held: Estimate
    """D squared times H, in nats squared: what runs that differ in size are compared by."""
    measured: float
    """Share of the occurrences whose label occurs in two groups of documents; the rest counts as holding nothing."""
    values: int
    """Labels that were measured."""
    parts: Floats
    """What each occurrence adds to `held`, (occurrences,)."""


def share(readings: Readings, label: Codes, given: Codes = NOTHING) -> Share:
    """H(Z), or H(Z | W), what a label adds to another one that is `given`.

    Both (occurrences,), numbered from 0; occurrences with a negative label hold nothing. H is the weighted sum over
    labels of the product of their deviations in different groups of documents and different sets of readouts, over D
    squared. It is unbiased whatever the number of labels, but for those that occur in one group of documents alone.

    Where labels are many, such as pairs of words, how often each occurs is taken as given. Rare labels hold less,
    because many occur in one group alone, whatever the words are. So influences are taken from their mean
    in bins of the labels' frequency (post-stratification: Holt and Smith 1979).
    """
    total, labelled = len(label), label >= 0
    given = given if len(given) else np.zeros(total, np.int64)
    kept: slice | NDArray[np.bool_] = slice(None) if labelled.all() else labelled  # a slice copies nothing
    inner = readings if isinstance(kept, slice) else _part(readings, kept)
    label, given = label[kept], given[kept]
    values, outer = within(inner, given)
    crossed, whole, _ = pairs_of(given, label, len(outer.means), int(label.max(initial=0)) + 1)
    products = Products.of(inner, crossed, len(whole), values)
    known = products.pairs > 0
    weights: Floats = np.where(known, products.counts, 0.0) / total
    deviations: Floats = np.where(known, products.means - outer.means[whole], 0.0)
    held = float(weights @ deviations)
    covered: Floats = added(whole, len(outer.means), weights[None])[0]
    parts = np.zeros(total)
    parts[kept] = deviations[crossed] / total
    influence = parts - held / total
    influence[kept] += products.influence(values, weights)
    influence[kept] -= outer.influence(values, covered)
    influence[kept] -= _by_frequency(influence[kept], crossed, products.counts)
    square, of_square = readings.square
    ratio = held / square if square > 0 else np.nan
    return Share(
        readings.clusters.interval_of_square(ratio, (influence - ratio * of_square) / square, readings.confidence)
        if square > 0 else Estimate(np.nan, np.nan, np.nan),
        readings.clusters.interval_of_square(held, influence, readings.confidence),
        float(weights.sum()),
        int(known.sum()),
        parts,
    )  # fmt: skip


def _by_frequency(influence: Floats, label: Codes, counts: Floats) -> Floats:
    """The mean influence in the bin of frequency of each occurrence's label, (occurrences,).

    `counts` (labels,) says how often each label occurs.
    """
    occurring = np.flatnonzero(counts)
    bins = np.zeros(len(counts), np.int64)
    bins[occurring] = frequency_bins(counts[occurring], STRATUM, FEWEST_LABELS)
    stratum = bins[label]
    means: Floats = np.bincount(stratum, weights=influence) / np.bincount(stratum)
    return means[stratum]


def within(readings: Readings, given: Codes) -> tuple[Floats, Products]:
    """The differences less their mean under each value of `given`, and the products of what is left."""
    whole = int(given.max(initial=0)) + 1
    if whole == 1 and len(given) == len(readings.document):
        return readings.centred, readings.between
    values = readings.centred.copy()
    counts = np.maximum(np.bincount(given, minlength=whole), 1)
    values -= (added(given, whole, values) / counts)[..., given]
    return values, Products.of(readings, given, whole, values)


def _part(readings: Readings, kept: NDArray[np.bool_]) -> Readings:
    kept_apart = readings.group[kept]
    return Readings(
        readings.centred[..., kept], readings.document[kept], readings.clusters, readings.confidence, kept_apart
    )


def pairs_of(
    first: Codes, second: Codes, firsts: int, seconds: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Number of the pair of two labels at each place; the first and the second of each pair, (pairs,)."""
    key = first.astype(np.int64) * seconds + second
    if firsts * seconds <= len(first):
        return key, np.repeat(np.arange(firsts), seconds), np.tile(np.arange(seconds), firsts)
    pairs, number = numbered(key)
    return number, *np.divmod(pairs, seconds)


def added(place: Codes, places: int, values: Floats) -> Floats:
    """Sums of values (…, occurrences) by place, (…, places)."""
    rows = values.reshape(-1, values.shape[-1])
    return np.array([np.bincount(place, weights=row, minlength=places) for row in rows]).reshape(
        *values.shape[:-1], places
    )


def between_sets(values: Floats) -> Floats:
    """Mean product of two sets' values, contrasts added up; of one set, which is exact, its square.

    `values` has shape (sets, contrasts, …), and so on without the first two what is returned.
    """
    pairs = list(combinations(values, 2)) or [(values[0], values[0])]
    products: Floats = sum((first * second).sum(axis=0) for first, second in pairs) / len(pairs)
    return products


def products_of(label_of: Codes, labels: int, counts: Floats, sums: Floats) -> tuple[Floats, Floats, Floats]:
    """Occurrences, mean product between groups and sets, and pairs of occurrences of each label, each (labels,).

    `counts` (cells,) and `sums` (sets, contrasts, cells) are those of the pairs of label and group.
    """

    def in_labels(values: Floats) -> Floats:
        sums_of_labels: Floats = added(label_of, labels, values[None])[0]
        return sums_of_labels

    n = in_labels(counts)
    pairs = n**2 - in_labels(counts**2)
    pairs = np.where(pairs > 0.5, pairs, 0.0)
    products = between_sets(added(label_of, labels, sums)) - in_labels(between_sets(sums))
    return n, np.divide(products, pairs, where=pairs > 0, out=np.zeros(labels)), pairs
