"""Strangers matched in perplexity: compared where they are as good alone as the members of a pair."""

import pytest

from twotower.comparison.matching import matched_excess


def run(*points):
    """Evaluations from (nats of each tower, reliability)."""
    return [{"tower_nats": [nats, nats], "reliability": {"estimate": r}} for nats, r in points]


def test_the_nearest_evaluation_of_each_stranger_counts():
    pairs = [run((6.5, 0.1), (6.0, 0.6)), run((6.5, 0.1), (6.0, 0.7))]
    strangers = [run((6.02, 0.2), (5.0, 0.65)), run((7.0, 0.5), (5.98, 0.3), (5.1, 0.6))]
    found = matched_excess(pairs, strangers, 0.95)
    assert found["estimate"] == pytest.approx(0.65 - 0.25)
    assert found["nats"] == {"pairs": 6.0, "strangers": pytest.approx(6.0)} and found["gap"] == pytest.approx(0.02)


def test_strangers_that_are_never_as_good_give_none():
    assert matched_excess([run((6.0, 0.5))], [run((7.0, 0.2), (6.5, 0.3))], 0.95) is None
    assert matched_excess([run((6.0, 0.5))], [], 0.95) is None
    assert matched_excess([], [run((6.0, 0.5))], 0.95) is None
