"""Control texts keep the words and lose their order."""

from collections import Counter
from math import isfinite

import numpy as np
import pandas as pd
import pytest

import twotower
from twotower.data.heldout import PreparedText

SPLITS = ("train", "validation", "heldout")


def words_by_document(run, split: str) -> list[list[tuple[str, ...]]]:
    """The words of each document, each as its pieces."""
    text = PreparedText(run)
    stream = {"train": text.train, "validation": text.validation, "heldout": text.heldout}[split]
    documents = pd.read_parquet(run / "data" / "documents.parquet")
    found = []
    of_split = {
        "train": ~documents.heldout & ~documents.validation,
        "validation": documents.validation,
        "heldout": documents.heldout,
    }
    for row in documents[of_split[split]].itertuples():
        pieces = [text.pieces[index] for index in stream[row.start : row.start + row.tokens]]
        assert stream[row.start - 1] == stream[row.start + row.tokens] == text.vocabulary.sep
        words: list[list[str]] = []
        for piece in pieces:
            if piece.startswith("##"):
                words[-1].append(piece)
            else:
                words.append([piece])
        found.append([tuple(word) for word in words])
    return found


@pytest.fixture(scope="module")
def prepared(small, tmp_path_factory):
    from dataclasses import replace

    folder = tmp_path_factory.mktemp("scrambled")
    runs = {}
    for words in ("text", "scrambled", "shuffled", "bag", "unigram"):
        config = replace(small, prepare=replace(small.prepare, words=words))
        runs[words] = twotower.run(config, folder / words, stages=("prepare",)).path
    return runs


@pytest.mark.parametrize("split", SPLITS)
def test_shuffling_keeps_the_words_of_each_document_and_loses_their_order(prepared, split):
    before, after = (words_by_document(prepared[name], split) for name in ("text", "shuffled"))
    assert [Counter(words) for words in before] == [Counter(words) for words in after]
    for one, other in zip(before, after, strict=True):
        same = np.mean([a == b for a, b in zip(one, other, strict=True)])
        assert one != other and same < 0.1


@pytest.mark.parametrize("split", SPLITS)
def test_unigram_text_keeps_the_words_of_the_split_and_their_number_in_each_document(prepared, split):
    before, after = (words_by_document(prepared[name], split) for name in ("text", "unigram"))
    assert Counter(w for words in before for w in words) == Counter(w for words in after for w in words)
    assert [len(words) for words in before] == [len(words) for words in after]
    assert before != after and (len(before) == 1 or Counter(before[0]) != Counter(after[0]))


@pytest.mark.parametrize("words", ["scrambled", "shuffled", "unigram"])
def test_tags_and_counts_stay_with_their_words(prepared, words):
    columns = ["piece", "word", "upos", "whole_word"]
    tables = [pd.read_parquet(prepared[name] / "data" / "heldout.parquet") for name in ("text", words)]
    rows = [Counter(table[columns].astype(str).itertuples(index=False, name=None)) for table in tables]
    assert rows[0] == rows[1]
    text = PreparedText(prepared[words])
    inside = np.concatenate([text.heldout[r.start : r.start + r.tokens] for r in text.documents.itertuples()])
    assert (tables[1]["piece"].to_numpy() == inside).all()
    assert (tables[1].groupby("document")["position"].max() + 1).tolist() == text.documents["tokens"].tolist()
    for name in ("frequencies.npy", "tags.npy"):
        assert (prepared[words] / "data" / name).read_bytes() == (prepared["text"] / "data" / name).read_bytes()


@pytest.mark.parametrize("split", SPLITS)
def test_scrambling_keeps_the_words_of_each_sentence_and_its_end(prepared, split):
    before, after = (words_by_document(prepared[name], split) for name in ("text", "scrambled"))
    for one, other in zip(before, after, strict=True):
        assert one != other and len(one) == len(other)
        begin = 0
        for place, word in enumerate(one):
            if word in ((".",), ("!",), ("?",)) or place == len(one) - 1:
                assert other[place] == word or place == len(one) - 1
                assert Counter(one[begin : place + 1]) == Counter(other[begin : place + 1])
                begin = place + 1


def test_a_bag_draws_as_many_words_of_the_document_and_counts_what_it_drew(prepared):
    for split in SPLITS:
        before, after = (words_by_document(prepared[name], split) for name in ("text", "bag"))
        for one, other in zip(before, after, strict=True):
            assert len(one) == len(other) and set(other) < set(one)
    text = PreparedText(prepared["bag"])
    kept = np.bincount(text.train, minlength=len(text.frequencies))
    kept[text.vocabulary.sep] = text.frequencies[text.vocabulary.sep]
    assert (kept == text.frequencies).all()
    held = text.summary.heldout_tokens
    assert text.summary.parts[0].heldout_tokens == text.documents["tokens"].sum() == held
    table = pd.read_parquet(prepared["bag"] / "data" / "heldout.parquet")
    assert len(table) == held
    assert (
        np.load(prepared["bag"] / "data" / "tags.npy")[:, -1].tolist()
        == np.bincount(table["piece"], minlength=len(text.frequencies)).tolist()
    )


@pytest.mark.slow
def test_a_run_on_shuffled_text_is_measured(with_settings, tmp_path):
    results = twotower.run(with_settings(prepare={"words": "shuffled"}), tmp_path / "run").results()
    assert results.corpus.name.endswith("words shuffled") and isfinite(results.reliability.estimate)
