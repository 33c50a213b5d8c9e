"""How good the towers are at each evaluation of the training."""

import json

import numpy as np
import pandas as pd
import pytest

from planted import planted
from twotower.preference.emergence import emergence


def at_evaluations(measured, strengths):
    """What two watching sets would score of a planted text if its effect had grown to each of the `strengths`."""
    parts = []
    for number, strength in enumerate(strengths, start=1):
        scores = measured.scores[["document", "piece_id", "joint", "readout_2", "second_2"]].copy()
        for name in ("readout", "second"):
            ahead = measured.scores[f"{name}_1"] - measured.scores[f"{name}_2"]
            scores[f"{name}_1"] = scores[f"{name}_2"] + strength * ahead
        parts.append(scores.assign(tokens=1000 * number, previous_id=scores["piece_id"].shift(fill_value=0)))
    return pd.concat(parts)


def test_each_evaluation_has_nats_size_and_shares():
    measured = planted(1, effect={"NOUN": 0.8}, types=200)
    table = at_evaluations(measured, [0.5, 1.0])
    early, late = emergence(table, measured).evaluations
    assert (early.tokens, late.tokens) == (1000, 2000)
    assert late.tower_nats == [pytest.approx(-measured.scores[f"readout_{tower}"].mean()) for tower in (1, 2)]
    assert late.joint_nats == pytest.approx(-measured.scores["joint"].mean())
    assert late.size.estimate == pytest.approx(2 * early.size.estimate) and early.size.low > 0
    for evaluation in (early, late):
        shares = {row.label: row.share for row in evaluation.shares}
        assert shares["type"].estimate > shares["class"].low > 0.2 and shares["previous type"].low < 0.02


def test_one_tower_and_few_documents_have_no_size():
    alone = planted(1, towers=1, types=50, tokens=2000)
    table = alone.scores[["document", "piece_id", "joint", "readout_1"]].assign(tokens=1000, previous_id=0)
    (only,) = emergence(table, alone).evaluations
    assert only.size is None and only.shares == [] and len(only.tower_nats) == 1
    few = planted(1, types=50, tokens=2000, documents=3)
    (only,) = emergence(at_evaluations(few, [1.0]), few).evaluations
    assert only.size is None and only.shares == []


def test_a_run_says_how_good_its_towers_were(finished):
    rows = json.loads((finished / "results.json").read_text())["emergence"]["evaluations"]
    logged = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    logged = [row for row in logged if row["kind"] == "heldout"]
    assert [row["tokens"] for row in rows] == [row["tokens"] for row in logged]
    kept = pd.read_parquet(finished / "emergence.parquet")
    assert set(kept.columns) == {"tokens", "document", "piece_id", "previous_id", "joint"} | {
        f"{name}_{tower}" for name in ("readout", "second") for tower in (1, 2)
    }
    for row, seen in zip(rows, logged, strict=True):
        assert row["joint_nats"] == pytest.approx(seen["joint_nats"], rel=1e-5)
        assert row["tower_nats"] == pytest.approx(seen["tower_nats"], rel=1e-5)
    assert -kept["joint"].to_numpy(np.float64)[-1] > 0
