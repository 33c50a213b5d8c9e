"""How good the towers are at each evaluation of the training."""

import json

import numpy as np
import pandas as pd
import pytest

from twotower.preference.emergence import Evaluation, emergence


def test_each_evaluation_has_the_mean_nats_of_all_towers_and_of_each():
    table = pd.DataFrame({
        "tokens": [1000, 1000, 2000], "document": [0, 1, 0], "piece_id": [3, 4, 3], "joint": [-2.0, -4.0, -1.0],
        "readout_1": [-3.0, -5.0, -2.0], "readout_2": [-5.0, -5.0, -3.0],
    })  # fmt: skip
    assert emergence(table, 2).evaluations == [Evaluation(1000, 3.0, [4.0, 5.0]), Evaluation(2000, 1.0, [2.0, 3.0])]
    assert emergence(table[:0], 2).evaluations == []


def test_a_run_says_how_good_its_towers_were(finished):
    rows = json.loads((finished / "results.json").read_text())["emergence"]["evaluations"]
    logged = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    logged = [row for row in logged if row["kind"] == "heldout"]
    assert [row["tokens"] for row in rows] == [row["tokens"] for row in logged]
    kept = pd.read_parquet(finished / "emergence.parquet")
    assert set(kept.columns) == {"tokens", "document", "piece_id", "joint", "readout_1", "readout_2", "second_1"}
    for row, seen in zip(rows, logged, strict=True):
        assert row["joint_nats"] == pytest.approx(seen["joint_nats"], rel=1e-5)
        assert row["tower_nats"] == pytest.approx(seen["tower_nats"], rel=1e-5)
    assert -kept["joint"].to_numpy(np.float64)[-1] > 0
