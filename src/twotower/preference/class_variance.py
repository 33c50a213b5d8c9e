"""How much of the variance between words lies between their classes, beyond frequency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..statistics.intervals import Estimate, centred_interval, exceedance
from ..statistics.regression import omega_squared, omega_squared_of_orders
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
    """The same share by chance, with labels exchanged between words of similar frequency."""

    mean: float
    high: float
    """The quantile of chance at `analyze.confidence`."""


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
    documents and `sets` of readouts have in common (see `reliable_share`), the most that any predictor could explain.
    """
    label = units.label[frequent]
    large = np.bincount(label, minlength=len(units.classes)) >= FEW_TYPES
    frequent = frequent & large[units.label]
    label = np.unique(units.label[frequent], return_inverse=True)[1]
    classes = int(large.sum())
    base = smooth_basis(units.frequency[frequent])
    if classes < 2 or frequent.sum() < 3 * (classes + base.shape[1]):
        return None
    hot, part = one_hot(label, classes), tallies.select(frequent)
    equal_weights = np.ones((1, int(frequent.sum())))
    values = part.means(np.ones((1, part.documents)))[0]
    estimate = float(omega_squared(values, equal_weights, base, hot)[0])
    drawn = []
    for start in range(0, len(documents), CHUNK):
        chosen = slice(start, start + CHUNK)
        means, _ = part.means(documents[chosen])
        weights = words[chosen][:, frequent] * np.isfinite(means)
        drawn.append(omega_squared(means, weights, base, hot))
    low, high = centred_interval(estimate, np.concatenate(drawn), confidence)
    # Labels are exchanged among all words of a bin: its words are of similar frequency.
    inside = permutations_within(units.strata[frequent], permutations, np.random.default_rng(len(label)))
    null = omega_squared_of_orders(values[0], base, hot, inside)
    reliable = reliable_share([of_set.select(frequent) for of_set in sets], first, base)
    return Explained(
        estimate, low, high,
        null=Null(float(null.mean()), float(np.quantile(null, confidence))),
        p_value=exceedance(estimate, null),
        of_reliable=estimate / reliable if reliable > 0.05 else None,
        reliability=reliable, types=int(frequent.sum()),
    )  # fmt: skip


def mean_explained(shares: Sequence[Explained]) -> Explained:
    """The mean over contrasts of the shares, their bounds and their nulls; the median of their p-values."""
    if len(shares) == 1:
        return shares[0]

    def mean(figure: Callable[[Explained], float]) -> float:
        return float(np.mean([figure(share) for share in shares]))

    of_reliable = [share.of_reliable for share in shares if share.of_reliable is not None]
    return Explained(
        mean(lambda share: share.estimate), mean(lambda share: share.low), mean(lambda share: share.high),
        null=Null(mean(lambda share: share.null.mean), mean(lambda share: share.null.high)),
        p_value=float(np.median([share.p_value for share in shares])),
        of_reliable=float(np.mean(of_reliable)) if of_reliable else None,
        reliability=mean(lambda share: share.reliability), types=shares[0].types,
    )  # fmt: skip
