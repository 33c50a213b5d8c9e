"""How good the towers are at each evaluation of the training."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Evaluation:
    """How good the towers are at one evaluation: mean negative log-probabilities in nats."""

    tokens: int
    """Of training."""
    joint_nats: float
    """Of all towers together."""
    tower_nats: list[float]
    """Under the watching readout of each tower."""


@dataclass(frozen=True)
class Emergence:
    """How good the towers are at each evaluation of the training."""

    evaluations: list[Evaluation]


def emergence(table: pd.DataFrame, towers: int) -> Emergence:
    """The means of `emergence.parquet`, a sample of the held-out text (see `training.evaluation.Evaluator.gather`)."""
    return Emergence([
        Evaluation(
            int(tokens), -float(part["joint"].mean()),
            [-float(part[f"readout_{tower}"].mean()) for tower in range(1, towers + 1)],
        )
        for tokens, part in table.groupby("tokens")
    ])  # fmt: skip
