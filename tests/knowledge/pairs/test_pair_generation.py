"""Pairs from gold trees: each violation is what it says, and frequency alone is right in half of them."""

from collections import Counter

import numpy as np
import pytest

from small_treebank import write_treebank
from twotower.data.trees import read_trees
from twotower.knowledge.pairs.minimal_pair import MEANING, OTHER, SYNTAX
from twotower.knowledge.pairs.pair_generation import VIOLATIONS, Lexicon, generate
from twotower.knowledge.pairs.pairs import cooccurrence

EXPECTED = {
    "agreement": {"The nation has many states .": {"The nation have many states ."}},
    "determiner": {"These states made war .": {"This states made war ."}},
    "order": {"The land is great .": {"Land the is great ."}},
    "auxiliary": {"This congress will make peace in the country .": {"This congress will made peace in the country ."}},
    "reflexive": {"The people see themselves .": {"The people see himself ."}},
    "animacy": {"The president hopes for peace .": {"The land hopes for peace ."}},
}


@pytest.fixture
def trees(tmp_path):
    return read_trees(write_treebank(tmp_path / "some.conllu", times=4))


def all_changes(trees, lexicon):
    from twotower.knowledge.pairs.pair_generation import _rewritten

    return {
        name: {tree.text: {_rewritten(tree, change) for change, _ in violate(tree, lexicon)} for tree in trees}
        for name, (_, violate) in VIOLATIONS.items()
    }


def test_each_violation_is_what_it_says(trees):
    lexicon = Lexicon.of(trees, lambda form: 100, lambda verb, noun: (0, 5.0))
    changes = all_changes(trees, lexicon)
    for name, sentences in EXPECTED.items():
        for good, bad in sentences.items():
            assert bad <= changes[name][good], (name, changes[name][good])
    assert not changes["agreement"]["These states made war ."], "past forms do not show number"
    assert changes["object"]["The states have a nation ."], "a noun that they never have is a worse object"
    assert not any("a state" in bad for bad in changes["object"]["The states have a nation ."]), "states are had, too"
    assert not changes["object"]["These states made war ."], (
        "a bare noun may not be replaced by one that needs an article"
    )
    unsure = Lexicon.of(trees, lambda form: 100, lambda verb, noun: (0, 0.01))
    assert not any(all_changes(trees, unsure)["object"].values()), "that a rare noun was not seen says nothing"


def test_pairs_have_known_words_and_differ_in_their_kind(trees):
    known = Counter({form.lower(): 50 for tree in trees for form in tree.tokens})
    known["himself"] = 3
    lexicon = Lexicon.of(trees, lambda form: known[form.lower()], lambda verb, noun: (0, 5.0))
    pairs, available = generate(trees, lexicon, 10, 100, np.random.default_rng(0))
    assert {pair.kind for pair in pairs} == {SYNTAX, MEANING, OTHER}
    assert available["reflexive"] == 0, "himself is rare"
    for pair in pairs:
        assert pair.good != pair.bad
        assert pair.kind == (VIOLATIONS[pair.paradigm][0] if pair.paradigm in VIOLATIONS else OTHER)
        assert sorted(pair.good.lower()) == sorted(pair.bad.lower()) or pair.paradigm not in ("order", "roles")
    again, _ = generate(trees, lexicon, 10, 100, np.random.default_rng(0))
    assert again == pairs


def test_frequency_alone_is_right_in_half_of_the_pairs(tmp_path):
    trees = read_trees(write_treebank(tmp_path / "some.conllu"))
    counts = {"has": 1000, "have": 100, "is": 50}
    lexicon = Lexicon.of(trees, lambda form: counts.get(form.lower(), 60), lambda verb, noun: (0, 5.0))
    pairs, _ = generate(trees, lexicon, 10, 100, np.random.default_rng(0))
    agreement = [pair for pair in pairs if pair.paradigm == "agreement"]
    rarer = [("has" in pair.bad.split()) for pair in agreement if {"has", "have"} & set(pair.bad.split())]
    assert rarer and sum(rarer) * 2 == len(rarer)


def test_cooccurrence_counts_what_follows_within_reach():
    stream = np.array([5, 1, 9, 1, 9, 9, 9, 9, 1])
    assert cooccurrence(stream, {5: 0}, {1: 0}, (1, 1), reach=3).tolist() == [[2]]
    assert cooccurrence(stream, {9: 0}, {1: 0}, (1, 1), reach=1).tolist() == [[2]]


def test_nonce_pairs_keep_form_and_violation_and_change_the_content_words(tmp_path):
    trees = read_trees(write_treebank(tmp_path / "some.conllu", times=30))
    lexicon = Lexicon.of(trees, lambda form: 100, lambda verb, noun: (0, 5.0))
    pairs, available = generate(trees, lexicon, 10, 400, np.random.default_rng(0))
    nonce = [pair for pair in pairs if pair.paradigm.startswith("nonce ")]
    assert nonce and available["nonce agreement"] >= sum(pair.paradigm == "nonce agreement" for pair in nonce)
    texts = {tree.text for tree in trees}
    for pair in nonce:
        assert pair.good not in texts and len(pair.good.split()) == len(pair.bad.split())
        if pair.paradigm == "nonce determiner":
            [(right, wrong)] = [
                two for two in zip(pair.good.split(), pair.bad.split(), strict=True) if two[0] != two[1]
            ]
            assert {right.lower(), wrong.lower()} in ({"this", "these"}, {"that", "those"})


def test_in_a_conflict_grammar_and_plausibility_favour_different_sentences(tmp_path):
    trees = read_trees(write_treebank(tmp_path / "some.conllu", times=4))
    lexicon = Lexicon.of(trees, lambda form: 100, lambda verb, noun: (0, 5.0))
    pairs, _ = generate(trees, lexicon, 10, 400, np.random.default_rng(0))
    conflict = [pair for pair in pairs if pair.paradigm == "conflict"]
    assert conflict
    changes = all_changes(trees, lexicon)
    by_kind: dict[str, set[str]] = {SYNTAX: set(), MEANING: set()}
    for name, sentences in changes.items():
        by_kind[VIOLATIONS[name][0]] |= set().union(*sentences.values())
    for pair in conflict:
        assert pair.good in by_kind[MEANING] and pair.bad in by_kind[SYNTAX]
