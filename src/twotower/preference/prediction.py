"""How well preference predicts a type's part of speech, beyond its frequency."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from ..data.tagging import NO_WORD
from ..statistics.intervals import centred_interval
from ..statistics.strata import FEWEST as FEWEST_IN_BIN
from ..statistics.strata import frequency_bins, permutations_within
from ..statistics.tallies import Floats, Tallies, resample
from .measured import Measured

FOLDS, FEWEST = 5, 20
"""Parts of speech with fewer types than `FEWEST` are left out."""
DRAWS, PERMUTATIONS = 100, 199
SMALLEST = 1e-6


def predict_part_of_speech(
    preferences: Sequence[Tallies],
    frequency: NDArray[np.integer],
    upos: NDArray[np.object_],
    strata: NDArray[np.int64],
    confidence: float,
    generator: np.random.Generator,
) -> dict[str, Any] | None:
    """Part of speech of held-out types from frequency alone, and from frequency and preference.

    The classifier is linear discriminant analysis on log training frequency and its square, and the types' preferences;
    it is fitted on four fifths of the types and scored on the rest, five times over.

    Args:
        preferences: one per contrast (see `contrasts`), over the types that are asked for.
        frequency, upos, strata: training count, part of speech and bin of frequency of each type, (types,).
        confidence: of the interval.
        generator: draws the folds, the bootstrap and the null.

    Returns:
        `gain`: by how much knowing the preference raises the mean log-probability of the right part of speech, in nats
        per type, with an interval (bootstrap over documents, centred) and a p-value (preferences permuted within
        bins of frequency); `nats` and `balanced_accuracy` of both classifiers; `classes` and `types`. None where fewer
        than two parts of speech have enough types.
    """
    tags, numbers = np.unique(upos.astype(str), return_inverse=True)
    enough = np.bincount(numbers) >= FEWEST
    if enough.sum() < 2:
        return None
    kept = enough[numbers]
    labels = np.unique(numbers[kept], return_inverse=True)[1]
    log_frequency = np.log(frequency[kept] + 1.0)
    base = np.column_stack([log_frequency, log_frequency**2])
    parts = [tallies.select(kept) for tallies in preferences[: max(1, len(preferences) - 1)]]  # they sum to zero
    folds = _folds(labels, generator)

    def gain(values: Floats) -> float:
        return _log_score(np.column_stack([base, values]), labels, folds)[0] - alone

    def means(weights: Floats) -> Floats:
        """(draws, types, contrasts); a type that a resample lacks has the mean preference."""
        stacked = np.stack([tallies.means(weights)[0] for tallies in parts], axis=2)
        centre = np.nanmean(stacked, axis=1, keepdims=True)
        return np.where(np.isfinite(stacked), stacked, centre)

    alone, accuracy_alone = _log_score(base, labels, folds)
    values = means(np.ones((1, parts[0].documents)))[0]
    together, accuracy = _log_score(np.column_stack([base, values]), labels, folds)
    estimate = together - alone
    drawn = np.asarray([gain(one) for one in means(resample(parts[0].documents, DRAWS, generator))])
    low, high = centred_interval(estimate, drawn, confidence)
    orders = permutations_within(strata[kept], PERMUTATIONS, generator)
    beyond = sum(gain(values[order]) >= estimate for order in orders)
    return {
        "gain": {"estimate": estimate, "low": low, "high": high, "p_value": (1 + beyond) / (1 + PERMUTATIONS)},
        "nats": {"frequency": -alone, "frequency_and_preference": -together},
        "balanced_accuracy": {"frequency": accuracy_alone, "frequency_and_preference": accuracy},
        "classes": tags[enough].tolist(),
        "types": int(kept.sum()),
    }


def _folds(labels: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
    """A fold for each type, such that each part of speech is spread evenly over them."""
    folds = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        places = generator.permutation(np.flatnonzero(labels == label))
        folds[places] = (np.arange(len(places)) + generator.integers(FOLDS)) % FOLDS
    return folds


def _log_score(features: Floats, labels: NDArray[np.int64], folds: NDArray[np.int64]) -> tuple[float, float]:
    """Mean log-probability of the right class, in nats, and the mean over classes of the share that is recognized."""
    log_probs = np.empty(len(labels))
    right = np.empty(len(labels))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a constant column (no preference at all) is collinear, and no fault
        for fold in range(FOLDS):
            test = folds == fold
            classifier = LinearDiscriminantAnalysis().fit(features[~test], labels[~test])
            probabilities = classifier.predict_proba(features[test])
            own = np.searchsorted(classifier.classes_, labels[test])
            log_probs[test] = np.log(np.maximum(probabilities[np.arange(len(own)), own], SMALLEST))
            right[test] = probabilities.argmax(axis=1) == own
    recognized = np.bincount(labels, weights=right) / np.bincount(labels)
    return float(log_probs.mean()), float(recognized.mean())


def part_of_speech(measured: Measured) -> dict[str, Any] | None:
    """Part of speech predicted from preference and, as its noise floor, from two readouts of one tower."""
    chosen = measured.frequent & (measured.classes["upos"] != NO_WORD).to_numpy()
    frequency = measured.frequencies[chosen]
    upos = measured.classes["upos"].to_numpy(dtype=object)[chosen]
    bins = frequency_bins(frequency, measured.settings.frequency_ratio, FEWEST_IN_BIN)
    generator = measured.generator("part of speech")
    found = [
        predict_part_of_speech(
            [part.select(chosen) for part in parts], frequency, upos, bins, measured.settings.confidence, generator
        )
        for parts in (measured.preferences, measured.noise[:1])
        if parts
    ]
    if not measured.preferences or found[0] is None or found[1] is None:
        return None
    return {**found[0], "noise_floor": found[1]["gain"]}
