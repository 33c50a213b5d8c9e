"""The statistics on planted truth: what they find where something is, and where nothing is."""

from functools import partial

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from planted import planted
from twotower.preference import types
from twotower.preference.reliability import reliability, reliability_of
from twotower.preference.types import type_preferences
from twotower.statistics import tallies
from twotower.statistics.intervals import finite_quantiles
from twotower.statistics.ranking import stratified_auroc
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


@pytest.mark.montecarlo
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


def sets_of(generator, readout_sd=0.0, **planted):
    """The same preferences under two sets of readouts, each with what it does to types and tokens by itself."""
    document, kind, value, *_ = simulate(generator, **planted)
    errors = []
    for _ in range(2):
        own = readout_sd * generator.standard_normal(200)
        errors.append([tally(document, kind, value + own[kind] + 0.3 * generator.standard_normal(len(kind)), 200)])
    return errors


def _reliability(generator, **planted):
    return reliability(sets_of(generator, **planted), 10, 10, 0.95, generator)


def test_reliability_is_nothing_without_preference_and_grows_with_it():
    nothing, some, much = (
        _reliability(np.random.default_rng(0), spread=spread, topic=0.1) for spread in (0.0, 0.2, 0.8)
    )
    assert nothing.low < 0 < nothing.high and abs(nothing.estimate) < 0.15
    assert some.low > 0 and much.low > some.high and much.estimate > 0.9


def test_reliability_is_nothing_where_a_set_of_readouts_alone_is_reliable():
    """What a set of readouts does to types, it does in every document, and it is no preference of towers."""
    generator = np.random.default_rng(0)
    one, other = (sets[0] for sets in sets_of(generator, readout_sd=0.4, spread=0.0))
    half = np.repeat([1.0, 0.0], 20)[None]
    within = np.corrcoef(np.nan_to_num(one.means(half)[0][0]), np.nan_to_num(one.means(1 - half)[0][0]))[0, 1]
    assert within > 0.5
    assert abs(reliability([[one], [other]], 10, 10, 0.95, generator).estimate) < 0.15


def _covered(simulations):
    """How often intervals hold the expectation, where documents, types and readouts are drawn anew each time."""
    reliabilities = [
        _reliability(np.random.default_rng(seed), spread=0.2, readout_sd=0.2, documents=20, tokens=300)
        for seed in range(simulations)
    ]
    centre = np.tanh(np.mean(np.arctanh([reliability.estimate for reliability in reliabilities])))
    return np.mean([reliability.low <= centre <= reliability.high for reliability in reliabilities])


def _above_nothing(simulations):
    """How often a tower that is read twice passes for two towers."""
    reliabilities = [
        _reliability(np.random.default_rng(seed), spread=0.0, topic=0.0, readout_sd=0.3, documents=20, tokens=300)
        for seed in range(simulations)
    ]
    return np.mean([reliability.low > 0 for reliability in reliabilities])


def test_reliability_intervals_allow_for_types_and_readouts():
    """Resampled documents alone cover in 0.72 to 0.75, and take one tower read twice for two in 0.19."""
    assert _covered(60) >= 0.88 and _above_nothing(60) <= 0.07


@pytest.mark.slow
def test_reliability_intervals_cover_and_take_no_tower_for_two():
    assert _covered(400) >= 0.92 and _above_nothing(400) <= 0.04


def test_too_little_text_gives_no_reliability_instead_of_a_number():
    nothing = tally(np.array([0, 1]), np.array([0, 1]), np.ones(2), 2)
    result = reliability([[nothing], [nothing]], 10, 5, 0.95, np.random.default_rng(0))
    assert np.isnan([result.estimate, result.low, result.high]).all()


def test_the_preference_of_a_type_is_the_mean_over_sets_and_its_interval_allows_for_readouts():
    """Documents alone covered the mean over another draw of readouts far too rarely."""
    inside, by_documents = [], []
    for seed in range(8):
        measured = planted(seed, readout_sd=0.3, type_sd=0.3)
        table = types.types_table(measured)
        sets = table[[f"under_{name}" for name in measured.sets]].mean(axis=1)
        np.testing.assert_allclose(table["mean"], sets)
        truth = planted(seed, readout_sd=0.0, type_sd=0.3, noise=0.0)
        expected = truth.type_means(partial(truth.difference, truth.contrasts[0]))[table["piece_id"]]
        frequent = (table["count"] >= 20) & (table["documents"] >= 10)
        inside.append(((table["low"] <= expected) & (expected <= table["high"]))[frequent].mean())
        alone = type_preferences(measured.preferences[0], 200, 0.95, np.random.default_rng(0))
        low, high = (alone[end][table["piece_id"]] for end in ("low", "high"))
        by_documents.append(((low <= expected) & (expected <= high))[frequent].mean())
    assert np.mean(inside) > 0.9 and np.mean(by_documents) < 0.6


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
    areas = stratified_auroc(np.where(gone, np.nan, values), function, strata)
    for row in range(4):
        kept = ~gone[row]
        assert areas[row] == pytest.approx(stratified_auroc(values[None, row, kept], function[kept], strata[kept])[0])


@pytest.mark.montecarlo
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


def test_reliability_of_two_towers_is_that_of_their_difference_and_of_both_minus_their_mean():
    generator = np.random.default_rng(0)
    document, kind, value, *_ = simulate(generator, spread=0.5, noise=1.0)
    noise = 0.3 * generator.standard_normal((2, len(kind)))
    one = [[tally(document, kind, value + own, 200)] for own in noise]
    both = [[tally(document, kind, sign * (value + own) / 2, 200) for sign in (1, -1)] for own in noise]
    results = [reliability(each, 10, 10, 0.95, np.random.default_rng(1)) for each in (one, both)]
    assert results[0].estimate == pytest.approx(results[1].estimate) and results[0].low == pytest.approx(results[1].low)


def test_a_run_reads_its_reliability_across_all_pairs_of_sets():
    assert reliability_of(planted(1, type_sd=0.4, readout_sd=0.14)).low > 0.3
    inside = []
    for seed in range(12):
        reliability = reliability_of(planted(seed, type_sd=0.0, types=200, tokens=8_000))
        inside.append(reliability.low <= 0 <= reliability.high)
    assert sum(inside) >= 10
    assert np.isnan(reliability_of(planted(0, towers=1)).estimate)


def test_quantiles_of_finite_values_are_those_of_numpy():
    values = np.random.default_rng(0).standard_normal((50, 6))
    values[:20, 1], values[1:, 2] = np.nan, np.nan
    assert finite_quantiles(values, (0.025, 0.975)) == pytest.approx(np.nanquantile(values, (0.025, 0.975), axis=0))
