"""Accuracy on minimal pairs, with intervals over pairs and paradigms and what chance and readouts make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...statistics.intervals import Estimate, centred_estimate, exceedance, largest_difference
from ...statistics.tallies import Floats, sample_and_draws
from ..findings.pairs import DifferenceOfTowers

FEWEST = 20
"""Pairs from which a paradigm counts in the mean over paradigms."""


def is_right(good: Floats, bad: Floats) -> Floats:
    """1 where the better sentence has the higher score, ½ for ties, 0 elsewhere; each of shape (pairs,)."""
    return np.where(good > bad, 1.0, np.where(good == bad, 0.5, 0.0))


def weighted_means(weights: Floats, clusters: NDArray[np.integer], values: Floats) -> Floats:
    """Mean of values, (members,), under each weighting of their clusters, (1 + draws,); NaN where none has weight."""
    count = weights.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = (weights @ np.bincount(clusters, weights=values, minlength=count)) / (
            weights @ np.bincount(clusters, minlength=count)
        )
    return means


def paradigm_draws(
    right: Mapping[str, Floats], clusters: NDArray[np.integer], draws: int, generator: np.random.Generator
) -> dict[str, Floats]:
    """Mean of each head over the pairs of one paradigm: of the sample first, then of `draws` resamplings of clusters.

    `right` holds for each head values of shape (pairs,), `clusters` (pairs,) numbers from 0 what pairs have in common
    (a document); the results have shape (1 + draws,).
    """
    weights = sample_and_draws(int(clusters.max()) + 1, draws, generator)
    return {head: weighted_means(weights, clusters, values) for head, values in right.items()}


def share(drawn: Floats, confidence: float) -> Estimate:
    """Estimate and interval of a share and its draws, (1 + draws,); the interval ends at 0 and 1."""
    unclipped = centred_estimate(drawn, confidence)
    return Estimate(*(float(np.clip(end, 0, 1)) for end in (unclipped.estimate, unclipped.low, unclipped.high)))


def of_paradigms(paradigms: Sequence[dict[str, Floats]], generator: np.random.Generator) -> dict[str, Floats]:
    """Mean of each head over paradigms: of the sample first, then with paradigms resampled as well as their pairs."""
    count, length = len(paradigms), len(next(iter(paradigms[0].values())))
    weights = sample_and_draws(count, length - 1, generator) / count
    return {
        head: np.asarray((weights * np.stack([paradigm[head] for paradigm in paradigms], axis=1)).sum(axis=1))
        for head in paradigms[0]
    }


def difference(
    means: Mapping[str, Floats], towers: int, right: Mapping[str, Floats], clusters: NDArray[np.integer],
    paradigm: NDArray[np.integer], draws: int, confidence: float, generator: np.random.Generator,
) -> DifferenceOfTowers | None:  # fmt: skip
    """By how much the towers differ; None for a single tower.

    Tower 1 minus tower 2; for more towers the best minus the worst. `means` are of the heads, (1 + draws,); `right`
    (pairs,), `clusters` and `paradigm` (pairs,) are what they were made of; towers change places `draws` times.

    Of more than two towers, interval and p-value allow for the choice of the two: the interval holds for all pairs of
    towers at once (see `largest_difference`), and where the towers of each cluster change places, best and worst are
    chosen again.
    """
    if towers < 2:
        return None
    names = [f"tower {k}" for k in range(1, towers + 1)]
    means, right = _over_sets(means, towers), _over_sets(right, towers)
    sizes = np.bincount(paradigm)

    def per_cluster(values: Floats) -> Floats:
        """What each cluster adds to the mean over paradigms, (clusters,)."""
        return np.asarray(np.bincount(clusters, weights=values / sizes[paradigm] / len(sizes)), dtype=np.float64)

    if towers == 2:
        compared = [1, 2]
        apart = per_cluster(right["tower 1"] - right["tower 2"])
        observed = abs(apart.sum())
        chance = np.abs(generator.choice([-1.0, 1.0], size=(draws, len(apart))) @ apart)
        estimate = centred_estimate(means["tower 1"] - means["tower 2"], confidence)
    else:
        order = sorted(range(1, towers + 1), key=lambda k: -float(means[f"tower {k}"][0]))
        compared = [order[0], order[-1]]
        added = np.stack([per_cluster(right[name]) for name in names], axis=1)
        observed = np.ptp(added.sum(axis=0))
        chance = _ranges_by_chance(added, draws, generator)
        estimate = largest_difference(np.stack([means[name] for name in names], axis=1), confidence)
    return DifferenceOfTowers(
        **vars(estimate),
        of=compared,
        p_value=exceedance(observed, chance),
        null_high=float(np.quantile(chance, confidence)),
    )


def _over_sets(values: Mapping[str, Floats], towers: int) -> dict[str, Floats]:
    """What each tower's readouts say on the average, under the names of the first set."""
    sets = [part for part in ("tower", "second") if f"{part} 1" in values]
    return {
        f"tower {k}": np.mean([values[f"{part} {k}"] for part in sets], axis=0, dtype=np.float64)
        for k in range(1, towers + 1)
    }


def _ranges_by_chance(added: Floats, draws: int, generator: np.random.Generator) -> Floats:
    """Best tower minus worst, where the towers of each cluster, (clusters, towers), change places: (draws,)."""
    moved = added[np.ptp(added, axis=1) > 0]  # in the other clusters it makes no difference who is who
    return np.array([np.ptp(generator.permuted(moved, axis=1).sum(axis=0)) for _ in range(draws)])


def numbered(values: Sequence[str]) -> NDArray[np.int64]:
    """Numbers from 0 for what is the same."""
    return np.asarray(pd.factorize(np.asarray(values, dtype=object))[0], dtype=np.int64)
