"""How much of the difference between towers all labels together predict, by a fitted rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from ..statistics.clustering import Clusters, dealt
from ..statistics.division import Codes, Readings
from ..statistics.intervals import Estimate
from ..statistics.tallies import Floats
from .division import readings_of, unmeasurable
from .labels import LABELS, Occurrences
from .measured import Measured

GROUPS: dict[str, tuple[str, ...]] = {
    "word": ("type", "class", "kind of piece", "frequency"),
    "word before": ("previous type", "previous class"),
    "both words": ("type x previous type", "class x previous class"),
    "place": ("position in the sentence", "position in the document", "distance to the last occurrence", "surprisal"),
    "document": ("topic", "period"),
}
"""Labels that enter the rule, and are left out of it, together."""
TREES, RATE = 40, 0.2
"""The rule's trees, and by how much of what is left each of them is believed. With 100 trees at 0.1 it takes twice as
long, and holds at most a point more (seven runs; the interval of the share is ten to thirty points wide)."""
OCCURRENCES, INNER = 60_000, 5
"""The most occurrences that the rule is fitted on, over contrasts; the parts into which the estimating half is dealt,
so that no occurrence counts in the mean of its own label."""
FEWEST_OF_LABEL = 20.0
"""Occurrences of a label at which its mean is shrunken half way towards the mean of all."""


@dataclass(frozen=True)
class GroupOfLabels:
    """What the rule loses without a group of labels."""

    name: str
    labels: tuple[str, ...]
    unique: float
    """Share of D squared."""


@dataclass(frozen=True)
class Router:
    """How much of the difference between towers a fitted rule predicts; 1 would be all of it."""

    share: Estimate
    """Of D squared; the rule is fitted on half of the documents and one set, and scored on the other half and set."""
    routing: Estimate
    """Nats per token gained by asking the tower that the rule names instead of always the better one."""
    groups: list[GroupOfLabels]
    occurrences: int
    """That were scored."""
    trees: int


def router_of(measured: Measured) -> Router | None:
    """Fit the rule on either half in turn; None where nothing can be measured.

    Gradient-boosted trees (Friedman 2001; scikit-learn's `HistGradientBoostingRegressor`) predict the difference under
    one set of readouts on half of the documents from `GROUPS` of labels, and are scored under another set on the other
    half: with prediction f, the share is the mean of 2 f d' - f squared over D squared, which a rule that says nothing
    brings to 0 and a perfect one to 1. A label enters as its mean difference. Within the estimating half, that comes
    from documents other than the occurrence's own.
    """
    if measured.towers == 1 or unmeasurable(measured):
        return None
    text = Occurrences(measured)
    readings = readings_of(measured, (measured.sets * 2)[:2] if measured.exact else measured.sets[:2], text)
    if readings.square[0] <= 0:
        return None
    grouped = {name for names in GROUPS.values() for name in names}
    codes: dict[str, Codes] = {
        label.name: values for label in LABELS if label.name in grouped and (values := label.values(text)) is not None
    }
    groups = {group: [name for name in names if name in codes] for group, names in GROUPS.items()}
    groups = {group: names for group, names in groups.items() if names}
    half = dealt(np.bincount(readings.document), 2)[readings.document]
    generator = measured.generator("router")
    most = OCCURRENCES // readings.differences.shape[1]
    chosen = [_drawn(np.flatnonzero(half == number), most, generator) for number in (0, 1)]
    gained: list[Floats] = []
    routed: list[Floats] = []
    without: dict[str, list[float]] = {group: [] for group in groups}
    for fit, score in ((0, 1), (1, 0)):
        features = [
            _features(readings, contrast, fit, half, codes, chosen) for contrast in range(readings.differences.shape[1])
        ]
        predicted = _predicted(features, list(codes), readings, fit, chosen)
        truth = readings.centred[score][:, chosen[score]]
        gained.append((2 * predicted * truth - predicted**2).sum(axis=0))
        routed.append(_routed(predicted, readings, fit, score, half, chosen[score]))
        for group, left_out in groups.items():
            names = [name for name in codes if name not in left_out]
            fewer = _predicted(features, names, readings, fit, chosen)
            without[group].append(float((2 * fewer * truth - fewer**2).sum(axis=0).mean()))
    places = np.concatenate([chosen[1], chosen[0]])
    square = readings.square[0]
    gains = np.concatenate(gained)
    return Router(
        _mean(gains / square, places, readings, text),
        _mean(np.concatenate(routed), places, readings, text),
        [
            GroupOfLabels(group, tuple(groups[group]), float((gains.mean() - np.mean(remaining)) / square))
            for group, remaining in without.items()
        ],
        len(places),
        TREES,
    )


def _drawn(places: Codes, most: int, generator: np.random.Generator) -> Codes:
    if len(places) <= most:
        return places
    return np.sort(generator.choice(places, most, replace=False))


def _features(
    readings: Readings, contrast: int, fit: int, half: Codes, codes: dict[str, Codes], chosen: Sequence[Codes]
) -> dict[str, list[Floats]]:
    """Mean difference of each label under the estimating set and half, at the occurrences of either half."""
    inside = np.flatnonzero(half == fit)
    values = readings.centred[fit, contrast, inside]
    documents = np.unique(readings.document[inside], return_inverse=True)[1]
    part = dealt(np.bincount(documents), INNER)[documents]
    part_of = np.zeros(len(half), np.int64)
    part_of[inside] = part
    return {name: _means(labels, inside, values, part, part_of, chosen, fit) for name, labels in codes.items()}


def _means(
    codes: Codes, inside: Codes, values: Floats, part: Codes, part_of: Codes, chosen: Sequence[Codes], fit: int
) -> list[Floats]:
    """Shrunken means of one labelling, at the chosen occurrences of both halves."""
    labels = int(codes.max()) + 1
    key = part * labels + codes[inside]
    sums = np.bincount(key, weights=values, minlength=INNER * labels).reshape(INNER, labels)
    counts = np.bincount(key, minlength=INNER * labels).reshape(INNER, labels)
    all_sums, all_counts = sums.sum(axis=0), counts.sum(axis=0)
    shrunken = []
    for number, places in enumerate(chosen):
        labels_there = codes[places]
        n, total = all_counts[labels_there].astype(np.float64), all_sums[labels_there]
        if number == fit:
            n, total = n - counts[part_of[places], labels_there], total - sums[part_of[places], labels_there]
        shrunken.append(total / (n + FEWEST_OF_LABEL))
    return shrunken


def _predicted(
    features: Sequence[dict[str, list[Floats]]],
    names: Sequence[str],
    readings: Readings,
    fit: int,
    chosen: Sequence[Codes],
) -> Floats:
    """The rule's prediction at the chosen occurrences of the other half, (contrasts, occurrences)."""
    predictions = []
    for contrast, means in enumerate(features):
        design = [np.column_stack([means[name][half] for name in names]) for half in (0, 1)]
        rule = HistGradientBoostingRegressor(
            max_iter=TREES, learning_rate=RATE, max_leaf_nodes=15, min_samples_leaf=50, l2_regularization=10.0,
            early_stopping=False, random_state=0,
        )  # fmt: skip
        rule.fit(design[fit], readings.centred[fit, contrast, chosen[fit]])
        predictions.append(np.asarray(rule.predict(design[1 - fit]), dtype=np.float64))
    return np.array(predictions)


def _routed(prediction: Floats, readings: Readings, fit: int, score: int, half: Codes, places: Codes) -> Floats:
    """Gain of the named tower over the one that is better on the estimating half, (occurrences,)."""
    mean = readings.differences[fit][:, half == fit].mean(axis=-1)
    predicted, truth = prediction + mean[:, None], readings.differences[score][:, places]
    if len(predicted) == 1:
        predicted, truth, mean = (
            np.concatenate([predicted, -predicted]),
            np.concatenate([truth, -truth]) / 2,
            np.append(mean, -mean),
        )
    gain: Floats = truth[predicted.argmax(axis=0), np.arange(len(places))] - truth[int(mean.argmax())]
    return gain


def _mean(values: Floats, places: Codes, readings: Readings, text: Occurrences) -> Estimate:
    kinds = {"document": readings.document, "type": text.type, "previous type": text.previous}
    clusters = Clusters({name: np.unique(unit[places], return_inverse=True)[1] for name, unit in kinds.items()})
    estimate = float(values.mean())
    return clusters.interval(estimate, (values - estimate) / len(values), readings.confidence)
