"""Grouping by key says what `numpy.unique` says, whichever way it goes, and rotations what rotating one by one does."""

from __future__ import annotations

import numpy as np
import pytest

from twotower.statistics.clustering import Clusters
from twotower.statistics.division import Readings, share
from twotower.statistics.grouping import numbered
from twotower.statistics.relabelling import shifted_shares


@pytest.mark.parametrize("most", [1, 7, 300, 5_000, 1 << 40, 1 << 62])
@pytest.mark.parametrize("places", [1, 300])
def test_keys_are_numbered(most: int, places: int) -> None:
    generator = np.random.default_rng(0)
    key = np.concatenate([drawn := generator.integers(0, most, places), drawn[: places // 2]])
    expected, inverse = np.unique(key, return_inverse=True)
    keys, number = numbered(key)
    np.testing.assert_array_equal(keys, expected)
    np.testing.assert_array_equal(number, inverse)
    values, run = numbered(np.sort(key))
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(values[run], np.sort(key))


def test_all_rotations_at_once_are_those_of_labels_rotated_one_by_one() -> None:
    generator = np.random.default_rng(1)
    document = np.repeat(np.arange(12), generator.integers(5, 60, 12))
    label = generator.integers(0, 4, len(document))
    differences = generator.standard_normal((2, 1, len(document))) + 0.5 * label + generator.standard_normal(len(label))
    readings = Readings(differences, document, Clusters({"document": document}), 0.95)
    drawn = shifted_shares(readings, label, 3, np.random.default_rng(2))
    generator = np.random.default_rng(2)
    for numbers in drawn:
        turns = generator.integers(0, np.bincount(document))
        rotated = np.concatenate([np.roll(label[document == number], -turn) for number, turn in enumerate(turns)])
        assert numbers == pytest.approx(share(readings, rotated).share.estimate)
