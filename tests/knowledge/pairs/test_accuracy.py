"""Accuracy on pairs: ties count half, intervals cover, towers that do not differ are not said to."""

import numpy as np
import pytest

from twotower.knowledge.pairs.accuracy import difference, is_right, numbered, of_paradigms, paradigm_draws
from twotower.statistics.intervals import centred_estimate


def test_ties_count_one_half():
    assert is_right(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])).tolist() == [0.5, 0.0, 1.0]


def test_the_interval_covers_the_truth():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        right = (generator.random(60) < 0.7).astype(float)
        estimate = centred_estimate(paradigm_draws({"joint": right}, np.arange(60), 400, generator)["joint"], 0.95)
        covered += estimate.low <= 0.7 <= estimate.high
    assert 180 <= covered <= 198


def test_documents_are_resampled_whole():
    right = np.repeat([0.0, 1.0], 50)
    together = centred_estimate(
        paradigm_draws({"x": right}, np.repeat(np.arange(4), 25), 2000, np.random.default_rng(0))["x"], 0.95
    )
    alone = centred_estimate(paradigm_draws({"x": right}, np.arange(100), 2000, np.random.default_rng(0))["x"], 0.95)
    assert together.high - together.low > 2 * (alone.high - alone.low)


def a_difference(gap, generator, pairs=200):
    shared = generator.random(pairs)
    right = {
        "tower 1": (shared + 0.3 * generator.random(pairs) < 0.7 + gap).astype(float),
        "tower 2": (shared + 0.3 * generator.random(pairs) < 0.7).astype(float),
    }
    right |= {"second 1": right["tower 1"], "second 2": right["tower 2"]}
    clusters, paradigm = np.arange(pairs), np.zeros(pairs, dtype=int)
    means = paradigm_draws(right, clusters, 200, generator)
    return difference(means, 2, right, clusters, paradigm, 1000, 0.95, generator)


def test_a_planted_difference_is_found_and_none_is_not():
    generator = np.random.default_rng(0)
    assert sum(a_difference(0.2, generator).p_value < 0.05 for _ in range(40)) >= 36
    assert sum(a_difference(0.0, generator).p_value < 0.05 for _ in range(100)) <= 10


def test_paradigms_count_alike_whatever_their_size():
    generator = np.random.default_rng(0)
    parts = [paradigm_draws({"x": np.ones(1000)}, np.arange(1000), 50, generator),
             paradigm_draws({"x": np.zeros(10)}, np.arange(10), 50, generator)]  # fmt: skip
    assert of_paradigms(parts, generator)["x"][0] == 0.5


def test_one_tower_has_no_difference():
    assert difference({}, 1, {}, np.zeros(1, int), np.zeros(1, int), 1000, 0.95, np.random.default_rng(0)) is None
    assert numbered(["b", "a", "b"]).tolist() == [0, 1, 0]


def of_towers(gaps, generator, pairs=200):
    """By how much towers differ that are each right so much more often than any; clusters of two pairs."""
    shared = generator.random(pairs)
    right = {
        f"tower {tower}": (shared + 0.3 * generator.random(pairs) < 0.7 + gap).astype(float)
        for tower, gap in enumerate(gaps, start=1)
    }
    clusters, paradigm = np.arange(pairs) // 2, np.zeros(pairs, dtype=int)
    return difference(
        paradigm_draws(right, clusters, 100, generator), len(gaps), right, clusters, paradigm, 1000, 0.95, generator
    )


def test_of_several_towers_alike_the_best_is_seldom_said_to_differ_from_the_worst():
    generator = np.random.default_rng(0)
    differences = [of_towers([0.0] * 4, generator) for _ in range(60)]
    assert sum(difference.p_value < 0.05 for difference in differences) <= 8, "of 60, with the best of four chosen"
    assert sum(difference.low > 0 for difference in differences) <= 9


def test_of_several_towers_the_one_that_is_better_is_found():
    differences = [of_towers([0.0, 0.0, 0.2], np.random.default_rng(seed)) for seed in range(10)]
    assert all(difference.p_value < 0.05 and difference.low > 0 and difference.of[0] == 3 for difference in differences)


def test_several_towers_that_never_differ_do_not_by_chance():
    right = {f"tower {tower}": np.ones(30) for tower in (1, 2, 3)}
    clusters, paradigm, generator = np.arange(30), np.zeros(30, dtype=int), np.random.default_rng(0)
    estimate = difference(
        paradigm_draws(right, clusters, 50, generator), 3, right, clusters, paradigm, 1000, 0.95, generator
    )
    assert (estimate.estimate, estimate.p_value) == (0.0, 1.0)


def test_of_two_towers_nothing_is_chosen():
    """The interval is that of tower 1 minus tower 2, and the null exchanges the two, to the byte."""
    generator = np.random.default_rng(4)
    right = {f"tower {tower}": (generator.random(60) < 0.7).astype(float) for tower in (1, 2)}
    clusters, paradigm = np.arange(60) // 2, np.arange(60) % 3
    means = paradigm_draws(right, clusters, 100, generator)
    estimate = difference(means, 2, right, clusters, paradigm, 1000, 0.95, np.random.default_rng(0))
    apart = np.bincount(clusters, weights=(right["tower 1"] - right["tower 2"]) / 20 / 3)
    chance = np.abs(np.random.default_rng(0).choice([-1.0, 1.0], size=(1000, 30)) @ apart)
    plain = centred_estimate(means["tower 1"] - means["tower 2"], 0.95)
    assert {key: getattr(estimate, key) for key in vars(plain)} == vars(plain) and estimate.of == [1, 2]
    assert estimate.null_high == np.quantile(chance, 0.95)
    assert estimate.p_value == pytest.approx((1 + (chance >= abs(apart.sum()) - 1e-12).sum()) / 1001, abs=0)
