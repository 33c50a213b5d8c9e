"""A text that towers divide in a known way: what the ruler must find, and what it must not."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twotower.statistics.clustering import Clusters
from twotower.statistics.division import Readings
from twotower.statistics.strata import FEWEST, frequency_bins

CLASSES, TOPICS = 10, 4
SIMULATIONS = int(os.environ.get("SIMULATIONS", "400"))
"""Texts that are drawn for each case of the ruler's simulations."""
SLACK = 0.03 * (400 / SIMULATIONS) ** 0.5
"""How far from 95 % the coverage of so many intervals may lie: 2.75 standard errors."""


@dataclass(frozen=True)
class Planted:
    """Readings of a planted text, and what its occurrences are."""

    readings: Readings
    type: NDArray[np.int64]
    previous: NDArray[np.int64]
    """Of the first token of a document, the number of types."""
    class_of: NDArray[np.int64]
    """Class of each type and, last, of the beginning, (types + 1,)."""
    stratum: NDArray[np.int64]
    """Bin of frequency of each type and, last, of the beginning, (types + 1,)."""
    frequency: NDArray[np.float64]
    """Training count of each type and, last, of the beginning, (types + 1,)."""
    topic: NDArray[np.int64]
    """Of each occurrence's document."""
    alone: NDArray[np.float64]
    """Log-probability under each tower's readouts, (sets, towers, occurrences)."""
    together: NDArray[np.float64]
    """Under the joint readouts, (sets, occurrences)."""
    twice: NDArray[np.float64]
    """Under readouts given each tower twice, (sets, towers, occurrences)."""


def planted_division(
    seed: int,
    *,
    type_sd: float = 0.0,
    class_sd: float = 0.0,
    previous_class_sd: float = 0.0,
    pair_of_classes_sd: float = 0.0,
    pair_sd: float = 0.0,
    topic_sd: float = 0.0,
    frequency: float = 0.0,
    context_sd: float = 0.5,
    tower_2: float = 0.0,
    division: float = 0.0,
    readout_sd: float = 0.0,
    towers: int = 2,
    sets: int = 2,
    tokens: int = 40_000,
    types: int = 1_500,
    documents: int = 40,
) -> Planted:
    """Zipfian types (Mandelbrot) that are bursty in documents of unequal length; function words are the frequent ones.

    Standard deviations are those of what towers differ in, in nats: by type, by class, by the class before, by both
    classes, by both types, by type in a topic, and by occurrence (`context_sd`). `frequency` is nats per unit of log
    frequency, `tower_2` how much worse the second tower is everywhere, and `division` what towers together gain. Types,
    documents and readouts are drawn anew with every seed; noise of the readouts is mostly by type, as it is in runs,
    and `readout_sd` is that of a readout as a whole.
    """
    generator = np.random.default_rng(seed)
    share = 1 / (np.arange(types) + 2.7)
    share /= share.sum()
    closed = generator.random(types) < 0.7 / (1 + (np.arange(types) / 40) ** 2)
    class_of = np.where(closed, generator.integers(0, 4, types), generator.integers(4, CLASSES, types))
    lengths = generator.gamma(3.0, size=documents)
    document = np.sort(generator.choice(documents, tokens, p=lengths / lengths.sum()))
    document = np.unique(document, return_inverse=True)[1]
    kind = np.empty(tokens, np.int64)
    by_document = np.zeros((documents, types))
    for number in range(documents):
        inside = document == number
        bursty = share * np.where(closed, 1.0, generator.gamma(0.5, 2.0, types))
        kind[inside] = generator.choice(types, int(inside.sum()), p=bursty / bursty.sum())
        by_document[number] = 0.1 * generator.standard_normal(types)
    starts = np.append(True, document[1:] != document[:-1])
    previous = np.where(starts, types, np.append(0, kind[:-1]))
    classes = np.append(class_of, CLASSES)
    topic = document % TOPICS
    log_share = np.log(share) - share @ np.log(share)

    differs = np.empty((towers, tokens))
    same_in_all = np.random.default_rng(7)  # what classes do is planted; types, documents and readouts are random
    for tower in range(towers):
        by_class, by_previous = same_in_all.standard_normal((2, CLASSES + 1))
        by_pair = same_in_all.standard_normal((CLASSES, CLASSES + 1))
        differs[tower] = (
            type_sd * generator.standard_normal(types)[kind]
            + class_sd * by_class[class_of[kind]]
            + frequency * log_share[kind] * tower
            + previous_class_sd * by_previous[classes[previous]]
            + pair_of_classes_sd * by_pair[class_of[kind], classes[previous]]
            + (pair_sd * generator.standard_normal((types, types + 1))[kind, previous] if pair_sd else 0.0)
            + (topic_sd * generator.standard_normal((TOPICS, types))[topic, kind] if topic_sd else 0.0)
            + (by_document[document, kind] if type_sd else 0.0)
            + context_sd * generator.standard_normal(tokens)
        ) / np.sqrt(2)
    differs[1:] -= tower_2

    base = -4 + generator.standard_normal(tokens)

    def read(truth: NDArray[np.float64]) -> NDArray[np.float64]:
        by_type = 0.15 * generator.standard_normal(types)
        by_previous = 0.05 * generator.standard_normal(types + 1)
        level = readout_sd * generator.standard_normal() if readout_sd else 0.0
        return base + truth + by_type[kind] + by_previous[previous] + 0.4 * generator.standard_normal(tokens) + level

    alone = np.array([[read(differs[tower]) for tower in range(towers)] for _ in range(sets)])
    together = np.array([read(differs[0] + division) for _ in range(sets)])  # no tower is better than the first
    twice = np.array([[read(differs[tower]) for tower in range(towers)] for _ in range(sets)])
    contrasts = alone[:, :1] - alone[:, 1:] if towers == 2 else alone - alone.mean(axis=1, keepdims=True)
    counts = np.bincount(kind, minlength=types)
    frequency_of = np.append(4.0 * counts, 4.0 * documents)
    stratum = frequency_bins(frequency_of, 1.25, FEWEST)
    readings = Readings(contrasts, document, Clusters({"document": document, "type": kind, "previous": previous}), 0.95)
    return Planted(readings, kind, previous, classes, stratum, frequency_of, topic, alone, together, twice)
