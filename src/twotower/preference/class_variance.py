"""How much of the variance between words is one between their classes, beyond frequency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..statistics.intervals import Estimate, centred_interval
from ..statistics.regression import omega_squared
from ..statistics.strata import permutations_within, smooth_basis
from ..statistics.tallies import Floats, Tallies
from .labelled import Units, one_hot
from .reliability import reliable_share

FEW_TYPES = 3
"""Classes with fewer words are marked in the profile, and take no part in the share of variance."""
CHUNK = 100
"""Draws at a time."""


@dataclass(frozen=True)
class Null:
    """What chance gives: labels are exchanged between words of similar frequency."""

    mean: float
    high: float
    """The bound that chance stays below as often as `analyze.confidence` says."""


@dataclass(frozen=True)
class Explained(Estimate):
    """Share of the variance between words that class explains beyond frequency (omega squared)."""

    null: Null
    p_value: float
    of_reliable: float | None
    """The share divided by `reliability`; None where next to nothing is reliable."""
    reliability: float
    """Share of that variance which halves of the documents and sets of readouts have in common."""
    types: int
    """Words that were measured."""


def explained(
    tallies: Tallies, sets: Sequence[Tallies], units: Units, frequent: NDArray[np.bool_], first: Floats,
    permutations: int, documents: Floats, words: Floats, confidence: float,
) -> Explained | None:  # fmt: skip
    """Share of the variance between words that class explains beyond a spline of log frequency (omega squared).

    Only frequent words count, each as one. `of_reliable` divides it by the share of that variance which halves of the
    documents and `sets` of readouts have in common (see `reliable_share`): what no predictor could reach is left out.
    """
    label = units.label[frequent]
    kept = np.bincount(label, minlength=len(units.classes)) >= FEW_TYPES
    frequent = frequent & kept[units.label]
    label = np.unique(units.label[frequent], return_inverse=True)[1]
    classes = int(kept.sum())
    base = smooth_basis(units.frequency[frequent])
    if classes < 2 or frequent.sum() < 3 * (classes + base.shape[1]):
        return None
    hot, part = one_hot(label, classes), tallies.select(frequent)
    ones = np.ones((1, int(frequent.sum())))
    values = part.means(np.ones((1, part.documents)))[0]
    estimate = float(omega_squared(values, ones, base, hot)[0])
    drawn = []
    for start in range(0, len(documents), CHUNK):
        chosen = slice(start, start + CHUNK)
        means, _ = part.means(documents[chosen])
        weights = words[chosen][:, frequent] * np.isfinite(means)
        drawn.append(omega_squared(means, weights, base, hot))
    low, high = centred_interval(estimate, np.concatenate(drawn), confidence)
    # Labels move among all words of a bin, and frequent ones keep to themselves: bins hold words of similar frequency.
    inside = permutations_within(units.strata[frequent], permutations, np.random.default_rng(len(label)))
    null = np.array([omega_squared(values, ones, base, hot[order])[0] for order in inside])
    reliable = reliable_share([one.select(frequent) for one in sets], first, base)
    return Explained(
        estimate, low, high,
        null=Null(float(null.mean()), float(np.quantile(null, confidence))),
        p_value=float((1 + (null >= estimate - 1e-12).sum()) / (1 + len(null))),
        of_reliable=estimate / reliable if reliable > 0.05 else None,
        reliability=reliable, types=int(frequent.sum()),
    )  # fmt: skip


def mean_explained(several: Sequence[Explained]) -> Explained:
    """Mean of the figures of several contrasts, and of their bounds and nulls; the median of their p-values."""
    if len(several) == 1:
        return several[0]

    def mean(figure: Callable[[Explained], float]) -> float:
        return float(np.mean([figure(each) for each in several]))

    known = [each.of_reliable for each in several if each.of_reliable is not None]
    return Explained(
        mean(lambda each: each.estimate), mean(lambda each: each.low), mean(lambda each: each.high),
        null=Null(mean(lambda each: each.null.mean), mean(lambda each: each.null.high)),
        p_value=float(np.median([each.p_value for each in several])),
        of_reliable=float(np.mean(known)) if known else None,
        reliability=mean(lambda each: each.reliability), types=several[0].types,
    )  # fmt: skip
