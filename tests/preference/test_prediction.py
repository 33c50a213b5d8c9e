"""Part of speech from preference: found where it is planted, and not where preference only follows frequency."""

import numpy as np
import pytest

from twotower.preference import prediction
from twotower.preference.prediction import predict_part_of_speech
from twotower.statistics.strata import frequency_bins
from twotower.statistics.tallies import tally

TYPES, DOCUMENTS = 160, 12
TAGS = np.array(["NOUN", "VERB", "ADP", "DET"], dtype=object)


def planted(seed, by_class=0.0, by_frequency=0.0):
    """Preferences of types of four parts of speech, of which two are frequent, measured on a few documents."""
    generator = np.random.default_rng(seed)
    upos = TAGS[np.arange(TYPES) % 4]
    closed = np.isin(upos, ["ADP", "DET"])
    log_frequency = generator.normal(4, 1, TYPES) + 1.5 * closed
    frequency = np.round(np.exp(log_frequency)).astype(np.int64)
    means = generator.normal(0, 0.3, TYPES) + by_class * (upos == "ADP") + by_frequency * log_frequency
    kind = np.tile(np.repeat(np.arange(TYPES), 3), DOCUMENTS)
    document = np.repeat(np.arange(DOCUMENTS), 3 * TYPES)
    values = means[kind] + generator.normal(0, 1, len(kind))
    tallies = tally(document, kind, values, TYPES)
    strata = frequency_bins(frequency, 1.25, 8)
    return predict_part_of_speech([tallies], frequency, upos, strata, 0.95, generator)


def test_a_class_that_one_tower_prefers_is_told_from_the_others():
    found = planted(0, by_class=2.0)
    gain = found["gain"]
    assert gain["low"] > 0.2 and gain["p_value"] == 1 / 200
    assert found["nats"]["frequency"] - found["nats"]["frequency_and_preference"] == gain["estimate"]
    accuracy = found["balanced_accuracy"]
    assert accuracy["frequency_and_preference"] > accuracy["frequency"] + 0.1
    assert found["classes"] == sorted(TAGS) and found["types"] == TYPES


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(prediction, "DRAWS", 2)
    monkeypatch.setattr(prediction, "PERMUTATIONS", 59)


def test_without_an_effect_the_null_is_kept(few):
    p_values = np.array([planted(seed)["gain"]["p_value"] for seed in range(10, 30)])
    assert (p_values < 0.05).sum() <= 4 and 0.2 < p_values.mean() < 0.8


def test_preference_that_follows_frequency_tells_nothing_more_than_frequency(few):
    found = [planted(seed, by_frequency=0.5)["gain"] for seed in range(40, 50)]
    assert sum(one["p_value"] < 0.05 for one in found) <= 3
    assert np.mean([one["estimate"] for one in found]) < 0.02


def test_too_few_types_of_each_class_give_nothing():
    tallies = tally(np.zeros(30, dtype=int), np.arange(30), np.zeros(30), 30)
    upos = np.array(["NOUN"] * 25 + ["DET"] * 5, dtype=object)
    frequency = np.arange(30)
    strata = frequency_bins(frequency, 1.25, 8)
    assert predict_part_of_speech([tallies], frequency, upos, strata, 0.95, np.random.default_rng(0)) is None
