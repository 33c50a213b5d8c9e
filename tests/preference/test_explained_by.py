"""Shares of variance on planted truth: they add up, go to what was planted, and to nothing where nothing was."""

from dataclasses import replace

import numpy as np
import pytest

from planted import planted
from twotower.preference.explained_by import explained_by


def shares(explained):
    return {group.name: group for group in explained.groups}


def test_class_gets_the_variance_that_class_made():
    explained = explained_by(planted(0, {"NOUN": 0.6, "PROPN": 0.6, "VERB": -0.6, "AUX": -0.6}, type_sd=0.1))
    groups = shares(explained)
    assert max(groups, key=lambda name: groups[name].shapley.estimate) == "part of speech"
    assert groups["part of speech"].shapley.of_reliable > 0.6
    assert groups["part of speech"].unique.low > 0.2


def test_frequency_gets_what_frequency_made():
    explained = explained_by(planted(1, frequency_effect=0.3, type_sd=0.1))
    groups = shares(explained)
    # Dispersion goes along with frequency, and shares what it explains; word class adds nothing to them.
    by_frequency = groups["frequency"].shapley.estimate + groups["dispersion"].shapley.estimate
    assert by_frequency > 2 * abs(groups["part of speech"].shapley.estimate)
    assert groups["part of speech"].unique.estimate < 0.01


def test_shares_add_up_to_the_total():
    explained = explained_by(planted(2, {"NOUN": 0.4}, frequency_effect=0.1))
    total = sum(group.shapley.estimate for group in explained.groups)
    assert total == pytest.approx(explained.total.estimate, abs=1e-9)
    assert explained.unexplained_of_reliable == pytest.approx(1 - explained.total.of_reliable)


def test_a_preference_without_reason_is_not_explained():
    totals = [explained_by(planted(10 + seed, type_sd=0.4)).total.estimate for seed in range(8)]
    assert np.mean(totals) < 0.02  # below 0 where predictors only cost: it is scored on other types


def test_norms_that_made_the_preference_explain_it(tmp_path):
    measured = planted(3, type_sd=0.05)
    generator = np.random.default_rng(0)
    concreteness = generator.standard_normal(len(measured.pieces))
    scores = measured.scores.copy()
    for name in ("readout_1", "second_1", "third_1", "fourth_1"):
        scores[name] += 0.4 * concreteness[measured.piece]
    table = tmp_path / "norms.csv"
    lines = [f"{word},{value:.3f}" for word, value in zip(measured.pieces, concreteness, strict=True)]
    table.write_text("word,concreteness\n" + "\n".join(lines[: len(lines) * 3 // 4]) + "\n")
    settings = replace(measured.settings, norms=str(table))
    explained = explained_by(replace(measured, scores=scores, settings=settings))
    assert shares(explained)["norms"].unique.estimate > 0.4
    assert 0 < explained.norms.covered < explained.norms.types
    assert explained_by(replace(measured, towers=1)) is None
