"""A division of the work by reading direction is found where it is, and not where it is not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import twotower
from twotower.data.heldout import PreparedText
from twotower.preference.direction import direction
from twotower.report.finding import finding_sentences
from twotower.report.summary import sentences
from twotower.scoring.direction import lesion
from twotower.statistics.intervals import Estimate
from twotower.statistics.tallies import resample


def measured(model, text):
    rows = text.windows(model.config.objective, model.config.windows, model.config.window)
    table = lesion(model, rows, text.documents["start"].to_numpy(), 64)
    return direction(table, model.config.towers, 200, 0.95, np.random.default_rng(0))


def test_towers_that_are_made_to_look_one_way_each_are_found_out(family_runs):
    run = twotower.Run.load(family_runs("elmo"))
    text, model = PreparedText(run.path), run.model()
    before = measured(model, text)
    assert before.difference.estimate < 0.5
    with torch.no_grad():
        for module in (model.towers[0].backbone.backward_lstm, model.towers[1].backbone.lstm):
            for parameter in module.parameters():
                parameter.zero_()
    after = measured(model, text)
    one, other = after.towers
    assert abs(one.after.estimate) < 1e-6 and abs(other.before.estimate) < 1e-6
    assert after.difference.estimate == pytest.approx(2.0, abs=1e-3)


def test_lesions_leave_the_whole_window_as_it_was_scored(family_runs):
    run = twotower.Run.load(family_runs("elmo"))
    lesioned, scores = pd.read_parquet(run.path / "direction.parquet"), run.scores()
    assert set(lesioned) == {"document", *(f"{c}_{k}" for c in ("whole", "before", "after") for k in (1, 2))}
    known = np.sort(scores[[f"{name}_1" for name in run.model().config.readouts]].mean(axis=1))
    nearest = known[np.clip(np.searchsorted(known, lesioned["whole_1"] - 1e-5), 0, len(known) - 1)]
    assert (np.abs(nearest - lesioned["whole_1"]) < 2e-5).mean() > 0.99  # the same text, scored by the stage itself


def test_causal_towers_have_no_direction_to_divide_by(finished):
    assert twotower.Run.load(finished).results().direction is None
    assert pd.read_parquet(finished / "direction.parquet").empty


def test_the_summary_warns_of_a_division_by_direction(family_runs):
    results = twotower.Run.load(family_runs("bert")).results()

    def told(difference):
        return replace(results, direction=replace(results.direction, difference=difference))

    results = told(Estimate(1.5, 1.3, 1.7))
    ruler = finding_sentences(results)
    said = [sentence for sentence in sentences(results) if not sentence.startswith("Beware: ") or sentence in ruler]
    assert said[: len(ruler)] == ruler and "no evidence of syntax and semantics by itself" in said[len(ruler)]
    assert "no large division by direction" in " ".join(sentences(told(Estimate(0.1, 0.0, 0.3))))


def planted(seed, towers, tokens=400, apart=0.0):
    """Towers that lose one nat without either side; the first, `apart` more without what stands before."""
    generator = np.random.default_rng(seed)
    columns = {"document": np.sort(generator.integers(0, 30, tokens))}
    for tower in range(1, towers + 1):
        lost = {"whole": 0.0, "after": 1.0 + apart * (tower == 1), "before": 1.0}
        columns |= {f"{side}_{tower}": generator.normal(-nats, 1, tokens) for side, nats in lost.items()}
    return pd.DataFrame(columns)


@pytest.mark.montecarlo
def test_of_several_towers_alike_two_are_seldom_said_to_divide_the_work():
    figures = [direction(planted(seed, 4), 4, 150, 0.95, np.random.default_rng(seed)) for seed in range(40)]
    assert sum(figure.difference.low > 0 for figure in figures) <= 6
    divided = direction(planted(0, 4, apart=3.0), 4, 150, 0.95, np.random.default_rng(0)).difference
    assert 0.2 < divided.low < divided.estimate < divided.high


def test_of_two_towers_the_interval_is_that_of_their_difference_to_the_byte():
    table = planted(1, 2, apart=1.0)
    difference = direction(table, 2, 200, 0.95, np.random.default_rng(1)).difference
    codes, documents = pd.factorize(table["document"])
    weights = np.vstack([np.ones((1, len(documents))), resample(len(documents), 200, np.random.default_rng(1))])

    def balance(tower):
        before, after = (
            weights @ np.bincount(codes, weights=table[f"whole_{tower}"] - table[f"{side}_{tower}"])
            / (weights @ np.bincount(codes))
            for side in ("after", "before")
        )  # fmt: skip
        return (before - after) / (before + after)

    drawn = balance(1) - balance(2)
    assert [difference.estimate, difference.low, difference.high] == [drawn[0], *np.quantile(drawn[1:], [0.025, 0.975])]
