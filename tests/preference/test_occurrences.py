"""Within types: what follows the topic is found, what differs between types only is not."""

from dataclasses import replace

import numpy as np
import pytest

from planted import planted
from twotower.preference import covariates as covariates_module
from twotower.preference.covariates import Cells, covariates, period, sentence_positions, topicality
from twotower.preference.measured import EVERYTHING, Measured
from twotower.preference.occurrences import within_types
from twotower.runs.records import load_config
from twotower.statistics import stretches


def row(within, name):
    return next(covariate for covariate in within.covariates if covariate.name == name)


def with_slope(measured, values, slope):
    scores = measured.scores.copy()
    for name in ("readout_1", "second_1", "third_1", "fourth_1"):
        scores[name] += slope * (values - values.mean()) / values.std()
    return replace(measured, scores=scores)


def test_a_planted_slope_of_topicality_is_found_with_its_sign_and_size():
    plain = planted(0, tokens=12_000)
    for slope in (0.1, -0.1):
        covariate = row(
            within_types(with_slope(plain, topicality(plain, Cells.of_text(plain), EVERYTHING), slope)), "topicality"
        )
        assert np.sign(covariate.estimate) == np.sign(slope) and covariate.p_value < 0.001
        assert covariate.low < covariate.estimate < covariate.high


@pytest.mark.montecarlo
def test_differences_between_types_are_no_slope():
    """A tower that is better at rare or at frequent types, or at nouns, follows no topic."""
    p_values = [
        row(within_types(planted(seed, {"NOUN": 0.5}, frequency_effect=0.3, tokens=6_000)), "topicality").p_value
        for seed in range(20)
    ]
    assert sum(p <= 0.05 for p in p_values) <= 4


def test_an_occurrence_does_not_count_for_its_own_typicality():
    """Else a type that occurs once in the text would be typical of its document by construction."""
    measured = planted(1, types=300, tokens=6_000)
    alone = np.flatnonzero(measured.counts[measured.piece] == 1)
    cells = Cells.of_text(measured)
    assert len(alone)
    assert (topicality(measured, cells, EVERYTHING)[alone] <= 0).all()
    assert (period(measured, cells)(EVERYTHING)[alone] <= 0).all()


def test_positions_count_from_the_last_end_of_a_sentence():
    measured = planted(2, tokens=60, documents=2, types=5)
    names = ["word0", ".", "word2", "word3", "word4"]
    positions = sentence_positions(replace(measured, pieces=names), EVERYTHING)
    begins = np.flatnonzero(np.diff(measured.document)) + 1
    after = np.flatnonzero(measured.piece[:-1] == 1) + 1
    assert positions[0] == 0 and (positions[begins] == 0).all() and (positions[after] == 0).all()
    rest = np.setdiff1d(np.arange(1, 60), np.concatenate([begins, after]))
    assert (positions[rest] == positions[rest - 1] + 1).all()


def test_what_needs_the_prepared_text_is_named_where_there_is_none():
    assert covariates(planted(3, tokens=2_000))[1] == ["far words", "bigram gain"]
    assert within_types(replace(planted(3, towers=1), towers=1)) is None


def test_nothing_depends_on_how_the_text_is_cut(finished, monkeypatch):
    """Stretches of documents, blocks of occurrences, parts of the training stream; a document is longer than any."""
    whole = Measured.of(load_config(finished), finished)

    def figures():
        measured = Measured.of(load_config(finished), finished)
        parts = list(stretches.stretches(measured.document))
        each = {
            name: np.concatenate([values_of(part) for part in parts])
            for name, values_of in covariates(measured)[0].items()
        }
        return each | {"means": measured.preferences[0].means(np.ones((1, measured.documents)))[0]}

    before = figures()
    monkeypatch.setattr(stretches, "STRETCH", 500)
    monkeypatch.setattr(covariates_module, "BLOCK", 100)
    monkeypatch.setattr(covariates_module, "TOKENS", 4 * covariates_module.PASSAGE)
    assert len(list(stretches.stretches(whole.document))) > 2
    for name, values in figures().items():
        np.testing.assert_array_equal(values, before[name], err_msg=name)


def test_a_long_text_is_fitted_in_stretches(monkeypatch):
    measured = planted(5, tokens=4_000)
    whole = within_types(measured)
    monkeypatch.setattr(stretches, "STRETCH", 300)
    parts = within_types(measured)
    assert [row.name for row in parts.covariates] == [row.name for row in whole.covariates]
    assert parts.r2 == pytest.approx(whole.r2, rel=1e-10)
    for one, other in zip(parts.covariates, whole.covariates, strict=True):
        reach = other.high - other.estimate
        for key in ("estimate", "low", "high"):
            assert getattr(one, key) == pytest.approx(getattr(other, key), abs=1e-9 * reach)


def test_stretches_hold_whole_documents_and_all_of_the_text(monkeypatch):
    monkeypatch.setattr(stretches, "STRETCH", 10)
    generator = np.random.default_rng(0)
    document = np.repeat(np.arange(40), generator.integers(1, 25, 40))
    parts = list(stretches.stretches(document))
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])] and parts[-1].stop == len(
        document
    )
    assert all(document[part.start - 1] != document[part.start] for part in parts[1:])
    assert list(stretches.stretches(document[::-1])) == [slice(0, len(document))]


def test_the_nearest_documents_are_those_around_and_the_words_far_back_those_of_the_document():
    """Against sums that are written out."""
    measured = planted(4, tokens=1_500, documents=40, types=30)
    table = np.zeros((40, 30))
    np.add.at(table, (measured.document, measured.piece), 1)
    share = measured.counts / len(measured.piece)
    vectors = np.random.default_rng(0).standard_normal((30, 6)).astype(np.float32)
    found = (
        period(measured, Cells.of_text(measured))(EVERYTHING),
        covariates_module._far_words(measured, vectors, EVERYTHING),
    )
    for place in range(0, 1_500, 7):
        own, piece = measured.document[place], measured.piece[place]
        near = [other for other in range(40) if other != own and abs(other - own) <= 2]
        shown = (table[near, piece].sum() + 200 * share[piece]) / (table[near].sum() + 200)
        assert np.isclose(found[0][place], np.log(shown / share[piece]))
        far = [back for back in range(place - 40, place - 8) if back >= 0 and measured.document[back] == own]
        total = vectors[measured.piece[far]].sum(axis=0)
        length = np.linalg.norm(total) * np.linalg.norm(vectors[piece])
        assert np.isclose(found[1][place], total @ vectors[piece] / length if far else 0.0, atol=1e-6)
