"""Baselines from the counts of the training split."""

import numpy as np
import pytest

from twotower.data.bigrams import Bigrams, baselines, pieces_before
from twotower.data.heldout import PreparedText


def test_the_bigram_model_is_a_distribution_and_follows_the_counts(finished):
    text = PreparedText(finished)
    model = Bigrams.of(text)
    types = len(text.frequencies)
    frequent = int(text.frequencies.argmax())
    for before in (frequent, text.vocabulary.sep, int(text.frequencies.argmin())):
        values = model.log_probs(np.full(types, before), np.arange(types))
        assert np.exp(values).sum() == pytest.approx(1.0)
    stream = np.asarray(text.train, dtype=np.int64)
    follower = int(np.bincount(stream[1:][stream[:-1] == frequent]).argmax())
    times = int(((stream[:-1] == frequent) & (stream[1:] == follower)).sum())
    expected = (times + model.strength * model.unigram[follower]) / ((stream[:-1] == frequent).sum() + model.strength)
    assert np.exp(model.log_probs(np.array([frequent]), np.array([follower]))[0]) == pytest.approx(expected)


def test_baselines_are_of_every_heldout_piece_after_the_one_before_it(finished):
    text = PreparedText(finished)
    nats = baselines(text)
    pieces = np.concatenate([text.heldout[r.start : r.start + r.tokens] for r in text.documents.itertuples()])
    begins = np.concatenate([np.arange(r.tokens) == 0 for r in text.documents.itertuples()])
    model = Bigrams.of(text)
    before = pieces_before(pieces.astype(np.int64), begins, text.vocabulary.sep)
    assert nats["bigram"] == pytest.approx(np.exp(-model.log_probs(before, pieces.astype(np.int64)).mean()))
    assert nats["unigram"] == pytest.approx(np.exp(-text.log_frequencies[pieces].mean(dtype=float)), rel=1e-5)
    assert nats["bigram"] < nats["unigram"]
