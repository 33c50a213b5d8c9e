"""The mixed-effects model of a study finds the class effect that was planted, and none where there is none."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from twotower.comparison import class_effect as module
from twotower.comparison.class_effect import Observed, class_effect, word_lengths
from twotower.statistics import mixed_effects as module_of_fit
from twotower.statistics.mixed_effects import fit_runs

TYPES, DOCUMENTS, LENGTH = 160, 24, 120


def planted(generator, runs, effect=0.0, by_frequency=0.0, by_run=0.05, mirrored=True, by_readouts=0.0):
    """Runs of one text whose types differ by chance, by class (`effect`, in nats) and with frequency.

    Function types are frequent, as in real text. Each run's towers may be the other way round. `by_readouts` is the
    standard deviation of what half of the sets of readouts do to a class.
    """
    function = np.arange(TYPES) % 4 == 0
    weight = generator.gamma(1.0, size=TYPES) * np.where(function, 4.0, 1.0)
    count = np.round(1000 * weight / weight.sum() * 20).astype(np.int64) + 30
    piece = generator.choice(TYPES, size=DOCUMENTS * LENGTH, p=weight / weight.sum())
    document = np.repeat(np.arange(DOCUMENTS), LENGTH)
    table = pd.DataFrame({
        "document": document, "piece_id": piece, "begins": True,
        "upos": np.where(function, "DET", "NOUN")[piece],
    })  # fmt: skip
    log_frequency = np.log(count) - np.log(count).mean()
    shared = generator.normal(0, 0.1, TYPES)
    differences = []
    for _ in range(runs):
        types = shared + generator.normal(0, 0.2, TYPES) + by_frequency * log_frequency
        types = types + (effect + generator.normal(0, by_run)) * function
        values = types[piece] + generator.normal(0, 0.1, DOCUMENTS)[document] + generator.normal(0, 1, len(piece))
        sign = generator.choice([-1, 1]) if mirrored else 1
        values = sign * (values + generator.normal(0, 0.2))
        by_half = by_readouts * generator.normal(size=(2, 1)) if by_readouts else np.zeros((2, 1))
        differences.append(values + by_half * function[piece])
    return Observed(table, count, differences)


def outcome(seed, **planted_truth):
    generator = np.random.default_rng(seed)
    effect = class_effect(planted(generator, **planted_truth), 3, 4, 0.95, generator)
    assert effect is not None
    return effect


def drawn(generator, runs, occurrences, levels, types, sds):
    """Runs of one text with a factor within runs, types and a fixed effect; `sds` of run, factor, run x type, type."""
    factor, kind = generator.integers(0, levels, occurrences), generator.integers(0, types, occurrences)
    x, quality = generator.normal(size=occurrences), generator.normal(size=runs)
    of_run, of_factor, of_both, of_type = sds
    shared = of_type * generator.normal(size=types)
    values = [
        2 - x + 0.3 * tower + of_run * generator.normal() + of_factor * generator.normal(size=levels)[factor]
        + (shared + of_both * generator.normal(size=types))[kind] + generator.normal(size=occurrences)
        for tower in quality
    ]  # fmt: skip
    return values, {"intercept": np.ones(occurrences), "x": x}, quality, factor, kind


def test_runs_and_their_factors_agree_with_statsmodels():
    values, fixed, quality, factor, kind = drawn(np.random.default_rng(5), 30, 40, 3, 10, (0.7, 0.5, 0.4, 0.0))
    ours = fit_runs(values, fixed, {"quality": quality}, {"factor": factor}, kind)
    run = np.repeat(np.arange(30), 40)
    design = np.column_stack([*(np.tile(column, 30) for column in fixed.values()), quality[run]])
    frame = {"y": np.concatenate(values), "run": run, "factor": np.tile(factor, 30), "kind": np.tile(kind, 30)}
    frame |= dict(zip("abc", design.T, strict=True))
    nested = {"factor": "0 + C(factor)", "kind": "0 + C(kind)"}
    theirs = sm.MixedLM.from_formula(
        "y ~ 0 + a + b + c", groups="run", re_formula="1", vc_formula=nested,
        data=pd.DataFrame(frame),
    ).fit(reml=True)  # fmt: skip
    assert ours.components["type"] < 1e-6  # theirs has none
    assert list(ours.coefficients.values()) == pytest.approx(theirs.fe_params, rel=1e-2, abs=1e-3)
    assert list(ours.errors.values()) == pytest.approx(theirs.bse_fe, rel=1e-3)
    assert ours.components["run"] == pytest.approx(theirs.cov_re.iloc[0, 0], rel=1e-3)
    assert [ours.components["run x factor"], ours.components["run x type"]] == pytest.approx(theirs.vcomp, rel=1e-3)
    assert ours.residual == pytest.approx(theirs.scale, rel=1e-4)


def test_the_likelihood_of_many_runs_is_that_of_the_whole_covariance():
    runs, occurrences = 4, 120
    values, fixed, quality, factor, kind = drawn(
        np.random.default_rng(1), runs, occurrences, 6, 15, (0.3, 0.6, 0.5, 0.8)
    )
    ours = fit_runs(values, fixed, {"quality": quality}, {"factor": factor}, kind)
    same_run = np.kron(np.eye(runs), np.ones((occurrences, occurrences)))
    same = {name: np.tile(code[:, None] == code, (runs, runs)) for name, code in (("factor", factor), ("type", kind))}
    covariance = np.eye(runs * occurrences) * ours.residual + ours.components["run"] * same_run
    covariance += ours.components["run x factor"] * same["factor"] * same_run
    covariance += (ours.components["run x type"] * same_run + ours.components["type"]) * same["type"]
    columns = [*(np.tile(column, runs) for column in fixed.values()), np.repeat(quality, occurrences)]
    design, y = np.column_stack(columns), np.concatenate(values)
    inverse = np.linalg.inv(covariance)
    information = design.T @ inverse @ design
    beta = np.linalg.solve(information, design.T @ inverse @ y)
    left = y - design @ beta
    dense = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(information)[1] + left @ inverse @ left
    assert ours.criterion == pytest.approx(dense + (len(y) - 3) * np.log(2 * np.pi), rel=1e-8)
    assert list(ours.coefficients.values()) == pytest.approx(beta, rel=1e-6)
    assert list(ours.errors.values()) == pytest.approx(np.sqrt(np.diag(np.linalg.inv(information))), rel=1e-6)
    assert ours.fixed == pytest.approx(np.var(design @ beta), rel=1e-6)


def test_planted_variances_are_found_and_the_fit_is_at_a_minimum():
    sds = (0.5, 0.4, 0.6, 0.8)
    values, fixed, quality, factor, kind = drawn(np.random.default_rng(4), 60, 800, 12, 100, sds)
    problem = module_of_fit._Problem.of(values, np.column_stack(list(fixed.values())), quality[:, None], [factor], kind)
    true = np.square(sds)
    each = [(problem.at(true + step).criterion - problem.at(true - step).criterion) / 2e-5 for step in 1e-5 * np.eye(4)]
    assert problem.at(true).slope == pytest.approx(each, rel=1e-4)
    ours = fit_runs(values, fixed, {"quality": quality}, {"factor": factor}, kind)
    assert list(ours.components.values()) == pytest.approx(true, rel=0.35)
    assert ours.residual == pytest.approx(1, rel=0.02)


def test_linearly_dependent_effects_are_refused():
    codes = np.arange(9) % 3
    values = [np.arange(9.0), np.ones(9)]
    with pytest.raises(ValueError, match="linearly dependent"):
        fit_runs(values, {"one": np.ones(9), "two": 2 * np.ones(9)}, {}, {"a": codes}, codes)
    with pytest.raises(ValueError, match="linearly dependent"):
        fit_runs(values, {"one": np.ones(9)}, {"quality": np.ones(2)}, {"a": codes}, codes)


@pytest.mark.montecarlo
def test_the_interval_covers_the_planted_effect_whichever_tower_has_it():
    truth = 0.5
    effects = [outcome(seed, runs=4, effect=truth).effect for seed in range(1000, 1200)]
    # 190 expected at least: where types make most of the error, of which there are many, the t of few runs is too wide.
    assert sum(effect.low <= truth <= effect.high for effect in effects) >= 180
    assert abs(np.mean([effect.estimate for effect in effects]) - truth) < 0.05
    assert sum(effect.p_value < 0.05 for effect in effects) >= 175


@pytest.mark.montecarlo
@pytest.mark.parametrize("by_run", [0.0, 0.05])
def test_without_an_effect_there_is_none_though_the_tower_is_chosen(by_run):
    effects = [outcome(seed, runs=4, by_run=by_run).effect for seed in range(2000, 2200)]
    assert sum(effect.p_value < 0.05 for effect in effects) <= 20  # 10 expected
    assert abs(np.mean([effect.estimate for effect in effects])) < 0.02


@pytest.mark.montecarlo
def test_what_readouts_do_to_a_class_is_no_effect_of_class():
    """Where the tower is chosen under the readouts that are fitted, the effect is positive in every run."""
    effects = []
    for seed in range(4000, 4100):
        generator = np.random.default_rng(seed)
        runs = planted(generator, runs=8, by_run=0.0, by_readouts=0.4)
        if measured := class_effect(runs, 3, 4, 0.95, generator):  # a half of the types may have too few of a class
            effects.append(measured.effect)
    assert len(effects) > 90 and sum(effect.p_value < 0.05 for effect in effects) <= 10  # 5 expected
    assert abs(np.mean([effect.estimate for effect in effects])) < 0.05


@pytest.mark.montecarlo
def test_an_effect_of_frequency_is_not_taken_for_one_of_class():
    outcomes = [outcome(seed, runs=4, by_frequency=0.3) for seed in range(3000, 3200)]
    assert sum(result.effect.p_value < 0.05 for result in outcomes) <= 20  # 10 expected
    # 0.1 expected; 0.02 where frequency has no effect.
    assert np.mean([abs(result.fixed["log frequency"].estimate) for result in outcomes]) > 0.05


def test_what_class_explains_is_between_nothing_and_all():
    much = outcome(7, runs=3, effect=0.8)
    little = outcome(7, runs=3, effect=0.0, by_run=0.0)
    assert 0.3 < much.between_types <= 1 and little.between_types < 0.1
    assert much.marginal_r2.with_class > much.marginal_r2.without_class
    assert much.runs == 3 and "tower quality" in much.fixed


def test_two_runs_have_no_class_effect():
    generator = np.random.default_rng(0)
    assert class_effect(planted(generator, runs=2), 3, 4, 0.95, generator) is None


def test_copies_of_one_run_have_no_quality_to_tell_them_apart():
    words = planted(np.random.default_rng(0), 1, effect=0.3)
    effects = class_effect(
        Observed(words.occurrences, words.training_count, words.differences * 3), 5, 1.5, 0.95, np.random.default_rng(0)
    )
    assert effects.runs == 3 and "tower quality" not in effects.fixed


def test_no_more_types_than_can_be_fitted_enter(monkeypatch):
    monkeypatch.setattr(module, "TYPES", 130)
    assert 100 < outcome(3, runs=3, effect=0.5).types <= 130


def test_word_lengths_count_pieces_within_documents():
    lengths = word_lengths(np.array([0, 0, 0, 0, 1, 1, 1]), np.array([1, 1, 0, 0, 0, 1, 0], dtype=bool))
    assert lengths.tolist() == [1, 3, 3, 3, 1, 2, 2]


def test_a_run_more_takes_less_memory_than_its_differences():
    """Of each run what is fitted is copied, in single precision, and nothing else at each of its occurrences."""
    words, peaks = planted(np.random.default_rng(0), runs=10), []
    differences = [difference.astype(np.float32) for difference in words.differences]
    for copies in (4, 14):
        tracemalloc.start()
        class_effect(replace(words, differences=differences * copies), 3, 4, 0.95, np.random.default_rng(0))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 100 < differences[0].nbytes
