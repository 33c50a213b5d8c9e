"""Reliability between clusters: a preference of the type is the same everywhere, one of its period is not."""

from dataclasses import replace

import numpy as np
import pytest

from planted import planted
from twotower.preference.clusters import ReliabilityByCluster, by_cluster, source_numbers
from twotower.preference.reliability import reliability_of
from twotower.system.errors import InputError


def with_periods(measured, sd):
    """The same, tower 1 better by a draw of its own for each type in each half of the documents."""
    generator = np.random.default_rng(1)
    late = (measured.document >= measured.documents // 2).astype(int)
    shift = sd * generator.standard_normal((2, len(measured.pieces)))[late, measured.piece]
    scores = measured.scores.copy()
    for name in ("readout_1", "second_1", "third_1", "fourth_1"):
        scores[name] += shift
    return replace(measured, scores=scores)


def test_what_belongs_to_a_type_is_the_same_between_early_and_late_documents():
    measured = planted(0, {"NOUN": 0.5, "VERB": -0.5})
    clustered, random = by_cluster(measured), reliability_of(measured)
    assert clustered.order.estimate == pytest.approx(random.estimate, abs=0.08)
    assert clustered.order.low < clustered.order.estimate < clustered.order.high


def test_what_belongs_to_a_period_agrees_in_random_halves_only():
    """Audit A: the correlation of random halves was 0.70, that of periods 0.11."""
    measured = with_periods(planted(0, type_sd=0.0), sd=0.8)
    clustered, random = by_cluster(measured), reliability_of(measured)
    assert random.estimate > 0.35 and abs(clustered.order.estimate) < 0.15


@pytest.mark.montecarlo
def test_one_tower_that_is_read_twice_passes_for_two_as_often_as_it_may():
    """An interval that only resamples documents does so in 15 % of the texts."""
    texts = (planted(seed, type_sd=0.0, readout_sd=1.0, types=200, tokens=6_000, documents=20) for seed in range(80))
    assert sum(by_cluster(text).order.low > 0 for text in texts) <= 5  # 2 expected


def test_sources_are_kept_together_and_named_by_the_user():
    assert source_numbers(["a.txt#1", "a.txt#2", "b.txt#1", "c:7"], "").tolist() == [0, 0, 1, 2]
    assert source_numbers(["1790-W.txt", "1791-W.txt", "1862-L.txt"], r"-(\w)").tolist() == [1, 1, 0]
    with pytest.raises(InputError, match=r"does not match the document 'b\.txt'"):
        source_numbers(["a1.txt", "b.txt"], r"(\d)")


def test_documents_that_are_sources_of_their_own_have_no_figure_by_source():
    assert by_cluster(planted(1)).source is None
    few = planted(2, documents=4)
    assert by_cluster(few) == ReliabilityByCluster(order=None, source=None, topic=None)
