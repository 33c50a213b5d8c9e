"""Lesions: what is taken away is what is named, a planted double dissociation is found, and none is not."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from twotower.config.schema import AnalyzeConfig
from twotower.data.windows import heldout_documents
from twotower.knowledge.lesions.by_class import losses_by_class
from twotower.knowledge.lesions.dissociation import dissociation
from twotower.knowledge.lesions.lesions import _every_second
from twotower.knowledge.lesions.removal import (
    HALVES,
    INTACT,
    PARTS,
    Lesion,
    bank_of,
    heldout_rows,
    lesioned,
    lesions_of_towers,
)
from twotower.knowledge.sentences import encode, rows_of, score_sentences
from twotower.knowledge.subject import Subject
from twotower.runs.finished import RunFolder

TEXTS = ["we must keep the peace with all nations .", "the state of the union"]
SETTINGS = AnalyzeConfig()


@pytest.fixture
def subject(finished) -> Subject:
    return Subject(RunFolder(finished).config, finished, finished)


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
    log_probs = lesioned(subject.model, rows, len(encoded.pieces), tried, bank, pad, 0, "")
    joint = score_sentences(subject.model, encoded, subject.vocabulary, ["joint"])["joint"]
    np.testing.assert_allclose(log_probs[INTACT], joint, atol=1e-5)
    np.testing.assert_allclose(log_probs["none"], joint, atol=1e-5)
    # Without either tower, what the joint head says of a piece no longer depends on where it stands.
    the = np.flatnonzero(encoded.pieces == subject.tokenizer.token_to_id("the"))
    assert len(the) >= 3 and np.ptp(log_probs["all"][the]) < 1e-5 < np.ptp(log_probs["tower 1"][the])


@pytest.mark.parametrize("family", ["gpt", "bert", "elmo"])
def test_heldout_rows_name_the_tokens_that_they_score(family_runs, family):
    run = family_runs(family)
    subject = Subject(RunFolder(run).config, run, run)
    text = subject.text
    rows = text.windows(subject.model.config.objective, subject.model.config.windows, subject.model.config.window)
    batches = heldout_rows(subject.model, rows, 500, subject.config.score.passes)
    places = np.concatenate([batch.places for batch in batches])
    assert len(set(places.tolist())) == len(places) >= 200
    pieces = RunFolder(run).scores()["piece_id"].to_numpy()
    targets = np.concatenate([batch.targets[batch.scored] for batch in batches])
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
    return dissociation(margins, right, syntax, np.arange(items), 2, SETTINGS, generator)


def test_a_planted_double_dissociation_is_found_and_its_towers_named():
    generator = np.random.default_rng(0)
    effects = [planted(1.0, generator).interaction for _ in range(5)]
    assert all(effect.p_value < 0.05 and effect.crossover and effect.tower_of_syntax == 1 for effect in effects)
    assert np.mean([effect.estimate for effect in effects]) == pytest.approx(2.0, abs=0.2), "1 on either side"


def test_no_dissociation_is_seldom_said_to_be_one():
    generator = np.random.default_rng(1)
    effects = [planted(0.0, generator).interaction for _ in range(30)]
    assert sum(effect.p_value < 0.05 for effect in effects) <= 5
    assert sum(effect.crossover for effect in effects) <= 1
    assert abs(np.mean([effect.estimate for effect in effects])) < 0.08, "no sign is chosen on what it is tested on"


def test_of_three_towers_the_two_that_part_syntax_from_meaning_are_named():
    generator = np.random.default_rng(3)
    syntax = np.arange(300) % 2 == 0
    margins = {INTACT: generator.normal(1, 1, 300)}
    names = [f"tower {tower}, {way}" for tower in (1, 2, 3) for way in ("mean", "zero", "resampled")]
    names += [f"half {number} {one}" for number in range(HALVES) for one in PARTS[:3]]
    margins |= {name: margins[INTACT] - generator.normal(0.3, 0.7, 300) for name in names}
    margins["tower 3, mean"] = margins["tower 3, mean"] - syntax
    margins["tower 1, mean"] = margins["tower 1, mean"] - ~syntax
    right = {name: (values > 0).astype(float) for name, values in margins.items()}
    interaction = dissociation(margins, right, syntax, np.arange(300), 3, SETTINGS, generator).interaction
    assert (interaction.tower_of_syntax, interaction.tower_of_meaning) == (3, 1) and interaction.crossover
    assert interaction.p_value < 0.05


def test_one_tower_has_losses_and_no_interaction():
    generator = np.random.default_rng(2)
    margins = {INTACT: generator.normal(size=60)}
    margins |= {f"tower 1, {way}": margins[INTACT] - 1 for way in ("mean", "zero", "resampled")}
    right = {name: (values > 0).astype(float) for name, values in margins.items()}
    figures = dissociation(margins, right, np.arange(60) % 2 == 0, np.arange(60), 1, SETTINGS, generator)
    assert figures.interaction is None
    assert figures.losses[0].margin.estimate == pytest.approx(1)


def test_every_second_document_is_measured_whatever_its_number_in_the_corpus():
    """Held-out documents are a random part of the corpus; of their numbers all may be even."""
    generator = np.random.default_rng(0)
    for seed in range(50):
        numbers = np.flatnonzero(heldout_documents(generator.integers(28_000, 32_000, 18), 0.2, seed))
        documents = np.repeat(numbers, 5)
        measured = set(documents[_every_second(documents)].tolist())
        assert measured == set(numbers[1::2].tolist())
    assert not _every_second(np.full(5, 7)).any()


def by_class(losses, labels, documents, generator, towers=2, settings=SETTINGS):
    subject = SimpleNamespace(
        model=SimpleNamespace(config=SimpleNamespace(towers=towers)), config=SimpleNamespace(analyze=settings)
    )
    frequency = np.exp(generator.normal(3, 2, len(labels)))
    return losses_by_class(subject, losses, labels, documents, frequency, generator)


def names_of(towers):
    parts = PARTS[: max(2, towers)]
    return [f"tower {tower}, {way}" for tower in range(1, towers + 1) for way in ("mean", "zero", "resampled")] + [
        f"half {number} {part}" for number in range(HALVES) for part in parts
    ]


def test_what_one_document_tells_has_no_interval():
    generator = np.random.default_rng(0)
    labels = np.repeat(["NOUN", "VERB"], 60)
    losses = {name: generator.normal(size=120) for name in names_of(2)}
    alone = by_class(losses, labels, np.zeros(120, dtype=int), generator)
    figures = [alone.lesions[0].loss, alone.apart, alone.by_frequency, alone.apart.profile[0]]
    assert all(np.isfinite(figure.estimate) and np.isnan([figure.low, figure.high]).all() for figure in figures)
    some = by_class(losses, labels, np.where(labels == "VERB", 0, np.arange(120) % 5), generator).lesions[0]
    assert {row.name: bool(np.isnan(row.loss.low)) for row in some.classes} == {
        "NOUN": False,
        "VERB": True,
    }
    assert some.loss.low < some.loss.estimate < some.loss.high


def test_units_are_divided_into_as_many_parts_as_there_are_towers():
    model = SimpleNamespace(config=SimpleNamespace(towers=3, output_width=8))
    tried = lesions_of_towers(model, HALVES, np.random.default_rng(0))
    assert list(tried) == names_of(3)
    for number in range(HALVES):
        parts = np.array([tried[f"half {number} {part}"].units for part in "abc"])
        assert (parts.sum(axis=0) <= 1).all(), "no unit is in two parts"
        assert (parts.reshape(3, 3, 8).sum(axis=2) == 2).all(), "as many of each tower"


def test_of_several_towers_that_are_like_any_units_none_stand_out():
    """The two that are furthest apart are chosen among towers, and so among random parts."""
    towers, few = 4, replace(SETTINGS, bootstrap=20)
    generator = np.random.default_rng(5)
    syntax, labels = np.arange(120) % 2 == 0, np.arange(120) % 3
    passed = {"apart": 0, "by_frequency": 0, "interaction": 0}
    for _ in range(40):
        intact = generator.normal(size=120)
        losses = {
            name: generator.normal(0, 0.2, 3)[labels] + generator.normal(0, 0.1, 120) for name in names_of(towers)
        }
        losses_by_class = by_class(losses, labels.astype(str), np.arange(120) % 10, generator, towers, few)
        margins = {INTACT: intact}
        for name in losses:
            margins[name] = intact - np.where(syntax, *generator.normal(0, 0.2, 2)) + generator.normal(0, 0.1, 120)
        right = {name: (values > 0).astype(float) for name, values in margins.items()}
        both = dissociation(margins, right, syntax, np.arange(120), towers, few, generator)
        for key, one in (
            ("apart", losses_by_class.apart),
            ("by_frequency", losses_by_class.by_frequency),
            ("interaction", both.interaction),
        ):
            passed[key] += one.p_value < 0.05
    assert max(passed.values()) <= 6, passed
