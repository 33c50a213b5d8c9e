"""Bins of frequency hold types of similar frequency; permutations stay inside them; the spline takes frequency out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twotower.statistics.strata import frequency_bins, permutations_within, smooth_basis

frequencies = st.lists(st.integers(0, 10**7), min_size=1, max_size=80).map(np.array)


@given(frequencies, st.floats(1.01, 3.0))
def test_types_of_a_bin_differ_by_no_more_than_the_ratio(frequency, ratio):
    bins = frequency_bins(frequency, ratio)
    for number in np.unique(bins):
        inside = frequency[bins == number] + 1.0
        assert inside.max() <= inside.min() * ratio * (1 + 1e-9)
    order = np.argsort(-frequency, kind="stable")
    assert (np.diff(bins[order]) >= 0).all() and bins.min() == 0


@given(frequencies, st.integers(2, 10))
def test_bins_of_a_permutation_hold_enough_types(frequency, fewest):
    bins = frequency_bins(frequency, 1.25, fewest)
    assert np.bincount(bins).min() >= min(fewest, len(frequency))


@given(frequencies)
def test_permutations_never_leave_their_stratum(frequency):
    bins = frequency_bins(frequency, 1.5)
    orders = permutations_within(bins, 5, np.random.default_rng(0))
    for order in orders:
        assert sorted(order) == list(range(len(bins))) and (bins[order] == bins).all()


def test_the_basis_fits_a_smooth_function_of_frequency_and_the_mean():
    frequency = np.round(np.exp(np.random.default_rng(0).normal(5, 2, 500)))
    basis, values = smooth_basis(frequency), np.sin(np.log(frequency + 1) / 2)
    fitted = basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    assert np.var(values - fitted) < 0.02 * np.var(values)
    assert np.allclose(basis.sum(axis=1), 1)
    assert smooth_basis(np.full(10, 7)).shape == (10, 1)
