"""How much of the difference between towers is known: what a fitted rule says of it from all labels together."""

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
from .labels import LABELS, Label, Occurrences
from .measured import Measured

GROUPS: dict[str, tuple[str, ...]] = {
    "word": ("type", "class", "kind of piece", "frequency"),
    "word before": ("previous type", "previous class"),
    "both words": ("type x previous type", "class x previous class"),
    "place": ("position in the sentence", "position in the document", "distance to the last occurrence", "surprisal"),
    "document": ("topic", "period"),
}
"""Labels that enter and are left out together."""
TREES, OCCURRENCES, INNER = 100, 60_000, 5
"""Of the rule; most occurrences that it is fitted on, over contrasts; parts of the estimating half that means of labels
come from in turn."""
FEWEST_OF_LABEL = 20.0
"""Occurrences of a label at which its mean is shrunken half way towards the mean of all."""


@dataclass(frozen=True)
class GroupOfLabels:
    """What the rule loses without some labels."""

    name: str
    labels: tuple[str, ...]
    unique: float
    """Share of D squared."""


@dataclass(frozen=True)
class Router:
    """What a fitted rule holds of the difference between towers; all there is would be 1."""

    share: Estimate
    """Of D squared; the rule is fitted on half of the documents and one set, and scored on the others."""
    routing: Estimate
    """What asking the tower that the rule names gains over always asking the better one, in nats per token."""
    groups: list[GroupOfLabels]
    occurrences: int
    """That were scored."""
    trees: int


def router_of(measured: Measured) -> Router | None:
    """Fit the rule both ways round; None where nothing can be measured.

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
    known = {label.name: values for label in LABELS if (values := _asked(label, text)) is not None}
    groups = {name: [one for one in names if one in known] for name, names in GROUPS.items()}
    groups = {name: names for name, names in groups.items() if names}
    half = dealt(np.bincount(readings.document), 2)[readings.document]
    generator = measured.generator("router")
    most = OCCURRENCES // readings.differences.shape[1]
    chosen = [_drawn(np.flatnonzero(half == number), most, generator) for number in (0, 1)]
    whole: list[Floats] = []
    routed: list[Floats] = []
    without: dict[str, list[float]] = {name: [] for name in groups}
    for fit, score in ((0, 1), (1, 0)):
        features = [
            _features(readings, contrast, fit, half, known, chosen) for contrast in range(readings.differences.shape[1])
        ]
        found = _predicted(features, list(known), readings, fit, chosen)
        theirs = readings.centred[score][:, chosen[score]]
        whole.append((2 * found * theirs - found**2).sum(axis=0))
        routed.append(_routed(found, readings, fit, score, half, chosen[score]))
        for name, left_out in groups.items():
            kept = [one for one in known if one not in left_out]
            part = _predicted([{one: each[one] for one in kept} for each in features], kept, readings, fit, chosen)
            without[name].append(float((2 * part * theirs - part**2).sum(axis=0).mean()))
    places = np.concatenate([chosen[1], chosen[0]])
    square = readings.square[0]
    gains = np.concatenate(whole)
    return Router(
        _mean(gains / square, places, readings, text),
        _mean(np.concatenate(routed), places, readings, text),
        [
            GroupOfLabels(name, tuple(groups[name]), float((gains.mean() - np.mean(lost)) / square))
            for name, lost in without.items()
        ],
        len(places),
        TREES,
    )


def _asked(label: Label, text: Occurrences) -> Codes | None:
    asked = {name for names in GROUPS.values() for name in names}
    return label.values(text) if label.name in asked else None


def _drawn(places: Codes, most: int, generator: np.random.Generator) -> Codes:
    if len(places) <= most:
        return places
    return np.sort(generator.choice(places, most, replace=False))


def _features(
    readings: Readings, contrast: int, fit: int, half: Codes, known: dict[str, Codes], chosen: Sequence[Codes]
) -> dict[str, list[Floats]]:
    """Mean difference of each label under the estimating set and half, at the occurrences of either half."""
    inside = np.flatnonzero(half == fit)
    values = readings.centred[fit, contrast, inside]
    documents = np.unique(readings.document[inside], return_inverse=True)[1]
    part = dealt(np.bincount(documents), INNER)[documents]
    at = np.zeros(len(half), np.int64)
    at[inside] = part
    return {name: _means(codes, inside, values, part, at, chosen, fit) for name, codes in known.items()}


def _means(
    codes: Codes, inside: Codes, values: Floats, part: Codes, at: Codes, chosen: Sequence[Codes], fit: int
) -> list[Floats]:
    """Of one label: shrunken means, at the chosen occurrences of both halves."""
    labels = int(codes.max()) + 1
    key = part * labels + codes[inside]
    sums = np.bincount(key, weights=values, minlength=INNER * labels).reshape(INNER, labels)
    counts = np.bincount(key, minlength=INNER * labels).reshape(INNER, labels)
    all_sums, all_counts = sums.sum(axis=0), counts.sum(axis=0)
    found = []
    for number, places in enumerate(chosen):
        own = codes[places]
        n, total = all_counts[own].astype(np.float64), all_sums[own]
        if number == fit:
            n, total = n - counts[at[places], own], total - sums[at[places], own]
        found.append(total / (n + FEWEST_OF_LABEL))
    return found


def _predicted(
    features: Sequence[dict[str, list[Floats]]],
    names: Sequence[str],
    readings: Readings,
    fit: int,
    chosen: Sequence[Codes],
) -> Floats:
    """The rule's prediction at the chosen occurrences of the other half, (contrasts, occurrences)."""
    found = []
    for contrast, means in enumerate(features):
        design = [np.column_stack([means[name][half] for name in names]) for half in (0, 1)]
        rule = HistGradientBoostingRegressor(
            max_iter=TREES, learning_rate=0.1, max_leaf_nodes=15, min_samples_leaf=50, l2_regularization=10.0,
            early_stopping=False, random_state=0,
        )  # fmt: skip
        rule.fit(design[fit], readings.centred[fit, contrast, chosen[fit]])
        found.append(np.asarray(rule.predict(design[1 - fit]), dtype=np.float64))
    return np.array(found)


def _routed(found: Floats, readings: Readings, fit: int, score: int, half: Codes, places: Codes) -> Floats:
    """Gain of the named tower over the one that is better on the estimating half, (occurrences,)."""
    mean = readings.differences[fit][:, half == fit].mean(axis=-1)
    said, truth = found + mean[:, None], readings.differences[score][:, places]
    if len(said) == 1:
        said, truth, mean = np.concatenate([said, -said]), np.concatenate([truth, -truth]) / 2, np.append(mean, -mean)
    gain: Floats = truth[said.argmax(axis=0), np.arange(len(places))] - truth[int(mean.argmax())]
    return gain


def _mean(values: Floats, places: Codes, readings: Readings, text: Occurrences) -> Estimate:
    kinds = {"document": readings.document, "type": text.type, "previous type": text.previous}
    clusters = Clusters({name: np.unique(unit[places], return_inverse=True)[1] for name, unit in kinds.items()})
    estimate = float(values.mean())
    return clusters.interval(estimate, (values - estimate) / len(values), readings.confidence)
