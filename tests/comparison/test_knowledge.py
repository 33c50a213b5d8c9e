"""Instruments over runs: an association is free of the towers' numbers, and found only where there is one."""

import warnings

import numpy as np

from small_results import known_of_pairs
from twotower.comparison.inference import discoveries
from twotower.comparison.knowledge import association, knowledge_of_runs


def planted(cosine: float, runs: int, generator: np.random.Generator):
    first = generator.normal(size=runs)
    return first, cosine * first + np.sqrt(1 - cosine**2) * generator.normal(size=runs)


def test_each_tower_with_its_own_is_found_and_keeps_its_sign_when_towers_change_places():
    generator = np.random.default_rng(0)
    first, second = planted(-0.9, 16, generator)
    estimate = association(first, second, generator, 0.95)
    assert estimate.estimate < -0.7 and estimate.high < 0 and estimate.p_value < 0.01
    swapped = generator.choice([-1, 1], size=16)
    assert association(swapped * first, swapped * second, generator, 0.95).estimate == estimate.estimate


def test_instruments_that_have_nothing_in_common_are_seldom_said_to():
    generator = np.random.default_rng(1)
    assert sum(association(*planted(0, 10, generator), generator, 0.95).p_value < 0.05 for _ in range(100)) <= 11


def test_the_table_keeps_strangers_apart_and_leaves_out_what_is_of_the_same_thing():
    generator = np.random.default_rng(2)
    runs = [(f"pair {number}", False, known_of_pairs(x, -x)) for number, x in enumerate(generator.normal(size=8))]
    runs += [(f"strangers {number}", True, known_of_pairs(*generator.normal(size=2))) for number in range(6)]
    knowledge = knowledge_of_runs(runs, 0.95)
    assert [(row.stranger, row.association.runs) for row in knowledge.table] == [(False, 8), (True, 6)]
    assert knowledge.table[0].association.estimate == -1 and knowledge.table[0].association.agree == 0
    assert [(row.runs, row.passed) for row in knowledge.instruments if not row.stranger] == [(8, 8), (8, 8)]
    assert knowledge_of_runs([], 0.95) is None


def test_an_instrument_that_never_differs_has_no_association_and_counts_in_no_family():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimate = association(np.zeros(6), np.arange(1.0, 7.0), np.random.default_rng(0), 0.95)
    assert estimate.p_value is None and not np.isfinite([estimate.estimate, estimate.low, estimate.high]).any()
    family = [("what towers know", name, p) for name, p in (("a", estimate.p_value), ("b", 0.04))]
    assert [(test.name, test.q_value) for test in discoveries(family)] == [("b", 0.04)]


def test_the_interval_is_as_wide_as_it_must_be_to_be_as_sure_as_asked():
    first, second = planted(0.5, 16, np.random.default_rng(3))
    wide, narrow = (association(first, second, np.random.default_rng(0), confidence) for confidence in (0.99, 0.5))
    assert wide.low < narrow.low < wide.estimate == narrow.estimate < narrow.high < wide.high
