"""How good the towers are at each evaluation of the training."""

from __future__ import annotations

from typing import Any

import pandas as pd


def emergence(table: pd.DataFrame, towers: int) -> dict[str, Any]:
    """`evaluations`: one object each, with `tokens` (of training) and mean negative log-probabilities in nats.

    `joint_nats` is that of all towers together, `tower_nats` that under each tower's watching readout, on the sample of
    held-out text of `emergence.parquet` (see `training.evaluation.Evaluator.gather`).
    """
    return {"evaluations": [
        {
            "tokens": int(tokens), "joint_nats": -float(part["joint"].mean()),
            "tower_nats": [-float(part[f"readout_{tower}"].mean()) for tower in range(1, towers + 1)],
        }
        for tokens, part in table.groupby("tokens")
    ]}  # fmt: skip
