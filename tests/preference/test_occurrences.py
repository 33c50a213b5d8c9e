"""Within types: what follows the topic is found, what differs between types only is not."""

from dataclasses import replace

import numpy as np

from planted import planted
from twotower.preference.occurrences import covariates, period, sentence_positions, topicality, within_types


def row(found, name):
    return next(one for one in found["covariates"] if one["name"] == name)


def with_slope(measured, values, slope):
    scores = measured.scores.copy()
    for name in ("readout_1", "noise_1", "init_1", "order_1"):
        scores[name] += slope * (values - values.mean()) / values.std()
    return replace(measured, scores=scores)


def test_a_planted_slope_of_topicality_is_found_with_its_sign_and_size():
    plain = planted(0, tokens=12_000)
    for slope in (0.1, -0.1):
        found = row(within_types(with_slope(plain, topicality(plain), slope)), "topicality")
        assert np.sign(found["estimate"]) == np.sign(slope) and found["p_value"] < 0.001
        assert found["low"] < found["estimate"] < found["high"]
        assert abs(found["noise_floor"]["estimate"]) < 0.02


def test_differences_between_types_are_no_slope():
    """A tower that is better at rare or at frequent types, or at nouns, follows no topic."""
    p_values = [
        row(within_types(planted(seed, {"NOUN": 0.5}, frequency_effect=0.3, tokens=6_000)), "topicality")["p_value"]
        for seed in range(20)
    ]
    assert sum(p <= 0.05 for p in p_values) <= 4


def test_an_occurrence_does_not_count_for_its_own_typicality():
    """Else a type that occurs once in the text would be typical of its document by construction."""
    measured = planted(1, types=300, tokens=6_000)
    alone = np.flatnonzero(measured.counts[measured.piece] == 1)
    assert len(alone) and (topicality(measured)[alone] <= 0).all() and (period(measured)[alone] <= 0).all()


def test_positions_count_from_the_last_end_of_a_sentence():
    measured = planted(2, tokens=60, documents=2, types=5)
    names = ["word0", ".", "word2", "word3", "word4"]
    found = sentence_positions(replace(measured, pieces=names))
    begins = np.flatnonzero(np.diff(measured.document)) + 1
    after = np.flatnonzero(measured.piece[:-1] == 1) + 1
    assert found[0] == 0 and (found[begins] == 0).all() and (found[after] == 0).all()
    rest = np.setdiff1d(np.arange(1, 60), np.concatenate([begins, after]))
    assert (found[rest] == found[rest - 1] + 1).all()


def test_what_needs_the_prepared_text_is_named_where_there_is_none():
    assert covariates(planted(3, tokens=2_000))[1] == ["far words", "bigram gain"]
    assert within_types(replace(planted(3, towers=1), towers=1)) is None
