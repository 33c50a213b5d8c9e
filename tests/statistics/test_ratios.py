"""Where a figure lies between two others, and when that cannot be said."""

import numpy as np
import pytest

from twotower.statistics.intervals import Estimate
from twotower.statistics.ratios import share_between

REACH = 1.959964


def measured(value, error):
    return Estimate(value, value - REACH * error, value + REACH * error)


def test_the_interval_holds_the_true_share_as_often_as_it_says():
    generator = np.random.default_rng(0)
    errors = (0.02, 0.01, 0.05)
    held = 0
    for _ in range(2000):
        found, nothing, whole = (
            measured(generator.normal(true, error), error)
            for true, error in zip((0.2, 0.05, 0.55), errors, strict=True)
        )
        share = share_between(found, nothing, whole, 0.95)
        held += share is not None and share.low <= 0.3 <= share.high
    assert held / 2000 == pytest.approx(0.95, abs=0.015)


def test_there_is_no_share_of_what_does_not_exceed_nothing():
    assert share_between(measured(0.2, 0.02), measured(0.05, 0.02), measured(0.08, 0.02), 0.95) is None
    assert share_between(measured(0.2, 0.02), measured(0.5, 0.02), measured(0.1, 0.02), 0.95) is None


def test_a_division_larger_than_the_planted_one_lies_above_one():
    share = share_between(measured(0.4, 0.01), measured(0.0, 0.01), measured(0.2, 0.01), 0.95)
    assert share is not None and share.estimate == pytest.approx(2) and 1 < share.low < 2 < share.high
