"""The statistics on planted truth: what they find where something is, and where nothing is."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from planted import planted
from twotower.preference import reliability as reliability_module
from twotower.preference import types
from twotower.preference.reliability import reliability, reliability_of, spearman_brown
from twotower.preference.separation import separation
from twotower.preference.types import type_preferences
from twotower.statistics import tallies
from twotower.statistics.ranking import matched, stratified_auroc
from twotower.statistics.strata import frequency_bins
from twotower.statistics.tallies import halves, resample, tally


def simulate(generator, documents=40, types=200, tokens=400, effect=0.0, spread=0.3, topic=0.2, noise=1.0):
    """Occurrences with a known preference per type: Zipfian types, noise shared within a document and type.

    The first fifth of the frequency-ordered types alternate as function types, whose preference is `effect` higher.
    """
    frequency = 1 / np.arange(2, types + 2)
    function = np.arange(types) % 3 == 0
    truth = spread * generator.standard_normal(types) + effect * function
    kind = generator.choice(types, size=documents * tokens, p=frequency / frequency.sum())
    document = np.repeat(np.arange(documents), tokens)
    shared = topic * generator.standard_normal((documents, types))
    value = truth[kind] + shared[document, kind] + noise * generator.standard_normal(len(kind))
    return document, kind, value, truth, function, frequency


def test_sparse_and_dense_tallies_agree(monkeypatch):
    document, kind, value, *_ = simulate(np.random.default_rng(0))
    dense = tally(document, kind, value, 200)
    monkeypatch.setattr(tallies, "DENSE_LIMIT", 0)
    sparse = tally(document, kind, value, 200)
    weights = resample(40, 7, np.random.default_rng(1))
    for one, other in zip(dense.means(weights), sparse.means(weights), strict=True):
        np.testing.assert_allclose(one, other)
    for key, column in type_preferences(dense, 100, 0.95, np.random.default_rng(2)).items():
        other = type_preferences(sparse, 100, 0.95, np.random.default_rng(2))[key]
        np.testing.assert_allclose(column, other, err_msg=key)


def test_intervals_of_types_do_not_depend_on_how_many_are_drawn_at_a_time(monkeypatch):
    document, kind, value, *_ = simulate(np.random.default_rng(0))
    tallied = tally(document, kind, value, 200)
    whole = type_preferences(tallied, 100, 0.95, np.random.default_rng(2))
    monkeypatch.setattr(types, "CELLS", 0)  # 16 types and 10 draws at a time
    for key, column in type_preferences(tallied, 100, 0.95, np.random.default_rng(2)).items():
        np.testing.assert_allclose(column, whole[key], rtol=1e-10, err_msg=key)


def test_halves_and_resamples_partition_the_documents():
    generator = np.random.default_rng(0)
    first = halves(11, 500, generator)
    assert set(first.sum(axis=1)) == {5.0, 6.0} and set(np.unique(first)) == {0.0, 1.0}
    assert np.abs(first.mean(axis=0) - 0.5).max() < 0.1
    assert (resample(11, 50, generator).sum(axis=1) == 11).all()


def test_standard_errors_and_intervals_cover_the_truth():
    """Coverage near nominal although occurrences within a document share noise."""
    inside_error, inside_interval, trials = 0, 0, 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        document, kind, value, truth, *_ = simulate(generator, documents=60, types=30)
        result = type_preferences(tally(document, kind, value, 30), 400, 0.95, generator)
        distance = np.abs(result["mean"] - truth)
        inside_error += (distance < 2.0 * result["standard_error"]).sum()
        inside_interval += ((result["low"] <= truth) & (truth <= result["high"])).sum()
        trials += 30
    assert 0.91 < inside_error / trials < 0.98
    assert 0.90 < inside_interval / trials < 0.98


def test_ignoring_documents_would_understate_the_error():
    document, kind, value, *_ = simulate(np.random.default_rng(1), types=20, topic=1.0)
    result = type_preferences(tally(document, kind, value, 20), 200, 0.95, np.random.default_rng(0))
    naive = np.array([value[kind == k].std() / (kind == k).sum() ** 0.5 for k in range(20)])
    assert (result["standard_error"] > 1.5 * naive)[:10].all()


def test_types_in_one_document_have_no_error():
    result = type_preferences(
        tally(np.array([0, 0, 1]), np.array([0, 0, 1]), np.ones(3), 3), 100, 0.95, np.random.default_rng(0)
    )
    assert result["mean"][:2].tolist() == [1.0, 1.0] and np.isnan(result["mean"][2])
    assert np.isnan(result["standard_error"]).all() and np.isnan(result["low"]).all()


def _reliability(generator, **planted):
    document, kind, value, *_ = simulate(generator, **planted)
    return reliability([tally(document, kind, value, 200)], 10, 20, 200, 0.95, generator)


def test_reliability_is_nothing_without_preference_and_grows_with_it():
    nothing, some, much = (
        _reliability(np.random.default_rng(0), spread=spread, topic=0.1) for spread in (0.0, 0.2, 0.8)
    )
    assert nothing.low < 0 < nothing.high and abs(nothing.estimate) < 0.15
    assert some.low > nothing.high and much.low > some.high and much.estimate > 0.9


def test_reliability_intervals_cover_what_other_documents_would_show():
    """Documents are drawn anew with the preferences held; the interval is to cover the mean over such draws."""
    truth = np.random.default_rng(99).standard_normal(200) * 0.3

    def draw(seed):
        generator = np.random.default_rng(seed)
        document, kind, value, own, *_ = simulate(generator, spread=1.0, noise=1.0)
        value = value - own[kind] + truth[kind]
        return reliability([tally(document, kind, value, 200)], 10, 20, 200, 0.95, generator)

    estimates = [draw(seed) for seed in range(60)]
    centre = np.mean([one.estimate for one in estimates])
    covered = np.mean([one.low <= centre <= one.high for one in estimates])
    assert covered >= 0.88


def test_too_little_text_gives_no_reliability_instead_of_a_number():
    nothing = tally(np.array([0, 1]), np.array([0, 1]), np.ones(2), 2)
    result = reliability([nothing], 10, 5, 100, 0.95, np.random.default_rng(0))
    assert np.isnan([result.estimate, result.low, result.high]).all()


def test_spearman_brown():
    assert spearman_brown(0.5) == pytest.approx(2 / 3)


def test_stratified_auroc_agrees_with_scikit_learn_and_the_mann_whitney_test():
    generator = np.random.default_rng(0)
    values, function = generator.standard_normal(300).round(1), generator.random(300) < 0.3
    single = stratified_auroc(values[None], function, np.zeros(300, dtype=int))[0]
    assert single == pytest.approx(roc_auc_score(function, values))
    u = stats.mannwhitneyu(values[function], values[~function]).statistic
    assert single == pytest.approx(u / function.sum() / (~function).sum())
    strata = generator.integers(0, 3, 300)
    pairs = [(function & (strata == s)).sum() * (~function & (strata == s)).sum() for s in range(3)]
    parts = [roc_auc_score(function[strata == s], values[strata == s]) for s in range(3)]
    assert stratified_auroc(values[None], function, strata)[0] == pytest.approx(np.average(parts, weights=pairs))


def test_missing_types_are_left_out_row_by_row():
    generator = np.random.default_rng(0)
    values, function, strata = generator.standard_normal((4, 60)), np.arange(60) % 4 == 0, np.arange(60) % 2
    gone = generator.random((4, 60)) < 0.3
    got = stratified_auroc(np.where(gone, np.nan, values), function, strata)
    for row in range(4):
        kept = ~gone[row]
        assert got[row] == pytest.approx(stratified_auroc(values[None, row, kept], function[kept], strata[kept])[0])


def _separation(generator, permutations=199, draws=100, confound=0.0, ratio=1.25, **planted):
    document, kind, value, _, function, frequency = simulate(generator, **planted)
    value = value + confound * np.log(frequency)[kind]
    if confound:  # function types are the frequent ones, as in any language
        function = generator.random(200) < 0.9 * np.exp(-np.arange(200) / 25)
    bins = frequency_bins((frequency * 1e6).astype(int), ratio)
    both = matched(function, bins)
    found = tally(document, kind, value, 200).select(both)
    return separation(
        [found],
        function[both],
        bins[both],
        10,
        10,
        draws,
        permutations,
        0.95,
        generator,
    )


def test_separation_is_found_where_it_is_planted_and_names_the_tower():
    for effect, tower in ((0.5, 1), (-0.5, 2)):
        result = _separation(np.random.default_rng(0), effect=effect)
        assert result.auroc > 0.75 and result.low > 0.65 and result.p_value < 0.02 and result.function_tower == tower


@pytest.mark.slow
def test_false_positives_are_near_nominal_without_an_effect():
    """Reliable preferences that have nothing to do with the classes, as of strangers: p < 0.05 about 1 time in 20."""
    p_values = [_separation(np.random.default_rng(seed), permutations=99).p_value for seed in range(150)]
    assert np.mean(np.array(p_values) < 0.05) < 0.10
    assert 0.35 < np.mean(p_values) < 0.65


def test_frequency_does_not_pass_for_separation():
    """A preference for frequent types looks like one without control, and is gone among words of like frequency."""
    crude = _separation(np.random.default_rng(3), confound=0.3, ratio=1e9)
    fine = _separation(np.random.default_rng(3), confound=0.3)
    assert crude.auroc > 0.7 and fine.p_value > 0.05 and fine.auroc < 0.6


def test_four_strata_would_take_frequency_for_separation():
    """Audit C: within quarters of the types, function types are still the more frequent ones."""
    found, fine = [], []
    for seed in range(30):
        generator = np.random.default_rng(seed)
        frequency = 1 / np.arange(1, 201)
        function = generator.random(200) < 0.9 * np.exp(-np.arange(200) / 25)
        quarters = np.minimum(np.argsort(np.argsort(frequency)) * 4 // 200, 3)
        found.append(stratified_auroc(frequency[None], function, quarters)[0])
        bins = frequency_bins((frequency * 1e6).astype(int), 1.25)
        fine.append(stratified_auroc(frequency[None], function, bins)[0])
    assert np.mean(found) > 0.55 and abs(np.mean(fine) - 0.5) < 0.4 * (np.mean(found) - 0.5)


def test_resampling_types_widens_the_interval_of_a_separation():
    """Audit D: with few function words, which words they are is most of the uncertainty."""
    document, kind, value, _, function, frequency = simulate(np.random.default_rng(5), effect=0.3)
    bins = frequency_bins((frequency * 1e6).astype(int), 1.25)
    both = matched(function, bins)
    chosen = tally(document, kind, value, 200).select(both)
    arguments = (function[both], bins[both], 10, 10, 200, 99, 0.95)
    wide = separation([chosen], *arguments, np.random.default_rng(0))
    weights = resample(chosen.documents, 200, np.random.default_rng(0))
    by_documents = stratified_auroc(chosen.means(weights)[0], function[both], bins[both])
    assert wide.high - wide.low > 1.5 * (np.quantile(by_documents, 0.975) - np.quantile(by_documents, 0.025))


def test_estimates_do_not_depend_on_how_draws_are_chunked(monkeypatch):
    found = tally(*simulate(np.random.default_rng(0))[:3], 200)
    first = reliability([found], 10, 5, 100, 0.95, np.random.default_rng(0))
    monkeypatch.setattr(reliability_module, "CHUNK", 10**6)
    assert reliability([found], 10, 5, 100, 0.95, np.random.default_rng(0)).estimate == first.estimate


def _several(generator, towers, effect, cells=60_000):
    """Preferences of several towers, their mean taken off; tower 2 is the better one at function types by `effect`."""
    document, kind = generator.integers(0, 40, cells), generator.integers(0, 200, cells)
    function = np.arange(200) < 50
    own = generator.normal(0, 0.3, (towers, 200))
    own[1] += effect * function
    scores = own[:, kind] + generator.normal(0, 1, (towers, cells))
    scores -= scores.mean(axis=0)
    strata = np.arange(200) % 4
    return [tally(document, kind, row, 200) for row in scores], function, strata


@pytest.mark.parametrize("towers", [3, 8])
def test_with_more_towers_the_tower_of_the_function_words_is_found(towers):
    preferences, function, strata = _several(np.random.default_rng(0), towers, effect=0.6)
    result = separation(preferences, function, strata, 10, 10, 100, 199, 0.95, np.random.default_rng(1))
    assert result.function_tower == 2 and result.p_value <= 0.01 and result.low > 0.6


def test_choosing_the_best_of_many_towers_by_chance_is_no_separation():
    p_values, estimates = [], []
    for seed in range(60):
        preferences, function, strata = _several(np.random.default_rng(seed), 8, effect=0.0, cells=12_000)
        result = separation(preferences, function, strata, 5, 5, 100, 99, 0.95, np.random.default_rng(seed))
        p_values.append(result.p_value)
        estimates.append(result.auroc)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.15 and np.mean(p_values) == pytest.approx(0.5, abs=0.15)


def test_reliability_of_two_towers_is_that_of_their_difference_and_of_both_minus_their_mean():
    generator = np.random.default_rng(0)
    document, kind, value, *_ = simulate(generator, spread=0.5, noise=1.0)
    one = [tally(document, kind, value, 200)]
    both = [tally(document, kind, sign * value / 2, 200) for sign in (1, -1)]
    results = [reliability(each, 10, 10, 100, 0.95, np.random.default_rng(1)) for each in (one, both)]
    assert results[0].estimate == pytest.approx(results[1].estimate) and results[0].low == pytest.approx(results[1].low)


def test_across_readouts_has_null_zero_where_readouts_alone_are_reliable():
    """What a set of readouts does to types is reliable, and no preference of towers."""
    alike = planted(0, type_sd=0.0, readout_sd=0.4)
    found = reliability_of(alike)
    assert found["estimate"] > 0.5  # under one set of readouts it looks like a preference
    assert abs(found["across_readouts"]["estimate"]) < 0.12


def test_across_readouts_finds_a_preference_of_the_towers():
    found = reliability_of(planted(1, type_sd=0.4, readout_sd=0.14))["across_readouts"]
    assert found["low"] > 0.3
    inside = []
    for seed in range(12):
        one = reliability_of(planted(seed, type_sd=0.0, types=200, tokens=8_000))["across_readouts"]
        inside.append(one["low"] <= 0 <= one["high"])
    assert sum(inside) >= 10
