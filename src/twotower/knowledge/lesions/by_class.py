"""What lesions cost by class of word, and how far the towers' profiles are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...preference.class_variance import Null
from ...statistics.intervals import Estimate, centred_estimate, choice_margin, exceedance
from ...statistics.tallies import Floats, sample_and_draws
from ..findings.lesions import Beyond, ClassApart, LossesByClass, LossOfClass, LossOfLesion, ProfilesApart
from ..pairs.accuracy import weighted_means
from ..subject import Subject
from .removal import HALVES, MEAN, WAYS, names_of, pairs_of_parts

FEWEST = 20
"""Occurrences from which a class of words is listed."""


def losses_by_class(
    subject: Subject, losses: Mapping[str, Floats], labels: NDArray[Any], documents: NDArray[np.int64],
    frequency: Floats, generator: np.random.Generator,
) -> LossesByClass:  # fmt: skip
    """Loss of each lesion by class, and how far the towers' profiles are apart beside random halves.

    `labels`, `documents` and `frequency` are of the occurrences. Beyond frequency means: less the mean of all
    occurrences of similar training frequency, which is strict on a class of one very frequent word.
    """
    names, counts = np.unique(labels, return_counts=True)
    settings = subject.config.analyze
    frequent = [(str(name), int(count)) for name, count in zip(names, counts, strict=True) if count >= FEWEST]
    weights = sample_and_draws(int(documents.max()) + 1, settings.bootstrap, generator)

    def means(values: Floats, chosen: NDArray[np.bool_]) -> Floats:
        return weighted_means(weights, documents[chosen], values[chosen])

    def loss_of(values: Floats, chosen: NDArray[np.bool_]) -> Estimate:
        return centred_estimate(resampled(means(values, chosen), documents[chosen]), settings.confidence)

    everything = np.ones(len(labels), dtype=bool)
    rows = []
    for tower in range(1, subject.model.config.towers + 1):
        for way in WAYS:
            loss = losses[f"tower {tower}, {way}"]
            classes = [LossOfClass(name, count, loss_of(loss, labels == name)) for name, count in frequent]
            rows.append(LossOfLesion(tower, way, loss_of(loss, everything), classes))
    pairs = list(combinations(range(1, subject.model.config.towers + 1), 2))
    if not pairs or not frequent:
        return LossesByClass(len(labels), weights.shape[1], rows, None, None, None)
    share = np.array([count for _, count in frequent], dtype=float) / sum(count for _, count in frequent)
    bins = _frequency_bins(frequency)
    random_pairs = pairs_of_parts(HALVES, subject.model.config.towers)

    def apart(first: str, second: str, beyond_frequency: bool) -> tuple[Floats, Floats]:
        """Loss of the first lesion minus that of the second: by class, and its standard deviation over classes.

        The sample first, then the draws: (1 + draws, classes), less its mean over occurrences, and (1 + draws,).
        """
        gap = losses[first] - losses[second]
        if beyond_frequency:
            gap = gap - (np.bincount(bins, weights=gap) / np.maximum(np.bincount(bins), 1))[bins]
        profile = np.stack([means(gap, labels == name) for name, _ in frequent], axis=1)
        profile = profile - (np.nan_to_num(profile) @ share)[:, None]
        return profile, np.sqrt(np.nan_to_num(profile) ** 2 @ share)

    def furthest(beyond: bool) -> ProfilesApart:
        tried = {pair: apart(*names_of(pair), beyond) for pair in pairs}
        chosen = max(pairs, key=lambda pair: float(tried[pair][1][0]))
        profile, spread = tried[chosen]
        null = np.array([max(apart(*two, beyond)[1][0] for two in group) for group in random_pairs])

        def estimate(drawn: Floats) -> Estimate:
            return centred_estimate(resampled(drawn, documents), settings.confidence)

        return ProfilesApart(
            **vars(estimate(spread)),
            of=list(chosen),
            null=null_of(null, settings.confidence),
            p_value=exceedance(float(spread[0]), null),
            profile=[
                ClassApart(name, count, **vars(estimate(profile[:, place])))
                for place, (name, count) in enumerate(frequent)
            ],
        )

    slope = _slope(losses, frequency, documents, weights, pairs, random_pairs, settings.confidence)
    return LossesByClass(len(labels), weights.shape[1], rows, furthest(False), furthest(True), slope)


def resampled(drawn: Floats, clusters: NDArray[np.integer]) -> Floats:
    """A sample and its draws, (1 + draws,), these NaN where all is of one cluster, (members,).

    Drawing that cluster again and again gives the same figure: an interval of no width, as if it were sure.
    """
    if (clusters == clusters[0]).all():
        return np.concatenate([drawn[:1], np.full(len(drawn) - 1, np.nan)])
    return drawn


def null_of(drawn: Floats, confidence: float) -> Null:
    """What the draws of a null, (draws,), give."""
    return Null(float(drawn.mean()), float(np.quantile(drawn, confidence)))


def _slope(
    losses: Mapping[str, Floats], frequency: Floats, documents: NDArray[np.int64], weights: Floats,
    pairs: Sequence[tuple[int, int]], random_pairs: Sequence[Sequence[tuple[str, str]]], confidence: float,
) -> Beyond:  # fmt: skip
    """By how many nats the difference of two towers' losses changes for each e-fold of training frequency.

    Least squares over occurrences; interval over documents, null by random halves of the units, sizes without signs. Of
    more than two towers the two that differ most, with an interval that holds for all pairs at once.
    """
    log = np.log(np.maximum(frequency, 1))
    count = weights.shape[1]

    def slope(gap: Floats) -> Floats:
        n, x, y, xy, xx = (
            weights @ np.bincount(documents, weights=values, minlength=count)
            for values in (np.ones(len(log)), log, gap, log * gap, log * log)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            slopes: Floats = (n * xy - x * y) / (n * xx - x * x)
        return slopes

    def between(first: str, second: str) -> Floats:
        return slope(losses[first] - losses[second])

    tried = {pair: between(*names_of(pair)) for pair in pairs}
    chosen = max(pairs, key=lambda pair: abs(float(tried[pair][0])))
    null = np.array([max(abs(between(*two)[0]) for two in group) for group in random_pairs])
    drawn = resampled(tried[chosen], documents)
    estimate = centred_estimate(drawn, confidence)
    if len(pairs) > 1:
        towers = sorted({tower for pair in pairs for tower in pair})
        tower_slopes = np.stack([resampled(slope(losses[f"tower {k}, {MEAN}"]), documents) for k in towers], axis=1)
        margin = choice_margin(tower_slopes[1:], confidence)
        estimate = Estimate(estimate.estimate, estimate.estimate - margin, estimate.estimate + margin)
    p_value = exceedance(abs(float(drawn[0])), null)
    return Beyond(**vars(estimate), of=list(chosen), null=null_of(null, confidence), p_value=p_value)


def _frequency_bins(frequency: Floats) -> NDArray[np.int64]:
    """Twentieths of the occurrences by the training frequency of their pieces, (occurrences,)."""
    edges = np.unique(np.quantile(frequency, np.linspace(0, 1, 21)[1:-1]))
    return np.asarray(np.searchsorted(edges, frequency, side="right"), dtype=np.int64)
