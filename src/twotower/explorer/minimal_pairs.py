"""Minimal pairs one by one, with the verdict of each tower, as `twotower know` left them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..system.errors import InputError
from .explored import ExploredRun
from .plain import columns

ARTIFACT = "knowledge/pairs"


def minimal_pairs(run: ExploredRun) -> dict[str, Any]:
    """`heads` (names), and `pairs`: for each pair its `set`, `paradigm`, `kind`, `good`, `bad`, and under each head the
    log-probability of both sentences, columns `HEAD good` and `HEAD bad`, in nats.

    Where the run has none, `missing` says why, and what makes them.
    """
    path = run.run.path / ARTIFACT / "pairs.parquet"
    if not path.is_file():
        return {"missing": f"This run has no minimal pairs yet. `twotower know {run.name} --pairs FILE` scores them."}
    try:
        run.run.require(ARTIFACT)
    except InputError as error:
        return {"missing": str(error)}
    table = pd.read_parquet(path)
    heads = [name.removesuffix(" good") for name in table.columns if name.endswith(" good")]
    heads = [head for head in heads if not head.startswith("second")]
    scores = [f"{head} {side}" for head in heads for side in ("good", "bad")]
    return {"heads": heads, "pairs": columns(table[["set", "paradigm", "kind", "good", "bad", *scores]])}
