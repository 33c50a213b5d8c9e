"""How alike the layers of towers are: within a run, and across two."""

from dataclasses import replace

import numpy as np
import pytest

from twotower.knowledge.similarity import sample_of, similarity, window_of
from twotower.knowledge.subject import Subject
from twotower.runs.records import load_config


def subject_of(run, out, **settings):
    config = load_config(run)
    return Subject(replace(config, know=replace(config.know, compared_tokens=1000, **settings)), run, out)


def test_a_run_has_a_matrix_an_interval_and_nulls(finished, tmp_path):
    figures = similarity(subject_of(finished, tmp_path))
    assert [(view.tower, view.layer) for view in figures.views] == [(1, 0), (1, 1), (2, 0), (2, 1)]
    for name, same in (("cka", 1.0), ("procrustes", 0.0)):
        low, middle, high = (np.array(getattr(getattr(figures, name), key)) for key in ("low", "estimate", "high"))
        assert np.diag(middle) == pytest.approx(np.full(4, same), abs=1e-9) and middle == pytest.approx(middle.T)
        assert (low <= middle + 1e-9).all() and (middle <= high + 1e-9).all()
    assert [(likeness.layer, likeness.towers) for likeness in figures.across] == [(0, [1, 2]), (1, [1, 2])]
    for likeness in figures.across:
        assert likeness.cka.estimate == pytest.approx(figures.cka.estimate[likeness.layer][2 + likeness.layer])
        shuffled = likeness.cka.null.shuffled
        assert shuffled.low < 0.01 and abs(shuffled.estimate) < 0.02
        assert likeness.procrustes.null.shuffled.estimate > 1.5
        assert 0 < likeness.cka.null.untrained.estimate < 1
    assert [view.layer for view in figures.from_untrained] == [0, 1, 0, 1]
    assert similarity(subject_of(finished, tmp_path)) == figures


def test_towers_with_the_same_weights_are_the_same(finished, tmp_path):
    subject = subject_of(finished, tmp_path)
    first, second = subject.model.towers
    second.load_state_dict(first.state_dict())
    for likeness in similarity(subject).across:
        assert likeness.cka.estimate == pytest.approx(1) and likeness.procrustes.estimate == pytest.approx(0, abs=1e-5)


def test_the_sample_spreads_over_documents_and_holds_their_own_words(finished, tmp_path):
    subject = subject_of(finished, tmp_path)
    text = subject.text
    for pairs in (False, True):
        window = window_of(subject) - 2 * pairs
        sample = sample_of(text, window, 600, 0, pairs)
        counts = np.bincount(sample.group)
        assert sample.documents == len(text.documents) == len(counts) and counts.max() - counts.min() <= 8
        chosen = sample.rows[sample.row, sample.place]
        assert not np.isin(chosen, text.vocabulary.special[[0, 2, 3, 4]]).any()
        assert sample.present[sample.row, sample.place].all() and sample.rows.shape[1] == window + 2 * pairs
        if pairs:
            assert (sample.rows[:, 0] == text.vocabulary.cls).all()
            last = sample.present.sum(axis=1) - 1
            assert (sample.rows[np.arange(len(last)), last] == text.vocabulary.sep).all()
    few = sample_of(text, window_of(subject), 3, 0, False)
    assert few.documents == 3 == len(few.row)


@pytest.mark.parametrize("family", ["elmo", "hf:llama"])
def test_every_family_has_layers(family_runs, tmp_path, family):
    figures = similarity(subject_of(family_runs(family), tmp_path))
    assert np.isfinite(figures.cka.estimate).all() and len(figures.across) == 2
