"""Which settings of a study are doses, which of its p-values are tests, and which strangers a pair stands beside."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest

from small_results import UNKNOWN
from twotower.comparison.agreement import Agreement, AgreementOfPairs, AxisOfTypes, Spectrum
from twotower.comparison.families import hypothesis_tests
from twotower.comparison.figures import FIGURES, Dose, PointOfDose, RunOfStudy, division_of, doses
from twotower.comparison.grid import Grid, is_stranger, jobs, strangers_of
from twotower.comparison.inference import Trend
from twotower.comparison.knowledge import Difference, DifferencesOfRun, KnowledgeOfRuns
from twotower.comparison.profiles import (
    AgreementOfProfiles,
    AgreementOfSigns,
    AxisOfProfiles,
    FigureOfProfiles,
    Profiles,
)
from twotower.comparison.study import AgreementOfText, Study
from twotower.config.presets import preset
from twotower.config.settings import with_settings
from twotower.preference.division import Division
from twotower.preference.types import Perplexity
from twotower.statistics.gains import Surplus
from twotower.statistics.intervals import Estimate


def pairs_of(number, estimate):
    return AgreementOfPairs(number, estimate**2, estimate, *[0.0] * 6, p_value=0.01)


def profiles_of(number, estimate):
    shared = FigureOfProfiles(*[0.0] * 5, p_value=0.04)
    return AgreementOfProfiles(number, estimate, *[0.0] * 4, p_value=0.03, runs_low=0.0, runs_high=0.0, shared=shared)


def axis_of(p_value):
    return AxisOfProfiles(0.5, 0.4, p_value, {}, {}, None)


def agreement_of(corpus, p_value, axes, groups):
    spectrum = Spectrum([], [], p_value, [AxisOfTypes(0.5, 0.4, p, [], [], []) for p in axes])
    return AgreementOfText(corpus, False, [], "pieces", Agreement(9, [], [], groups, spectrum), [])


def study_of(configs, strangers=()):
    """Rows and runs whose reliability rises from each run to the next."""
    rows = [
        RunOfStudy(
            f"run {number}", "", number in strangers, "none", "", 0, "", "gpt", 2, 0, Perplexity(9.0, []),
            reliability=replace(UNKNOWN, estimate=number / 100), clusters=None, explained=None, nominal=None,
            topicality=None, far_context=None, direction=None, sd=None, size=None, surplus=None,
            divides="not measurable", labels=[],
        )
        for number in range(len(configs))
    ]  # fmt: skip
    return rows, [SimpleNamespace(config=config) for config in configs]


def two_doses(key, values):
    """Eight runs of four seeds, with the one value or the other of a setting."""
    return [
        with_settings(replace(preset("quickstart"), seed=seed), {key: value}, "test")
        for value in values
        for seed in range(4)
    ]


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("threads", (1, 2)), ("train.checkpoint_seconds", (60.0, 120.0)), ("train.micro_batch", (0, 8)),
        ("train.evaluations", (5, 10)), ("prepare.split_seed", (0, 1)), ("prepare.heldout_words", (0, 900)),
        ("score.batch", (32, 64)), ("analyze.splits", (10, 20)), ("know.frequent", (10, 20)),
    ],
)  # fmt: skip
def test_what_changes_nothing_that_is_trained_is_no_dose(key, values):
    assert doses(*study_of(two_doses(key, values))) == []


@pytest.mark.parametrize(
    ("key", "values"),
    [("train.tokens", (10_000, 20_000)), ("model.width", (16, 32)), ("readout.tokens", (1_000, 2_000)),
     ("prepare.vocabulary", (500, 1_000)), ("train.minutes", (1.0, 2.0))],
)  # fmt: skip
def test_what_changes_training_is_a_dose_with_all_figures(key, values):
    (response,) = doses(*study_of(two_doses(key, values)))
    assert (response.preset, response.setting) == ("quickstart", key)
    assert [point.dose for point in response.points] == [values[0]] * 4 + [values[1]] * 4
    assert response.trends.keys() == FIGURES.keys()
    assert response.trends["reliability"].p_value == pytest.approx(2 / 2**4), "its seeds are the same at both doses"
    assert response.trends["surplus"] == Trend(tau=None, p_value=None)


def test_doses_of_other_seeds_change_places_among_all_runs():
    configs = [replace(config, seed=number) for number, config in enumerate(two_doses("train.tokens", (1, 2)))]
    (response,) = doses(*study_of(configs))
    assert response.trends["reliability"].p_value == pytest.approx(2 / 70)


def test_a_corpus_is_no_dose_of_the_settings_it_came_with():
    corpora = ("sotu", "novels,prepare.section_words=2500")
    planned = jobs(Grid(seeds=(0, 1, 2, 3), corpora=corpora))
    assert doses(*study_of([job.config for job in planned])) == []
    planned = jobs(Grid(seeds=(0, 1, 2, 3), corpora=corpora, vary=("train.tokens=10000,20000",)))
    responses = doses(*study_of([job.config for job in planned]))
    assert [(response.preset, response.setting, len(response.points)) for response in responses] == [
        ("quickstart-sotu", "train.tokens", 8), ("quickstart-novels", "train.tokens", 8),
    ]  # fmt: skip


def test_a_setting_that_some_runs_lack_is_no_dose():
    configs = two_doses("train.minutes", (2.0, None))
    assert doses(*study_of(configs)) == []
    messages = [
        config if config.train.minutes else with_settings(config, {"train.tokens": 9}, "test") for config in configs
    ]
    assert doses(*study_of(messages)) == [], "the clock says how many tokens the others had"


def test_strangers_are_the_dose_0_of_cooperation_only():
    configs = two_doses("model.cooperation", (0.0, 1.0))
    longer = [with_settings(config, {"train.tokens": 9}, "test") for config in configs[:4]]
    (response,) = doses(*study_of(longer + configs[4:], strangers=range(4)))
    assert response.setting == "model.cooperation" and len(response.points) == 8


def study(**changes):
    """What a study of two groups on one corpus gives."""
    groups = {"all": pairs_of(6, 0.3), "within a": pairs_of(1, 0.4), "within b": pairs_of(1, 0.5)}
    profiles = {
        "all": profiles_of(6, 0.3), "within groups": profiles_of(2, 0.4), "within corpora": profiles_of(2, 0.5)
    }  # fmt: skip
    usual = Study(
        runs=[], signs={"x and y": AgreementOfSigns(1, 2, 0.5)},
        profiles=Profiles([], [], False, profiles, [axis_of(0.09), axis_of(0.01)]), profiles_of_strangers=None,
        agreement=[agreement_of("sotu", 0.07, [0.07, 0.08], groups)], class_effects=[], excess_over_strangers=[],
        doses=[], emergence={}, context={}, knowledge=None,
    )  # fmt: skip
    return replace(usual, **changes)


def test_each_question_of_a_study_is_a_test():
    p_values = {(test.family, test.name): test.p_value for test in hypothesis_tests(study())}
    assert p_values == {
        ("signs that agree", "x and y"): 0.5,
        **{("agreement of pairs", f"sotu: {name}"): 0.01 for name in ("all", "within a", "within b")},
        ("first axis of types, pairs", "sotu"): 0.07,
        **{("profiles of pairs", name): 0.03 for name in ("all", "within groups", "within corpora")},
        **{("what profiles of pairs share", name): 0.04 for name in ("all", "within groups", "within corpora")},
        ("axes of pairs", "axis 1"): 0.09,
    }  # fmt: skip


def test_what_each_tower_of_a_run_knows_is_tested_for_each_instrument():
    differences = [Difference(0.1, 0.0, 0.2, "probe", "syntax", value) for value in (0.01, None)]
    known = KnowledgeOfRuns([], [], [DifferencesOfRun("r", True, differences)])
    tests = [test for test in hypothesis_tests(study(knowledge=known)) if test.name == "r"]
    assert [(test.family, test.p_value) for test in tests] == [("probe (syntax), strangers", 0.01)]


def test_a_first_axis_within_its_null_counts_among_the_tests_that_fail():
    """Without it the family would hold the axes of those corpora only that pass."""
    agreement = study().agreement[0]
    without = agreement_of("books", 0.6, [], agreement.agreement.groups)
    tests = [
        test for test in hypothesis_tests(study(agreement=[agreement, without])) if test.family.startswith("first axis")
    ]
    assert [(test.name, test.p_value, test.q_value) for test in tests] == [
        ("sotu", 0.07, pytest.approx(0.14)), ("books", 0.6, pytest.approx(0.6)),
    ]  # fmt: skip


def test_one_test_under_two_names_is_listed_once():
    """One group is all runs, and corpora that are the groups make the same pairs."""
    same = pairs_of(6, 0.3)
    usual = study()
    profiles = usual.profiles.agreement | {"within corpora": usual.profiles.agreement["within groups"]}
    trends = {figure: Trend(0.5, 0.5) for figure in FIGURES}
    width, heads = (
        Dose("quickstart", setting, [PointOfDose(str(number), dose(number % 2), {}) for number in range(4)], trends)
        for setting, dose in (("model.width", float), ("model.embedding", lambda value: 8.0 * value + 8))
    )
    tests = hypothesis_tests(study(
        agreement=[agreement_of("sotu", 0.07, [0.07], {"all": same, "within a": same})],
        profiles=replace(usual.profiles, agreement=profiles), doses=[width, heads],
    ))  # fmt: skip
    names = [test.name for test in tests if test.family.startswith(("agreement", "profiles"))]
    assert names == ["sotu: all", "all", "within groups"]
    assert Counter(test.family for test in tests)["dose and response"] == len(FIGURES)


def test_pairs_of_a_study_stand_beside_its_strangers():
    """A pair whose folder has no strangers takes those of its settings, of its own seed if there are any."""
    usual = preset("quickstart")
    alone = Division(Estimate(0.5, 0.4, 0.6), Surplus(0.05, 0.03, 0.07, 0.0), [], None, "yes", "yes", "undecided", "")
    less = replace(alone, size=Estimate(0.1, 0.0, 0.2), surplus=Surplus(0.01, 0.0, 0.02, 0.0))
    more = replace(alone, size=Estimate(0.9, 0.8, 1.0))

    def run(config, division):
        return SimpleNamespace(
            config=config, stranger=is_stranger(config), results=SimpleNamespace(division=division)
        )  # fmt: skip

    pair = run(usual, alone)
    planted = run(with_settings(usual, {"model.planted": "classes"}, "test"), alone)
    mine, other = (run(replace(strangers_of(usual), seed=seed), found) for seed, found in ((0, less), (1, more)))
    longer = run(with_settings(strangers_of(usual), {"train.tokens": 9}, "test"), less)
    assert division_of(pair, [pair, other, mine]).verdict == "yes"
    assert division_of(planted, [other, mine]).verdict == "yes"
    assert division_of(pair, [other]).verdict == "no"
    assert division_of(pair, [longer]).verdict == "undecided" == division_of(pair, []).verdict
    assert division_of(mine, [other, mine]).strangers is None
