"""Two plain models: tags in order, and the words of a document in any order."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from twotower.data.plain_models import bag_of_words, tag_trigram

TYPES, SEPARATOR = 12, 0
TAGS = ["_", *["DET"] * 2, *["NOUN"] * 5, *["VERB"] * 4]


@pytest.fixture
def prepared():
    """Determiner, noun, verb, again and again; each document has a noun of its own."""
    generator = np.random.default_rng(0)
    stream = [SEPARATOR]
    for _ in range(40):
        noun = int(generator.integers(3, 8))
        for _ in range(30):
            stream += [int(generator.integers(1, 3)), noun, int(generator.integers(8, 12))]
        stream.append(SEPARATOR)
    train = np.array(stream)
    return SimpleNamespace(
        train=train, frequencies=np.bincount(train, minlength=TYPES), vocabulary=SimpleNamespace(sep=SEPARATOR),
        classes=pd.DataFrame({"upos": np.array(TAGS, dtype=object)}),
    )  # fmt: skip


def test_the_order_of_tags_tells_the_tag_and_the_document_tells_the_word(prepared):
    piece = np.array([1, 5, 9] * 20 + [2, 3, 8] * 20)
    document = np.repeat([0, 1], 60)
    begins = np.append(True, document[1:] != document[:-1])
    tags, words = tag_trigram(prepared, piece, begins), bag_of_words(prepared, piece, document)
    nouns = (piece == 5) | (piece == 3)
    unigram = np.log((prepared.frequencies + 1) / (prepared.frequencies + 1).sum())[piece]
    among_nouns = prepared.frequencies[piece[nouns]] / prepared.frequencies[3:8].sum()
    assert tags[nouns] == pytest.approx(np.log(among_nouns), abs=0.05)  # it is surely a noun
    assert (tags > unigram).mean() > 0.9
    assert (words[nouns] > tags[nouns]).all()
    shuffled = np.random.default_rng(1).permutation(60)
    moved = np.concatenate([piece[:60][shuffled], piece[60:]])
    assert sorted(bag_of_words(prepared, moved, document)) == pytest.approx(sorted(words))


def test_both_are_probabilities(prepared):
    every = np.arange(TYPES)
    context = np.array([[1, 5, piece] for piece in every])
    begins = np.tile([True, False, False], TYPES)
    last = tag_trigram(prepared, context.ravel(), begins)[2::3]
    assert np.exp(last).sum() == pytest.approx(1)
