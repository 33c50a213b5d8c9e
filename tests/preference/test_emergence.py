"""When the preference is there: from planted scores of several evaluations."""

import json

import numpy as np
import pandas as pd
import pytest

from twotower.config import AnalyzeConfig
from twotower.data.heldout import CONTENT_CLASS, FUNCTION_CLASS
from twotower.preference.class_variance import spread
from twotower.preference.emergence import _Watched, emergence
from twotower.statistics.contrasts import contrasts
from twotower.statistics.tallies import tally

TYPES, DOCUMENTS = 120, 20
SETTINGS = AnalyzeConfig(min_count=9, splits=10)
CLASSES = pd.DataFrame({
    "word_class": np.where(np.arange(TYPES) % 3 == 0, FUNCTION_CLASS, CONTENT_CLASS),
    "upos": np.where(np.arange(TYPES) % 3 == 0, "DET", np.where(np.arange(TYPES) % 3 == 1, "NOUN", "VERB")),
})  # fmt: skip
FREQUENCIES = np.random.default_rng(3).integers(50, 5000, TYPES)


def scores(strengths, seed=0):
    """One evaluation per strength: by how much types differ, and function from content types, in nats."""
    generator = np.random.default_rng(seed)
    own = generator.normal(size=TYPES)
    piece = np.tile(np.arange(TYPES), DOCUMENTS * 2)
    document = np.repeat(np.arange(DOCUMENTS), 2 * TYPES)
    function = (CLASSES["word_class"] == FUNCTION_CLASS).to_numpy()
    parts = []
    for number, strength in enumerate(strengths, start=1):
        readout_2 = generator.normal(0, 1, len(piece))
        preference = strength * (own + 3.0 * function)[piece]
        readout_1 = readout_2 + preference + generator.normal(0, 1, len(piece))
        second_1 = readout_1 + generator.normal(0, 1, len(piece))
        parts.append(pd.DataFrame({
            "tokens": 1000 * number, "document": document, "piece_id": piece, "joint": 0.0,
            "readout_1": readout_1, "readout_2": readout_2, "second_1": second_1,
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def measured(strengths):
    return emergence(scores(strengths), 2, FREQUENCIES, CLASSES, SETTINGS, 0)


def test_the_evaluation_from_which_on_all_pass_is_found():
    found = measured([0.0, 0.5, 0.0, 0.5, 0.6])
    assert [row["tokens"] for row in found["evaluations"]] == [1000, 2000, 3000, 4000, 5000]
    assert found["passed"]["reliability"] == {"tokens": 4000}
    assert found["passed"]["separation"] == {"tokens": 4000}
    assert found["passed"]["spread"] == {"tokens": 4000}
    assert found["evaluations"][-1]["profile_r"] > 0.9


def test_what_is_lost_again_has_not_emerged():
    passed = measured([0.5, 0.5, 0.0])["passed"]
    assert passed == {"reliability": None, "separation": None, "spread": None}


def test_a_profile_that_turns_round_is_reported():
    found = measured([-0.5, -0.4, 0.4, 0.5])
    assert [np.sign(row["profile_r"]) for row in found["evaluations"]] == [-1, -1, 1, 1]
    assert found["turned"] == 2000 and measured([0.3, 0.4])["turned"] is None


def test_saturation_grows_from_chance_to_what_the_halves_of_the_end_share():
    rows = measured([0.0, 0.4, 0.8])["evaluations"]
    values = [row["saturation"]["estimate"] for row in rows]
    assert abs(values[0] - 0.1) < 0.07 and values[0] < values[1] < values[2] < 1
    assert all(row["saturation"]["low"] <= row["saturation"]["estimate"] <= row["saturation"]["high"] for row in rows)


def test_nothing_emerges_from_one_tower_or_no_evaluation():
    passed = {"reliability": None, "separation": None, "spread": None}
    nothing = {"evaluations": [], "passed": passed, "turned": None}
    assert emergence(scores([0.5]), 1, FREQUENCIES, CLASSES, SETTINGS, 0) == nothing
    assert emergence(scores([0.5])[:0], 2, FREQUENCIES, CLASSES, SETTINGS, 0) == nothing


def test_a_run_says_when_its_preference_emerged(finished):
    results = json.loads((finished / "results.json").read_text())
    rows = results["emergence"]["evaluations"]
    logged = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    assert [row["tokens"] for row in rows] == [row["tokens"] for row in logged if row["kind"] == "heldout"]
    assert all(row["reliability"]["noise_floor"] for row in rows)
    kept = pd.read_parquet(finished / "emergence.parquet")
    assert set(kept.columns) == {"tokens", "document", "piece_id", "joint", "readout_1", "readout_2", "second_1"}
    last = kept[kept["tokens"] == kept["tokens"].max()]
    joint = [row["joint_nats"] for row in logged if row["kind"] == "heldout"][-1]
    assert -last["joint"].to_numpy(np.float64).mean() == pytest.approx(joint, rel=1e-6)


def watched(towers, seed):
    """What an evaluation watches, and the tallies of towers whose types differ, and their classes do not."""
    generator = np.random.default_rng(seed)
    piece = np.tile(np.arange(TYPES), DOCUMENTS * 2)
    document = np.repeat(np.arange(DOCUMENTS), 2 * TYPES)
    scored = pd.DataFrame({
        f"readout_{tower}": generator.normal(size=TYPES)[piece] + generator.normal(size=len(piece))
        for tower in range(1, towers + 1)
    })  # fmt: skip
    tallies = [tally(document, piece, contrast.of(scored), TYPES) for contrast in contrasts(towers)]
    floor = tally(document, piece, generator.normal(0, 0.01, len(piece)), TYPES)
    counts = np.bincount(piece).astype(float)
    return _Watched.of(CLASSES, FREQUENCIES, counts, document, SETTINGS, generator), tallies, floor


def test_the_largest_spread_of_several_towers_is_compared_with_the_largest_by_chance(monkeypatch):
    monkeypatch.setattr("twotower.preference.emergence.DRAWS", 20)
    monkeypatch.setattr("twotower.preference.emergence.PERMUTATIONS", 59)
    one, tallies, floor = watched(4, 0)
    found = one.spread(tallies, floor)
    alone = [one.spread([each], floor) for each in tallies]
    assert found["estimate"] == max(each["estimate"] for each in alone)
    assert found["null"]["mean"] > max(each["null"]["mean"] for each in alone), "the largest of four under each order"
    assert found["null"]["high"] >= max(each["null"]["high"] for each in alone)
    assert found["p_value"] >= min(each["p_value"] for each in alone)


def test_the_spread_of_two_towers_is_that_of_their_difference_to_the_byte():
    one, (preference,), floor = watched(2, 0)
    found = one.spread([preference], floor)
    plain = spread(
        preference.select(one.kept), one.units, one.first, one.orders, one.documents, one.words, one.confidence
    )  # fmt: skip
    assert {key: found[key] for key in plain} == plain
