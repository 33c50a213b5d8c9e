"""Gains from context on planted truth: a tower that looks further is found, two readouts of one tower do not differ."""

import numpy as np
import pandas as pd
import pytest

from twotower.preference.context import context
from twotower.scoring.context import context_sizes
from twotower.statistics.intervals import Estimate, choice_margin, largest_difference
from twotower.statistics.tallies import resample

SIZES = [1, 2, 4, 8, 16]


def scored(seed, far_1=0.2, far_2=0.0, tokens=600, documents=20):
    """Both towers gain 0.1 nats from one to four tokens, and these from four on."""
    generator = np.random.default_rng(seed)
    base = generator.normal(-5, 1, tokens)
    document = np.sort(generator.integers(0, documents, tokens))
    parts = []
    for size in SIZES:
        share, near = max(0.0, np.log2(size / 4) / 2), min(1.0, np.log2(size) / 2)
        readout_1, readout_2 = (base + 0.1 * near + far * share for far in (far_1, far_2))
        noise = generator.normal(0, 0.3, (3, tokens))
        parts.append(pd.DataFrame({
            "document": document, "token": np.arange(tokens), "context": size, "joint": readout_1 + 0.5,
            "readout_1": readout_1 + noise[0], "readout_2": readout_2 + noise[1], "second_1": readout_1 + noise[2],
            "second_2": readout_2 + noise[2],
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def measured(seed, **planted):
    return context(scored(seed, **planted), 2, 300, 0.95, np.random.default_rng(seed))


def test_the_tower_that_looks_further_gains_more_beyond_four_tokens():
    figures = measured(0)
    assert [estimate.estimate for estimate in figures.far] == pytest.approx([0.2, 0.0], abs=0.05)
    difference = figures.difference
    assert difference.low > 0.1 and difference.estimate == pytest.approx(0.2, abs=0.06)


def test_gains_are_measured_on_the_same_tokens_and_so_more_surely_than_levels():
    points = next(curve for curve in measured(1).curves if curve.head == "tower 1").points
    last = points[-1]
    assert last.gain.estimate == pytest.approx(0.3, abs=0.06)
    assert last.gain.high - last.gain.low < (last.high - last.low) / 2
    assert points[0].gain == Estimate(0.0, 0.0, 0.0)


@pytest.mark.montecarlo
def test_towers_that_look_alike_differ_rarely():
    differences = [measured(seed, far_1=0.1, far_2=0.1).difference for seed in range(40)]
    assert sum(difference.low > 0 or difference.high < 0 for difference in differences) <= 6


def test_a_single_tower_has_curves_and_no_difference_and_no_text_has_neither():
    table = scored(2)
    assert context(table, 1, 100, 0.95, np.random.default_rng(0)).difference is None
    assert context(table[:0], 2, 100, 0.95, np.random.default_rng(0)) is None


def test_contexts_are_powers_of_two_up_to_the_window():
    assert context_sizes("causal", 64) == [1, 2, 4, 8, 16, 32, 64]
    assert context_sizes("masked", 64) == [1, 2, 4, 8, 16, 32, 63]


def alike(seed, towers, tokens=300, documents=25, further=0.0):
    """Towers that gain alike from far context, but for the last, which gains `further` nats more."""
    generator = np.random.default_rng(seed)
    document = np.sort(generator.integers(0, documents, tokens))
    parts = []
    for size in (1, 4, 64):
        columns = {"document": document, "token": np.arange(tokens), "context": size, "joint": np.zeros(tokens)}
        for tower in range(1, towers + 1):
            more = further * (size == 64 and tower == towers)
            columns[f"readout_{tower}"] = generator.normal(-4 + more, 1, tokens)
            columns[f"second_{tower}"] = columns[f"readout_{tower}"] + generator.normal(0, 0.01, tokens)
        parts.append(pd.DataFrame(columns))
    table = pd.concat(parts, ignore_index=True)
    return context(table, towers, 100, 0.95, generator).difference


@pytest.mark.montecarlo
def test_of_several_towers_that_look_alike_the_furthest_two_differ_rarely():
    assert sum(alike(seed, 4).low > 0 for seed in range(40)) <= 6, "the choice of the two would make half of them pass"
    differences = [alike(seed, 4, further=1.0) for seed in range(5)]
    assert all(
        difference.low > 0 and difference.low < difference.estimate < difference.high for difference in differences
    )


@pytest.mark.montecarlo
def test_what_two_sets_of_readouts_differ_by_is_no_difference_between_towers():
    """Documents alone took the readouts' part of a gain, the same for all tokens, for the towers'."""
    passed = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        table = scored(seed, far_1=0.1, far_2=0.1, tokens=4_000)
        far = np.where(table["context"] > 4, 1.0, 0.0)
        for name in ("readout_1", "readout_2", "second_1", "second_2"):
            table[name] += far * generator.normal(0, 0.2)
        difference = context(table, 2, 100, 0.95, generator).difference
        passed += difference.low > 0 or difference.high < 0
    assert passed <= 5


def test_the_interval_of_two_towers_is_that_of_their_difference_where_sets_agree():
    table = scored(3)
    table["second_1"], table["second_2"] = table["readout_1"], table["readout_2"]
    difference = context(table, 2, 300, 0.95, np.random.default_rng(3)).difference
    codes = pd.factorize(table.loc[table["context"] == 1, "document"])[0]
    documents = codes.max() + 1
    weights = np.vstack([np.ones((1, documents)), resample(documents, 300, np.random.default_rng(3))])
    gains = [
        table.loc[table["context"] == 16, head].to_numpy() - table.loc[table["context"] == 4, head].to_numpy()
        for head in ("readout_1", "readout_2")
    ]
    drawn = weights @ np.bincount(codes, weights=gains[0] - gains[1]) / (weights @ np.bincount(codes))
    expected = [drawn[0], *np.quantile(drawn[1:], [0.025, 0.975])]
    assert [difference.estimate, difference.low, difference.high] == pytest.approx(expected, rel=1e-9)


def test_the_margin_of_a_choice_grows_with_the_towers_and_needs_draws():
    drawn = np.random.default_rng(0).normal(size=(2000, 8))
    margins = [choice_margin(drawn[:, :towers], 0.95) for towers in (2, 3, 8)]
    assert margins == sorted(margins) and margins[0] == pytest.approx(1.96 * np.sqrt(2), rel=0.05)
    assert np.isnan(choice_margin(drawn[:10], 0.95))
    assert largest_difference(drawn, 0.95).estimate == np.ptp(drawn[0])
