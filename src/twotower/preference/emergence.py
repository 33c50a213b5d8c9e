"""How good the towers are, how far they differ and which labels that follows, at each evaluation of the training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..statistics.clustering import Clusters
from ..statistics.division import FEWEST_DOCUMENTS, Codes, Readings, share
from ..statistics.intervals import Estimate
from .measured import SETS, Measured

WATCHING = SETS[:2]
"""The sets of readouts that watch the joint phase."""


@dataclass(frozen=True)
class EmergingShare:
    """How much of the difference between towers a label holds at an evaluation."""

    label: str
    """`type`, `class` (the usual part of speech of the type) or `previous type`."""
    share: Estimate


@dataclass(frozen=True)
class Evaluation:
    """The towers after some training, on a sample of the held-out text."""

    tokens: int
    """Tokens of training before it."""
    joint_nats: float
    """Mean negative log-probability under the joint head, in nats per token."""
    tower_nats: list[float]
    """The same under the readout that watches each tower."""
    size: Estimate | None
    """D, in nats, as the two sets of readouts that watch agree on it; None for one tower or too few documents."""
    shares: list[EmergingShare]
    """Empty where there is no size."""


@dataclass(frozen=True)
class Emergence:
    """`emergence` in `results.json`.

    The readouts that train along are far from trained: compare sizes and shares with each other, and not with
    those of the finished run.
    """

    evaluations: list[Evaluation]


def emergence(table: pd.DataFrame, measured: Measured) -> Emergence:
    """The figures of each evaluation of `emergence.parquet` (see `training.evaluation.Evaluator.gather`)."""
    return Emergence([_evaluation(int(tokens), part, measured) for tokens, part in table.groupby("tokens")])


def _evaluation(tokens: int, scores: pd.DataFrame, measured: Measured) -> Evaluation:
    def nats(head: str) -> float:
        return -float(scores[head].mean())

    document: Codes = pd.factorize(scores["document"])[0]
    size, shares = None, list[EmergingShare]()
    if measured.towers > 1 and document.max(initial=0) + 1 >= FEWEST_DOCUMENTS:
        piece, previous = (scores[name].to_numpy(np.int64) for name in ("piece_id", "previous_id"))
        differences = np.stack([
            [contrast.of(scores, readouts) for contrast in measured.contrasts] for readouts in WATCHING
        ])  # fmt: skip
        clusters = Clusters({"document": document, "type": piece, "previous type": previous})
        readings = Readings(differences, document, clusters, measured.settings.confidence)
        word_class = measured.classes["upos"].astype("category").cat.codes.to_numpy(np.int64)
        labels: Mapping[str, Codes] = {"type": piece, "class": word_class[piece], "previous type": previous}
        size = readings.size
        shares = [EmergingShare(name, share(readings, label).share) for name, label in labels.items()]
    towers = range(1, measured.towers + 1)
    return Evaluation(tokens, nats("joint"), [nats(f"readout_{tower}") for tower in towers], size, shares)
