"""Lesions: what is taken away is what is named, a planted double dissociation is found, and none is not."""

import numpy as np
import pytest
import torch

from twotower.finished import Run
from twotower.knowledge.lesions import HALVES, dissociation
from twotower.knowledge.removal import INTACT, Lesion, bank_of, heldout_rows, lesioned, lesions_of_towers
from twotower.knowledge.sentences import encode, rows_of, score_sentences
from twotower.knowledge.subject import Subject

TEXTS = ["we must keep the peace with all nations .", "the state of the union"]


@pytest.fixture
def subject(finished) -> Subject:
    return Subject(Run(finished).config, finished, finished)


def test_intact_is_the_joint_head_and_a_lesion_is_what_it_says(subject):
    encoded = encode(subject.tokenizer, TEXTS)
    width = subject.model.config.output_width
    rows = list(rows_of(subject.model, encoded, subject.vocabulary))
    pad = subject.vocabulary.pad
    bank = bank_of(subject.model, rows, pad)
    assert bank.shape == (len(encoded.pieces), 2 * width)
    none, everything = np.zeros(2 * width, dtype=bool), np.ones(2 * width, dtype=bool)
    tried = {
        "none": Lesion(none, "zero"),
        "all": Lesion(everything, "mean"),
        "tower 1": Lesion(everything & (np.arange(2 * width) < width), "zero"),
    }
    found = lesioned(subject.model, rows, len(encoded.pieces), tried, bank, pad, 0, "")
    joint = score_sentences(subject.model, encoded, subject.vocabulary, ["joint"])["joint"]
    np.testing.assert_allclose(found[INTACT], joint, atol=1e-5)
    np.testing.assert_allclose(found["none"], joint, atol=1e-5)
    # Without either tower, what the joint head says of a piece no longer depends on where it stands.
    the = np.flatnonzero(encoded.pieces == subject.tokenizer.token_to_id("the"))
    assert len(the) >= 3 and np.ptp(found["all"][the]) < 1e-5 < np.ptp(found["tower 1"][the])


@pytest.mark.parametrize("family", ["gpt", "bert", "elmo"])
def test_heldout_rows_name_the_tokens_that_they_score(family_runs, family):
    run = family_runs(family)
    subject = Subject(Run(run).config, run, run)
    text = subject.text
    rows = text.windows(subject.model.config.objective, subject.model.config.windows, subject.model.config.window)
    found = heldout_rows(subject.model, rows, 500, subject.config.score.passes)
    places = np.concatenate([one.places for one in found])
    assert len(set(places.tolist())) == len(places) >= 200
    pieces = Run(run).scores()["piece_id"].to_numpy()
    targets = np.concatenate([one.targets[one.scored] for one in found])
    assert (targets == pieces[places]).all()


def test_halves_are_as_large_as_a_tower_and_share_no_unit(subject):
    width = subject.model.config.output_width
    tried = lesions_of_towers(subject.model, 3, np.random.default_rng(0))
    for number in range(3):
        first, second = tried[f"half {number} a"].units, tried[f"half {number} b"].units
        assert first.sum() == width and (first != second).all()
    assert torch.from_numpy(tried["tower 2, mean"].units).nonzero().min() == width


def planted(effect: float, generator: np.random.Generator, items: int = 300):
    """Margins of pairs, half of syntax: tower 1's lesion costs `effect` more on syntax, tower 2's on meaning."""
    syntax = np.arange(items) % 2 == 0
    intact = generator.normal(1, 1, items)
    side = np.where(syntax, 1.0, -1.0)

    def cost(sign: float) -> np.ndarray:
        return generator.normal(0.3, 0.7, items) + sign * side * effect / 2

    margins = {INTACT: intact}
    for tower, sign in ((1, 1.0), (2, -1.0)):
        margins |= {f"tower {tower}, {way}": intact - cost(sign) for way in ("mean", "zero", "resampled")}
    for number in range(HALVES):
        margins |= {f"half {number} {one}": intact - cost(0.0) for one in "ab"}
    right = {name: (values > 0).astype(float) for name, values in margins.items()}
    return dissociation(margins, right, syntax, np.arange(items), 2, generator)


def test_a_planted_double_dissociation_is_found_and_its_towers_named():
    generator = np.random.default_rng(0)
    found = [planted(1.0, generator)["interaction"] for _ in range(5)]
    assert all(one["p_value"] < 0.05 and one["crossover"] and one["tower_of_syntax"] == 1 for one in found)
    assert np.mean([one["estimate"] for one in found]) == pytest.approx(2.0, abs=0.2), "1 on either side"


def test_no_dissociation_is_seldom_said_to_be_one():
    generator = np.random.default_rng(1)
    found = [planted(0.0, generator)["interaction"] for _ in range(30)]
    assert sum(one["p_value"] < 0.05 for one in found) <= 5
    assert sum(one["crossover"] for one in found) <= 1
    assert abs(np.mean([one["estimate"] for one in found])) < 0.08, "no sign is chosen on what it is tested on"


def test_of_three_towers_the_two_that_part_syntax_from_meaning_are_named():
    generator = np.random.default_rng(3)
    syntax = np.arange(300) % 2 == 0
    margins = {INTACT: generator.normal(1, 1, 300)}
    names = [f"tower {tower}, {way}" for tower in (1, 2, 3) for way in ("mean", "zero", "resampled")]
    names += [f"half {number} {one}" for number in range(HALVES) for one in "ab"]
    margins |= {name: margins[INTACT] - generator.normal(0.3, 0.7, 300) for name in names}
    margins["tower 3, mean"] = margins["tower 3, mean"] - syntax
    margins["tower 1, mean"] = margins["tower 1, mean"] - ~syntax
    right = {name: (values > 0).astype(float) for name, values in margins.items()}
    found = dissociation(margins, right, syntax, np.arange(300), 3, generator)["interaction"]
    assert (found["tower_of_syntax"], found["tower_of_meaning"]) == (3, 1) and found["crossover"]
    assert found["p_value"] < 0.05


def test_one_tower_has_losses_and_no_interaction():
    generator = np.random.default_rng(2)
    margins = {INTACT: generator.normal(size=60)}
    margins |= {f"tower 1, {way}": margins[INTACT] - 1 for way in ("mean", "zero", "resampled")}
    right = {name: (values > 0).astype(float) for name, values in margins.items()}
    found = dissociation(margins, right, np.arange(60) % 2 == 0, np.arange(60), 1, generator)
    assert found["interaction"] is None
    assert found["losses"][0]["margin"]["estimate"] == pytest.approx(1)
