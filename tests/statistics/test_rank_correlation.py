"""Spearman's correlation over pairs that share words."""

import numpy as np
import pytest
from scipy import stats

from twotower.statistics.rank_correlation import (
    correlation_estimate,
    difference_estimate,
    dyadic_error,
    rank_correlation,
)


def test_it_is_scipys_with_ties_and_without():
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(2, 80))
    for one in (x, x.round()):
        assert rank_correlation(one, y).rho == pytest.approx(stats.spearmanr(one, y).statistic)
    assert np.isnan(rank_correlation(np.ones(5), y[:5]).rho)


def test_influence_is_what_a_pair_left_out_changes():
    generator = np.random.default_rng(1)
    x = generator.normal(size=400)
    y = x + generator.normal(size=400)
    correlation = rank_correlation(x, y)
    without = np.array([stats.spearmanr(np.delete(x, k), np.delete(y, k)).statistic for k in range(400)])
    assert -correlation.influence / 399 == pytest.approx(without - correlation.rho, abs=2e-4)
    independent = np.stack([np.arange(400), 400 + np.arange(400)], axis=1)
    drawn = [
        stats.spearmanr(x[rows], y[rows]).statistic for rows in generator.integers(400, size=(600, 400))
    ]  # pairs that share no word: the bootstrap over pairs is right
    assert dyadic_error(correlation.influence, independent) == pytest.approx(np.std(drawn), rel=0.12)


def test_the_interval_holds_the_truth_where_pairs_share_words():
    generator = np.random.default_rng(2)
    words = generator.integers(40, size=(300, 2))
    words = words[words[:, 0] != words[:, 1]]

    def draw():
        x, y = generator.normal(size=(2, len(words)))
        effect = generator.normal(size=(2, 40))
        return x + effect[0][words].sum(axis=1), y + effect[1][words].sum(axis=1)

    inside = narrow = 0
    apart = np.arange(2 * len(words)).reshape(-1, 2)
    for _ in range(300):
        correlation = rank_correlation(*draw())
        one, other = (correlation_estimate(correlation, pairs, 0.95) for pairs in (words, apart))
        inside += one.low <= 0 <= one.high
        narrow += other.low <= 0 <= other.high
    assert inside >= 270
    assert narrow < 240  # as if pairs were independent: far too sure


def test_the_difference_of_a_view_with_itself_is_sure_to_be_none():
    generator = np.random.default_rng(3)
    x, y, z = generator.normal(size=(3, 100))
    words = generator.integers(60, size=(100, 2))
    correlation = rank_correlation(x, z)
    same = difference_estimate(correlation, correlation, words, 0.95)
    assert (same.estimate, same.low, same.high) == (0, 0, 0)
    other = difference_estimate(correlation, rank_correlation(y, z), words, 0.95)
    assert other.low < other.estimate < other.high


def test_a_word_with_itself_is_one_pair():
    assert dyadic_error(np.array([1.0, -1.0]), np.array([[0, 0], [1, 1]])) == pytest.approx(np.sqrt(2) / 2)
