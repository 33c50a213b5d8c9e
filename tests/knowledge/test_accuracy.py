"""Accuracy on pairs: ties count half, intervals cover, towers that do not differ are not said to."""

import numpy as np

from twotower.knowledge.accuracy import difference, figure, is_right, numbered, of_paradigms, paradigm_draws


def test_ties_count_one_half():
    assert is_right(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])).tolist() == [0.5, 0.0, 1.0]


def test_the_interval_covers_the_truth():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        right = (generator.random(60) < 0.7).astype(float)
        found = figure(paradigm_draws({"joint": right}, np.arange(60), 400, generator)["joint"])
        covered += found["low"] <= 0.7 <= found["high"]
    assert 180 <= covered <= 198


def test_documents_are_resampled_whole():
    right = np.repeat([0.0, 1.0], 50)
    together = figure(paradigm_draws({"x": right}, np.repeat(np.arange(4), 25), 2000, np.random.default_rng(0))["x"])
    alone = figure(paradigm_draws({"x": right}, np.arange(100), 2000, np.random.default_rng(0))["x"])
    assert together["high"] - together["low"] > 2 * (alone["high"] - alone["low"])


def a_difference(gap, generator, pairs=200):
    shared = generator.random(pairs)
    right = {
        "tower 1": (shared + 0.3 * generator.random(pairs) < 0.7 + gap).astype(float),
        "tower 2": (shared + 0.3 * generator.random(pairs) < 0.7).astype(float),
    }
    right |= {"noise 1": right["tower 1"], "noise 2": right["tower 2"]}
    clusters, paradigm = np.arange(pairs), np.zeros(pairs, dtype=int)
    means = paradigm_draws(right, clusters, 200, generator)
    return difference(means, 2, right, clusters, paradigm, generator)


def test_a_planted_difference_is_found_and_none_is_not():
    generator = np.random.default_rng(0)
    assert sum(a_difference(0.2, generator)["p_value"] < 0.05 for _ in range(40)) >= 36
    assert sum(a_difference(0.0, generator)["p_value"] < 0.05 for _ in range(100)) <= 10


def test_paradigms_count_alike_whatever_their_size():
    generator = np.random.default_rng(0)
    parts = [paradigm_draws({"x": np.ones(1000)}, np.arange(1000), 50, generator),
             paradigm_draws({"x": np.zeros(10)}, np.arange(10), 50, generator)]  # fmt: skip
    assert of_paradigms(parts, generator)["x"][0] == 0.5


def test_one_tower_has_no_difference():
    assert difference({}, 1, {}, np.zeros(1, int), np.zeros(1, int), np.random.default_rng(0)) is None
    assert numbered(["b", "a", "b"]).tolist() == [0, 1, 0]
