"""Word classes on planted truth: what is there is found, and frequency, strangers and noise are not taken for it."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from planted import planted
from twotower.preference.class_contrasts import contrast_classes
from twotower.preference.labelled import units_of
from twotower.preference.word_classes import word_classes
from twotower.statistics.intervals import percentile_interval
from twotower.statistics.ranking import stratified_auroc
from twotower.statistics.regression import omega_squared, omega_squared_of_orders, residuals

EFFECT = {"NOUN": 0.3, "PROPN": 0.3, "VERB": -0.3, "AUX": -0.3}


def test_a_planted_profile_is_recovered_with_its_share_of_variance():
    upos = word_classes(planted(0, EFFECT)).upos
    rows = {row.name: row for row in upos.profile}
    assert rows["NOUN"].mean - rows["VERB"].mean == pytest.approx(0.6, abs=0.15)
    noun, verb = (rows[name].adjusted for name in ("NOUN", "VERB"))
    assert noun.mean - verb.mean == pytest.approx(0.6, abs=0.1) and noun.low > verb.high
    assert noun.sure and verb.sure
    explained = upos.explained
    between = np.var([0.3, 0.3, -0.3, 0.0])  # of the open classes, which most types are in
    assert explained.estimate == pytest.approx(between / (between + 0.2**2), abs=0.12)
    assert explained.of_reliable > explained.estimate and explained.low > explained.null.high


def sure(found):
    return [row.name for row in found.profile if row.adjusted and row.adjusted.sure]


def test_frequency_alone_is_no_effect_of_class():
    by_seed = [word_classes(planted(seed, frequency_effect=0.15)).upos for seed in range(12)]
    assert sum(upos.explained.p_value <= 0.05 for upos in by_seed) <= 3
    assert abs(np.mean([upos.explained.estimate for upos in by_seed])) < 0.02
    # Raw, it looks like one: closed classes are the frequent ones.
    raw = planted(0, frequency_effect=0.15)
    means = raw.preferences[0].means(np.ones((1, raw.documents)))[0][0]
    closed = raw.classes["upos"].isin(["AUX", "DET", "PRON"]).to_numpy()
    assert roc_auc_score(closed[raw.frequent], means[raw.frequent]) > 0.65
    # The raw profile names some class in nearly every such run; beyond frequency at most one run in twenty does.
    assert all(max(abs(row.mean) for row in upos.profile) > 0.1 for upos in by_seed)
    assert sum(bool(sure(upos)) for upos in by_seed) <= 2


def test_a_class_that_one_set_of_readouts_alone_prefers_is_not_sure():
    measured = planted(0, EFFECT)
    assert {"NOUN", "VERB"} <= set(sure(word_classes(measured).upos))
    scores = measured.scores.copy()
    noun = scores["upos"] == "NOUN"
    scores["second_1"] -= np.where(noun, 0.8, 0.0)  # the others outweigh it in the mean
    rows = {row.name: row.adjusted for row in word_classes(replace(measured, scores=scores)).upos.profile}
    assert not rows["NOUN"].sure and np.sign(rows["NOUN"].sets).sum() == 2 and rows["VERB"].sure


def test_the_reliable_share_is_of_the_towers_and_not_of_a_set_of_readouts():
    """Readouts add to what differs between types in each set, and to nothing that two sets have in common."""
    kinds = {"type_sd": 0.2, "types": 300, "tokens": 40_000}
    quiet, loud = ([word_classes(planted(seed, EFFECT, readout_sd=sd, **kinds)).upos.explained
                    for seed in range(4)] for sd in (0.0, 0.4))  # fmt: skip
    assert np.mean([estimate.estimate for estimate in loud]) < 0.75 * np.mean([estimate.estimate for estimate in quiet])
    shares = [np.mean([estimate.of_reliable for estimate in some]) for some in (quiet, loud)]
    assert shares[1] == pytest.approx(shares[0], abs=0.1)


@pytest.mark.montecarlo
def test_without_an_effect_false_positives_are_nominal():
    by_seed = [word_classes(planted(100 + seed, types=200, tokens=8_000)) for seed in range(40)]
    for p_values in (
        [classes.upos.explained.p_value for classes in by_seed],
        [classes.contrasts[0].p_value for classes in by_seed],
    ):
        assert sum(p <= 0.05 for p in p_values) <= 6  # 2 expected; 7 or more has a probability below 1 %
    assert sum(bool(sure(classes.upos)) for classes in by_seed) <= 6


@pytest.mark.montecarlo
def test_the_interval_of_a_class_covers_its_planted_mean():
    inside = 0
    for seed in range(100):
        rows = {row.name: row for row in word_classes(planted(seed, EFFECT, types=300)).upos.profile}
        adjusted = {name: rows[name].adjusted for name in ("NOUN", "VERB")}
        # The difference from the mean of all words is what a profile can know; that of two classes does not move.
        low = adjusted["NOUN"].low - adjusted["VERB"].mean
        high = adjusted["NOUN"].high - adjusted["VERB"].mean
        inside += low - 0.1 <= 0.6 <= high + 0.1
    assert inside >= 90


def test_planned_contrasts_find_what_lies_apart():
    nominal = word_classes(planted(1, EFFECT)).contrasts[0]
    assert nominal.contrast.startswith("nominal") and nominal.auroc > 0.85 and nominal.p_value < 0.01
    assert nominal.low < nominal.auroc < nominal.high and nominal.unmatched >= 0


def test_intervals_of_areas_stay_between_0_and_1():
    """Shifted percentiles did not, where classes lie far apart and words are few."""
    far = {"NOUN": 1.0, "PROPN": 1.0, "VERB": -1.0, "AUX": -1.0}
    for seed in range(6):
        nominal = word_classes(planted(seed, far, types=120, tokens=6_000)).contrasts[0]
        assert nominal.auroc > 0.95 and 0.5 < nominal.low < nominal.high < 1


def test_words_without_a_counterpart_of_like_frequency_are_left_out_and_counted():
    measured = planted(2, EFFECT)
    units = units_of(measured, measured.upos, [measured.difference(measured.contrasts[0])])
    loose, strict = (
        contrast_classes(
            replace(measured, settings=replace(measured.settings, frequency_ratio=ratio)), units, units.tallies[0]
        )[1]
        for ratio in (1e6, 1.05)
    )
    assert loose.unmatched == 0 < strict.unmatched
    sizes = [getattr(one, side) for one in (loose, strict) for side in ("first_types", "second_types")]
    assert sizes[0] + sizes[1] == sum(sizes[2:]) + strict.unmatched


def test_resampling_words_widens_intervals():
    """Audit D: with few words in a class, most of the uncertainty is which words they are."""
    measured = planted(3, EFFECT, type_sd=0.4)
    row = next(row for row in word_classes(measured).upos.profile if row.name == "AUX").adjusted
    by_documents = percentile_interval(0.0, _class_means(measured, "AUX", np.random.default_rng(0)), 0.95)
    assert row.high - row.low > 1.5 * (by_documents.high - by_documents.low)


def _class_means(measured, name, generator):
    from twotower.statistics.tallies import resample

    units = units_of(measured, measured.upos, [measured.difference(measured.contrasts[0])])
    inside = units.select(units.label == units.classes.index(name)).tallies[0]
    weights = resample(inside.documents, 200, generator)
    return (weights @ inside.sums).sum(axis=1) / (weights @ inside.counts).sum(axis=1)


def test_more_towers_have_figures_of_their_own_and_say_who_takes_a_class():
    upos = word_classes(planted(4, EFFECT, towers=3)).upos
    rows = {row.name: row for row in upos.profile}
    assert rows["NOUN"].tower == 1 and rows["VERB"].tower != 1
    assert [tower.tower for tower in rows["NOUN"].towers] == [1, 2, 3]
    assert upos.explained.estimate > upos.explained.null.high


def test_one_tower_and_too_few_classes_have_none():
    single = replace(planted(5, towers=1), towers=1)
    assert word_classes(single) is None
    alike = planted(6)
    alike.scores["upos"] = "NOUN"
    assert word_classes(replace(alike)).upos is None


def test_relations_and_features_of_a_treebank_have_profiles_too():
    measured = planted(7, EFFECT)

    feats = {"NOUN": "Number=Sing", "VERB": "Number=Plur|Tense=Past"}

    class Text:
        annotations = pd.DataFrame({
            "deprel": np.where(measured.upos == "NOUN", "obj", "root"),
            "feats": [feats.get(tag, "_") for tag in measured.upos],
        })  # fmt: skip

    classes = word_classes(replace(measured, annotations=Text.annotations))
    assert classes.deprel.classes == ["obj", "root"] and classes.deprel.explained.p_value == 0.005
    assert classes.features["Number"].classes == ["Plur", "Sing"]
    assert classes.features["Tense"] is None  # one value only: nothing to compare


def test_weighted_areas_equal_those_of_repeated_types():
    generator = np.random.default_rng(0)
    values, first = generator.standard_normal((1, 40)), generator.random(40) < 0.4
    strata, weights = generator.integers(0, 3, 40), generator.integers(0, 3, (1, 40))
    repeated = np.repeat(np.arange(40), weights[0])
    expected = stratified_auroc(values[:, repeated], first[repeated], strata[repeated])
    assert stratified_auroc(values, first, strata, weights.astype(float)) == pytest.approx(expected)


def test_omega_squared_is_that_of_a_one_way_layout():
    generator = np.random.default_rng(0)
    label = generator.integers(0, 4, 200)
    values = 0.5 * label + generator.standard_normal(200)
    hot = (label[:, None] == np.arange(4)).astype(float)
    omega = omega_squared(values[None], np.ones((1, 200)), np.ones((200, 1)), hot)[0]
    groups = [values[label == number] for number in range(4)]
    between = sum(len(group) * (group.mean() - values.mean()) ** 2 for group in groups)
    error = sum(((group - group.mean()) ** 2).sum() for group in groups) / 196
    total = ((values - values.mean()) ** 2).sum()
    assert omega == pytest.approx((between - 3 * error) / (total + error), rel=1e-6)


def test_omega_squared_of_orders_is_that_of_each():
    generator = np.random.default_rng(1)
    label, base = generator.integers(0, 4, 90), np.column_stack([np.ones(90), generator.standard_normal(90)])
    values, hot = 0.3 * label + generator.standard_normal(90), (label[:, None] == np.arange(4)).astype(float)
    orders = np.stack([np.arange(90), *(generator.permutation(90) for _ in range(3))])
    each = [omega_squared(values, np.ones((1, 90)), base, hot[order])[0] for order in orders]
    np.testing.assert_allclose(omega_squared_of_orders(values, base, hot, orders), each, rtol=1e-10)


def test_a_draw_without_a_single_word_and_a_feature_of_few_words_are_no_fault():
    generator = np.random.default_rng(0)
    values, base = generator.standard_normal((2, 6)), np.ones((6, 1))
    weights = np.array([np.ones(6), np.zeros(6)])
    left = residuals(values, weights, base)
    assert left[0].sum() == pytest.approx(0, abs=1e-6) and (left[1] == 0).all()
    measured = planted(8, EFFECT, types=200, tokens=4_000)
    rare = np.isin(measured.piece, np.flatnonzero((measured.counts >= 6) & (measured.counts <= 8))[:6])

    class Text:
        annotations = pd.DataFrame({
            "feats": np.where(rare, np.where(measured.piece % 2 == 0, "Mood=Ind", "Mood=Imp"), "_"),
        })  # fmt: skip

    mood = word_classes(replace(measured, annotations=Text.annotations)).features["Mood"]
    assert all(row.adjusted is None or np.isfinite(row.adjusted.mean) for row in mood.profile)


def test_weighted_areas_are_those_of_all_pairs_written_out():
    """With ties, missing types, and a stratum without a pair."""
    generator = np.random.default_rng(3)
    values = generator.normal(size=(5, 40)).round(1)
    values[generator.random(values.shape) < 0.1] = np.nan
    first, strata = generator.random(40) < 0.4, np.repeat([0, 1, 2, 3], 10)
    first[strata == 3] = True
    weights = generator.integers(0, 4, values.shape).astype(float)
    for row, found in enumerate(stratified_auroc(values, first, strata, weights)):
        pairs = [
            (
                weights[row, a] * weights[row, b],
                (values[row, a] > values[row, b]) + (values[row, a] == values[row, b]) / 2,
            )
            for a, b in product(np.flatnonzero(first), np.flatnonzero(~first))
            if strata[a] == strata[b] and np.isfinite(values[row, [a, b]]).all()
        ]
        assert found == np.average([win for _, win in pairs], weights=[weight for weight, _ in pairs])
