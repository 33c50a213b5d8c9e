"""Profiles over runs on planted truth: one axis, two axes, none, and signs that mean nothing."""

from dataclasses import replace

import numpy as np
import pytest

from twotower.comparison.profiles import AgreementOfSigns, ProfileOfRun, SumsOfWords, compare_profiles, signs_agree
from twotower.config.schema import AnalyzeConfig
from twotower.preference.labelled import LEXICAL_AND_GRAMMATICAL, Units
from twotower.statistics.strata import FEWEST, frequency_bins
from twotower.statistics.tallies import tally

CLASSES = LEXICAL_AND_GRAMMATICAL
NOMINAL = np.array([name in ("NOUN", "PROPN", "ADJ") for name in CLASSES]) - 0.5
GRAMMATICAL = np.array([name in ("DET", "PRON", "ADP", "AUX") for name in CLASSES]) - 0.5


def run(seed, profile, type_sd=0.3, frequency_effect=0.0, words=360, tokens=12_000, corpus="a", tagger="hanta"):
    """A run whose classes have these mean preferences; class depends on frequency a little, as it does in texts."""
    generator = np.random.default_rng(seed)
    label = generator.permutation(np.arange(words) % len(CLASSES))
    frequency = 2000.0 / np.arange(1, words + 1) + 5
    value = profile[label] + type_sd * generator.standard_normal(words) + frequency_effect * np.log(frequency)
    word = generator.choice(words, tokens, p=frequency / frequency.sum())
    document = generator.integers(0, 30, tokens)
    tallies = tally(document, word, value[word] + generator.standard_normal(tokens), words, 30)
    strata = frequency_bins(frequency, 1.25, FEWEST)
    units = Units(CLASSES, label, np.arange(words), frequency, strata, [tallies])
    return ProfileOfRun(f"run{seed}", "group", corpus, tagger, SumsOfWords.of(units), seed, f"text of run {seed}")


def compared(runs, permutations=99):
    return compare_profiles(runs, AnalyzeConfig(permutations=permutations), np.random.default_rng(0))


def test_an_axis_that_all_runs_share_is_found_whatever_their_signs():
    signs = [1, -1, -1, 1, 1, -1]
    profiles = compared([run(seed, 0.5 * sign * NOMINAL) for seed, sign in enumerate(signs)])
    axis = profiles.axes[0]
    assert axis.share > axis.null_high and axis.p_value == 0.01 and axis.stability > 0.9
    assert axis.classes["NOUN"] > 0 > axis.classes["VERB"] and axis.classes["PROPN"] > 0
    assert [np.sign(value) for value in axis.loadings.values()] == signs
    group = profiles.agreement["all"]
    assert group.estimate > group.null_high and group.low <= group.estimate <= group.high
    assert group.shared.estimate == pytest.approx(group.estimate, abs=0.1)


def test_two_axes_each_of_half_of_the_runs_are_both_found():
    """With several divisions of labour no single one is shared by all, and a single axis would miss half of them."""
    runs = [run(seed, 0.6 * (NOMINAL if seed < 5 else GRAMMATICAL)) for seed in range(10)]
    axes = compared(runs).axes
    assert len(axes) >= 2 and axes[1].share > axes[1].null_high
    spanned = np.array([[axis.loadings[f"run{seed}"] for seed in range(10)] for axis in axes[:2]])
    assert (spanned**2).sum(axis=0).min() > 0.5  # every run lies in the plane of the two


def test_without_a_shared_profile_false_positives_are_nominal():
    axes, groups = [], []
    for start in range(30):
        profiles = compared([run(100 * start + seed, 0 * NOMINAL, words=240, tokens=6_000) for seed in range(5)])
        axes.append(profiles.axes[0].p_value)
        groups.append(profiles.agreement["all"].p_value)
    assert sum(p <= 0.05 for p in axes) <= 5 and sum(p <= 0.05 for p in groups) <= 5


def runs_of_one_text(seed, number, shared, profile=0.0, words=240, tokens=8_000):
    """Runs that measured the same words, whose preferences of single words have a part in common."""
    generator = np.random.default_rng(seed)
    label = generator.permutation(np.arange(words) % len(CLASSES))
    frequency = 2000.0 / np.arange(1, words + 1) + 5
    word = generator.choice(words, tokens, p=frequency / frequency.sum())
    document, strata = generator.integers(0, 30, tokens), frequency_bins(frequency, 1.25, FEWEST)
    common = generator.standard_normal(words)
    stabilities = []
    for own in range(number):
        value = shared * common + np.sqrt(1 - shared**2) * generator.standard_normal(words) + profile * NOMINAL[label]
        tallies = tally(document, word, value[word] + generator.standard_normal(tokens), words, 30)
        units = Units(CLASSES, label, np.arange(words), frequency, strata, [tallies])
        stabilities.append(ProfileOfRun(f"run{own}", "group", "a", "hanta", SumsOfWords.of(units), own, "one text"))
    return stabilities


@pytest.mark.montecarlo
def test_words_that_runs_of_one_text_agree_on_are_no_shared_profile():
    comparisons = [compared(runs_of_one_text(seed, 6, shared=0.7)) for seed in range(30)]
    assert sum(profiles.agreement["all"].p_value <= 0.05 for profiles in comparisons) <= 4
    assert sum(profiles.axes[0].p_value <= 0.05 for profiles in comparisons) <= 4
    there = compared(runs_of_one_text(0, 6, shared=0.3, profile=1.5))
    assert there.agreement["all"].p_value == 0.01 and there.axes[0].p_value == 0.01


def test_the_interval_over_runs_needs_three_runs_and_two_of_one_seed_and_text_make_no_pair():
    runs = runs_of_one_text(1, 3, shared=0.5)
    three = compared(runs).agreement["all"]
    assert three.runs_low < three.estimate < three.runs_high and three.pairs == 3
    assert np.isnan(compared(runs[:2]).agreement["all"].runs_low)
    twins = [runs[0], replace(runs[1], seed=runs[0].seed), runs[2]]
    assert compared(twins).agreement["all"].pairs == 2
    assert compared(twins[:2]) is None


def test_a_shared_effect_of_frequency_is_no_shared_profile():
    p_values = [
        compared([run(100 * start + seed, 0 * NOMINAL, frequency_effect=0.3) for seed in range(4)]).axes[0].p_value
        for start in range(12)
    ]
    assert sum(p <= 0.05 for p in p_values) <= 3


def test_runs_of_other_corpora_and_tags_are_compared_and_marked():
    runs = [run(seed, 0.5 * NOMINAL, corpus="ab"[seed % 2], tagger=("hanta", "gold")[seed % 2]) for seed in range(4)]
    profiles = compared(runs)
    assert profiles.mixed_tags and not compared(runs[::2]).mixed_tags
    assert profiles.agreement.keys() == {"all", "within corpora", "between corpora"}
    assert [profiles.agreement[name].pairs for name in profiles.agreement] == [6, 2, 4]
    assert compare_profiles(runs[:1], AnalyzeConfig(), np.random.default_rng(0)) is None


def test_agreement_of_signs_is_an_exact_test():
    agree = signs_agree([1.0, -2.0, 3.0, None, 0.0], [0.1, -0.1, -0.1, 1.0, 1.0])
    assert agree == AgreementOfSigns(agree=2, runs=3, p_value=pytest.approx(0.5))
    assert signs_agree([None], [1.0]).p_value is None
