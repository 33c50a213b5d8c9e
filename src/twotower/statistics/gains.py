"""What a division is worth, in nats per token: of towers together, and of a rule that says which tower to ask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .clustering import Clusters
from .division import Codes, Readings, added, pairs_of
from .intervals import Estimate, symmetric_interval, with_variance
from .tallies import Floats


@dataclass(frozen=True)
class Worth:
    """What somebody gains who has learned a label's rule from other documents and another set of readouts."""

    routing: Estimate
    """G: of asking, at each occurrence, the tower that is better at its label, over always asking the better tower."""
    specialization: Estimate
    """S: the same after each tower's own mean is taken out."""


def worth(readings: Readings, label: Codes, held: float) -> Worth:
    """G and S of a label, (occurrences,), numbered from 0, that holds so many nats squared (`Share.held`).

    Label means come from all groups of documents but the one that is scored, and from another set of readouts than the
    one that scores it. They are shrunken towards the mean of all by what labels share and what chance adds (empirical
    Bayes: Robbins 1956); a label that other groups do not have goes with the rest.
    """
    labels = int(label.max(initial=0)) + 1
    cell, label_of, group_of = pairs_of(label, readings.group, labels, readings.groups)
    counts = np.bincount(cell, minlength=len(label_of)).astype(np.float64)
    towers = _of_towers(readings.differences)
    means = towers.mean(axis=-1, keepdims=True)
    centred = towers - means
    sums = added(cell, len(counts), centred)
    outside = added(label_of, labels, sums)[..., label_of] - sums
    others = added(label_of, labels, counts[None])[0][label_of] - counts
    deviations = outside / np.maximum(others, 1)
    rest = added(readings.group, readings.groups, towers)
    rest = rest.sum(axis=-1, keepdims=True) - rest
    rest /= len(label) - np.bincount(readings.group, minlength=readings.groups)
    true = max(0.0, held)
    chance = float((readings.centred**2).mean(axis=-1).sum(axis=-1).mean())
    shrunken = deviations * (true / (true + chance / np.maximum(others, 1)))
    best = rest.argmax(axis=1)
    routes = (rest[..., group_of] + np.where(others > 0, shrunken, 0.0)).argmax(axis=1)
    special = deviations.argmax(axis=1)
    known, place = (others > 0)[cell], np.arange(len(label))
    routed, specialized = np.zeros((2, len(label)))
    for number in range(len(towers)):
        theirs = _of_other_sets(towers, number)
        own = theirs - _of_other_sets(means, number)
        routed += theirs[routes[number][cell], place] - theirs[best[number][readings.group], place]
        specialized += np.where(known, own[special[number][cell], place], 0.0)
    return Worth(*(_mean(values / len(towers), readings.clusters, readings.confidence)
                   for values in (routed, specialized)))  # fmt: skip


@dataclass(frozen=True)
class Surplus(Estimate):
    """What all towers together hold beyond the better one alone, in nats per token."""

    null: float | None
    """The most that one tower given twice is better than given once; None where that was not read."""


def surplus(alone: Floats, together: Floats, twice: Floats | None, readings: Readings) -> Surplus:
    """V, from log-probabilities in nats under readouts of one family.

    `alone` (sets, towers, occurrences), `together` (sets, occurrences), `twice` (sets, towers, occurrences): readouts
    of one tower given as often as there are towers, in the first of the sets. Which tower is the better one is chosen
    on all groups of documents but the one that is scored. The interval is the wider of two: one in which the noise of
    readouts is by type, and one in which it is of a readout as a whole, as where one of them has failed.
    """
    mean, group, confidence = alone.mean(axis=0), readings.group, readings.confidence
    rest = added(group, readings.groups, mean)
    best = (rest.sum(axis=-1, keepdims=True) - rest).argmax(axis=0)
    gained = together.mean(axis=0) - mean[best[group], np.arange(len(group))]
    by_type = _mean(gained, readings.clusters, confidence)
    variance, freedom = with_variance(
        Clusters({"document": readings.document}).spread(_influence(gained)),
        _of_readouts(np.concatenate([alone, together[:, None]], axis=1).mean(axis=-1)),
    )
    by_readout = symmetric_interval(by_type.estimate, variance**0.5, confidence, freedom)
    wider = max(by_type, by_readout, key=lambda interval: interval.high - interval.low)
    null = None if twice is None else float((twice - alone[: len(twice)]).mean(axis=(0, 2)).max())
    return Surplus(wider.estimate, wider.low, wider.high, null)


def _of_readouts(means: Floats) -> tuple[float, float]:
    """What the choice of readouts adds to the variance of V, and its degrees of freedom, from (sets, readouts) nats.

    It is estimated from what is left when the means of sets and of what is read are taken out, since V compares
    readouts of one set. A single set is exact: there is no choice.
    """
    sets, reads = means.shape
    if sets == 1:
        return 0.0, 1.0
    left = means - means.mean(axis=0) - means.mean(axis=1, keepdims=True) + means.mean()
    freedom = (sets - 1) * (reads - 1)
    return 2 * float((left**2).sum()) / freedom / sets, freedom


def _of_towers(differences: Floats) -> Floats:
    """Each tower's difference from the mean of all, (sets, towers, occurrences), from the contrasts."""
    return differences if differences.shape[1] > 1 else np.concatenate([differences, -differences], axis=1) / 2


def _of_other_sets(values: Floats, number: int) -> Floats:
    """The mean over all sets but one, or of the only set, which is exact; without the first axis."""
    others: Floats = values[0] if len(values) == 1 else (values.sum(axis=0) - values[number]) / (len(values) - 1)
    return others


def _mean(values: Floats, clusters: Clusters, confidence: float) -> Estimate:
    return clusters.interval(float(values.mean()), _influence(values), confidence)


def _influence(values: Floats) -> Floats:
    """Of each occurrence on the mean."""
    influence: Floats = (values - values.mean()) / len(values)
    return influence
