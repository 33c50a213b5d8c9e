"""Runs as the unit: excess over strangers, dose and response, false discoveries."""

import numpy as np
import pytest
from scipy import stats

from twotower.comparison.inference import Trend, discoveries, dose_response, excess


def test_an_excess_has_its_size_its_interval_and_an_exact_p_value():
    difference = excess([0.7, 0.72, 0.69, 0.74], [0.5, 0.55, 0.52, 0.51], 0.95)
    assert difference.estimate == pytest.approx(0.7125 - 0.52)
    assert difference.p_value == pytest.approx(1 / 70)  # the most extreme of 8 choose 4
    interval = stats.ttest_ind([0.7, 0.72, 0.69, 0.74], [0.5, 0.55, 0.52, 0.51], equal_var=False).confidence_interval()
    assert (difference.low, difference.high) == pytest.approx((interval.low, interval.high))
    assert difference.hedges_g > 5


def test_without_an_excess_five_percent_are_significant():
    generator = np.random.default_rng(0)
    differences = [excess(generator.normal(size=5), generator.normal(size=5), 0.95) for _ in range(200)]
    assert 2 <= sum(difference.p_value <= 0.05 for difference in differences) <= 20
    assert 180 <= sum(difference.low <= 0 <= difference.high for difference in differences) <= 199


def test_one_run_gives_a_difference_and_no_more():
    difference = excess([0.7], [0.5, 0.6], 0.95)
    assert difference.estimate == pytest.approx(0.15)
    assert np.isnan(difference.low) and difference.p_value is difference.hedges_g is None


def test_a_dose_response_is_monotone_association():
    assert dose_response([1, 2, 3, 4, 5], [1, 4, 9, 16, 25]) == Trend(pytest.approx(1), pytest.approx(1 / 60))
    assert dose_response([1, 1, 1, 1], [1, 2, 3, 4]) == Trend(tau=None, p_value=None)
    assert dose_response([1, 2, 3], [1, 2, 3]) == Trend(tau=None, p_value=None)


@pytest.mark.parametrize(
    ("doses", "seeds", "p_value"),
    [
        ([1, 1, 1, 2, 2, 2], None, 2 / 20),  # the two ends of 6 choose 3, where a normal distribution says 0.0495
        ([1, 1, 1, 2, 2, 2], [0, 1, 2, 3, 4, 5], 2 / 20),
        ([1, 1, 1, 2, 2, 2], [0, 1, 2, 0, 1, 2], 2 / 2**3),  # each seed may have its two runs the other way round
        ([1, 1, 2, 2, 3, 3], [0, 1, 0, 1, 0, 1], 2 / 6**2),
        ([1, 2, 3, 1, 2, 3], [0, 0, 0, 1, 1, 1], 2 / 6**2),
    ],
)
def test_a_trend_without_exception_is_the_rarest_of_the_orders_that_the_design_allows(doses, seeds, p_value):
    rising = [dose + number / 100 for number, dose in enumerate(doses)]
    assert dose_response(doses, rising, seeds).p_value == pytest.approx(p_value)
    assert dose_response(doses, [-value for value in rising], seeds).p_value == pytest.approx(p_value)


def test_where_orders_are_too_many_the_same_are_drawn_every_time_and_none_has_no_chance():
    doses, seeds = [1, 2, 3, 4] * 4, [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
    trend = dose_response(doses, [10 * dose + seed for dose, seed in zip(doses, seeds, strict=True)], seeds)
    assert trend == Trend(tau=pytest.approx(0.89, abs=0.01), p_value=1 / 10_000)
    noise = np.random.default_rng(0).normal(size=16).tolist()
    assert dose_response(doses, noise, seeds) == dose_response(doses, noise, seeds)
    assert 0.05 < dose_response(doses, noise, seeds).p_value <= 1


@pytest.mark.parametrize("seeds", [None, [0, 1, 2] * 2], ids=["all runs", "within seeds"])
def test_without_a_trend_at_most_five_percent_are_significant(seeds):
    """The normal approximation passed in one of ten: only perfect separation of two doses and three seeds each."""
    generator = np.random.default_rng(0)
    trends = [dose_response([1, 1, 1, 2, 2, 2], generator.normal(size=6).tolist(), seeds) for _ in range(200)]
    assert sum(trend.p_value <= 0.05 for trend in trends) <= 10
    assert sum(trend.p_value <= 0.25 for trend in trends) <= 65


def test_what_seeds_share_hides_no_trend():
    """Seeds far apart, a small rise within each: it is seen within seeds and lost among all runs."""
    doses, seeds = [1, 1, 1, 2, 2, 2, 3, 3, 3], [0, 1, 2] * 3
    responses = [10 * seed + dose for dose, seed in zip(doses, seeds, strict=True)]
    assert dose_response(doses, responses, seeds).p_value == pytest.approx(2 / 6**3)
    assert dose_response(doses, responses).p_value > 0.2


def test_false_discoveries_are_controlled_within_each_family():
    tests = [("a", str(k), p) for k, p in enumerate([0.01, 0.02, 0.03, 0.5])]
    q_values = discoveries([*tests, ("b", "alone", 0.04), ("b", "no", None)])
    assert [test.q_value for test in q_values] == pytest.approx([0.04, 0.04, 0.04, 0.5, 0.04])
    assert len(q_values) == 5
