"""How far models of one vocabulary are apart as whole distributions: over the text, and by word class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.tagging import UPOS
from ..scoring.divergence import MEASURES
from ..statistics.clustering import Clusters
from ..statistics.intervals import Estimate
from ..statistics.tallies import Floats
from .measured import Measured

FEWEST = 50
"""Tokens of a word class below which it has no row."""


@dataclass(frozen=True)
class Means:
    """Means over tokens, with intervals over documents; see `scoring.divergence.MEASURES`."""

    tokens: int
    kl: Estimate
    kl_back: Estimate
    jensen_shannon: Estimate
    agreement: Estimate
    rank_distance: Estimate


@dataclass(frozen=True)
class DivergenceOfClass:
    """Of the tokens of a word class."""

    upos: str
    means: Means


@dataclass(frozen=True)
class DivergenceOfPair:
    """Of two models, over the text and by word class; `kl` is KL(first ‖ second), `kl_back` KL(second ‖ first)."""

    first: str
    second: str
    means: Means
    classes: list[DivergenceOfClass]


def divergence_of(measured: Measured, names: list[str]) -> list[DivergenceOfPair]:
    """One row for each model but the first; empty where whole distributions were not compared."""
    found = []
    for number, name in enumerate(names[1:], start=2):
        if f"kl_{number}" not in measured.scores.columns:
            continue
        values = np.array([measured.log_probs(f"{measure}_{number}") for measure in MEASURES])
        known = np.isfinite(values[0])
        upos = np.asarray(measured.upos.astype(str))

        classes = [
            DivergenceOfClass(tag, _means(measured, values, inside))
            for tag in UPOS if (inside := known & (upos == tag)).sum() >= FEWEST
        ]  # fmt: skip
        found.append(DivergenceOfPair(names[0], name, _means(measured, values, known), classes))
    return found


def _means(measured: Measured, values: Floats, chosen: NDArray[np.bool_]) -> Means:
    """Of `values` (measures, tokens) over the chosen tokens, (tokens,)."""
    clusters = Clusters({"document": np.unique(measured.block[chosen], return_inverse=True)[1]})
    kl, kl_back, shannon, agreement, ranks = (
        clusters.interval(float(row.mean()), (row - row.mean()) / len(row), measured.settings.confidence)
        for row in values[:, chosen]
    )
    return Means(int(chosen.sum()), kl, kl_back, shannon, agreement, ranks)
