"""How much of the variance between words is one between their classes, beyond frequency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..statistics.intervals import centred_interval
from ..statistics.regression import omega_squared
from ..statistics.strata import permutations_within, smooth_basis
from ..statistics.tallies import Floats, Tallies
from .labelled import Units, one_hot
from .reliability import reliable_share

FEW_TYPES = 3
"""Classes with fewer words are marked in the profile, and take no part in the share of variance."""
CHUNK = 100
"""Draws at a time."""


def explained(
    tallies: Tallies, sets: Sequence[Tallies], units: Units, frequent: NDArray[np.bool_], first: Floats,
    permutations: int, documents: Floats, words: Floats, confidence: float,
) -> dict[str, Any] | None:  # fmt: skip
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
    # Labels move among all words of a bin, and frequent ones keep to themselves: bins hold words of like frequency.
    inside = permutations_within(units.strata[frequent], permutations, np.random.default_rng(len(label)))
    null = np.array([omega_squared(values, ones, base, hot[order])[0] for order in inside])
    reliable = reliable_share([one.select(frequent) for one in sets], first, base)
    return {
        "estimate": estimate, "low": low, "high": high,
        "null": {"mean": float(null.mean()), "high": float(np.quantile(null, confidence))},
        "p_value": float((1 + (null >= estimate - 1e-12).sum()) / (1 + len(null))),
        "of_reliable": estimate / reliable if reliable > 0.05 else None,
        "reliability": reliable, "types": int(frequent.sum()),
    }  # fmt: skip
