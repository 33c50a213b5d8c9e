"""CKA and Procrustes against their closed forms."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.stats import ortho_group

from twotower.statistics.alignment import View, cka, hsic, procrustes
from twotower.statistics.intervals import jackknife_interval


def views(n=60, p=7, q=5, seed=0, groups=12):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, p))
    y = x[:, :q] * 0.5 + generator.normal(size=(n, q)) + 3.0
    group = np.sort(generator.integers(groups, size=n))
    group[:groups] = np.arange(groups)
    return x, y, group


def gram_hsic(x, y):
    """Equation 5 of Song et al. (2012), with its Gram matrices."""
    n = len(x)
    k, other = x @ x.T, y @ y.T
    np.fill_diagonal(k, 0)
    np.fill_diagonal(other, 0)
    ones = np.ones(n)
    return (
        np.trace(k @ other)
        + (ones @ k @ ones) * (ones @ other @ ones) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (ones @ k @ other @ ones)
    ) / (n * (n - 3))


def biased_cka(x, y):
    """Equation 4 of Kornblith et al. (2019), on centred Gram matrices."""
    centre = np.eye(len(x)) - 1 / len(x)
    k, other = centre @ x @ x.T @ centre, centre @ y @ y.T @ centre
    return np.trace(k @ other) / np.sqrt(np.trace(k @ k) * np.trace(other @ other))


def gram_cka(x, y):
    return gram_hsic(x, y) / np.sqrt(gram_hsic(x, x) * gram_hsic(y, y))


def test_sums_over_groups_give_what_gram_matrices_give():
    x, y, group = views()
    estimates = cka(View.of(x, group), View.of(y, group))
    assert estimates[0] == pytest.approx(gram_cka(x, y), rel=1e-9)
    for left_out in range(group.max() + 1):
        kept = group != left_out
        assert estimates[1 + left_out] == pytest.approx(gram_cka(x[kept], y[kept]), rel=1e-9)


def test_with_many_examples_it_is_the_formula_on_centred_gram_matrices():
    x, y, group = views(n=1500)
    estimate = cka(View.of(x, group), View.of(y, group))[0]
    assert estimate == pytest.approx(biased_cka(x, y), abs=0.01)


def test_independent_noise_is_alike_to_the_biased_estimator_alone():
    generator = np.random.default_rng(1)
    group = np.arange(100)
    pairs = [generator.normal(size=(2, 100, 64)) for _ in range(30)]
    unbiased = [cka(View.of(x, group), View.of(y, group))[0] for x, y in pairs]
    assert abs(np.mean(unbiased)) < 0.02
    assert np.mean([biased_cka(x, y) for x, y in pairs]) > 0.3


def test_rotation_scale_and_shift_change_neither():
    x, y, group = views()
    turned = 4.0 * x @ ortho_group.rvs(x.shape[1], random_state=2) - 1.0
    one, other, second = View.of(x, group), View.of(turned, group), View.of(y, group)
    assert cka(one, other) == pytest.approx(np.ones(group.max() + 2))
    assert procrustes(one, other) == pytest.approx(np.zeros(group.max() + 2), abs=1e-9)
    assert cka(other, second) == pytest.approx(cka(one, second))
    assert procrustes(other, second) == pytest.approx(procrustes(one, second))


def scipy_distance(x, y):
    def normed(values):
        centred = values - values.mean(axis=0)
        return centred / np.linalg.norm(centred)

    wide = normed(x)
    narrow = np.pad(normed(y), ((0, 0), (0, x.shape[1] - y.shape[1])))
    rotation, scale = orthogonal_procrustes(wide, narrow)
    distance = np.linalg.norm(wide @ rotation - narrow) ** 2
    assert distance == pytest.approx(2 - 2 * scale)
    return distance


def test_procrustes_is_scipys_and_without_a_group_nearly_so():
    x, y, group = views(n=600, groups=30)
    distances = procrustes(View.of(x, group), View.of(y, group))
    assert distances[0] == pytest.approx(scipy_distance(x, y))
    exact = np.array([distances[0], *(scipy_distance(x[group != g], y[group != g]) for g in range(30))])
    assert np.corrcoef(distances[1:], exact[1:])[0, 1] > 0.99
    one, other = jackknife_interval(distances, 0.95), jackknife_interval(exact, 0.95)
    assert one.high - one.low == pytest.approx(other.high - other.low, rel=0.05)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(3)
    mixing = generator.normal(size=(4, 4))

    def draw(groups, each):
        x = np.repeat(generator.normal(size=(groups, 4)), each, axis=0) + generator.normal(size=(groups * each, 4))
        y = x @ mixing + 2 * generator.normal(size=(groups * each, 4))
        group = np.repeat(np.arange(groups), each)
        return View.of(x, group), View.of(y, group)

    truth = cka(*draw(3000, 8))[0]
    inside = 0
    for _ in range(200):
        estimate = jackknife_interval(cka(*draw(40, 8)), 0.95)
        inside += estimate.low <= truth <= estimate.high
    assert 176 <= inside <= 200


def test_a_view_that_does_not_vary_has_no_likeness():
    x, _, group = views()
    still = View.of(np.ones_like(x), group)
    assert np.isnan(cka(View.of(x, group), still)).all()
    assert np.isnan(procrustes(View.of(x, group), still)).all()
    assert np.isfinite(hsic(still, still)).all()
