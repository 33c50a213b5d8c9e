"""Linear decoding finds labels that are planted, and the control task tells them from memorized words."""

import numpy as np
import pytest
import torch

from twotower.data.trees import Tree, TreeWord
from twotower.knowledge.representations import Sentence
from twotower.knowledge.syntax.decoding import adaptive_codelengths, codelengths, decode, fit_predict, tasks_of
from twotower.knowledge.syntax.treebank import Treebank, View

SENTENCES, LENGTH, TYPES = 240, 8, 40
UPOS = ("NOUN", "VERB", "ADJ", "ADV")


@pytest.fixture(scope="module")
def treebank():
    """A word's part of speech is random in its context: its type says nothing of it."""
    generator = np.random.default_rng(0)
    trees = []
    for number in range(SENTENCES):
        words = tuple(
            TreeWord(f"w{generator.integers(TYPES)}", "l", UPOS[generator.integers(4)], "", place, "dep", place)
            for place in range(LENGTH)
        )
        name = f"{('mail', 'news')[number // 4 % 2]}-{number // 4}"
        trees.append(Tree(f"s{number}", name, words, tuple(w.form for w in words), (True,) * LENGTH, 1))
    sentences = [Sentence(np.zeros(LENGTH, int), *[np.arange(LENGTH)] * 2, LENGTH) for _ in trees]
    group = np.arange(SENTENCES) // 4
    return Treebank(trees, sentences, np.array([0, 0, 0, 0, 1, 2])[group % 6], group, {}, {})


@pytest.fixture(scope="module")
def found(treebank):
    """From a task to its results, for states that know the label, the type, or nothing."""
    generator = np.random.default_rng(1)
    words = [word for tree in treebank.trees for word in tree.words]
    label = np.array([UPOS.index(word.upos) for word in words])
    kind = np.array([int(word.form[1:]) for word in words])
    of_label, of_type = generator.normal(size=(4, 50)) * 2, generator.normal(size=(TYPES, 50)) * 2
    noise = [generator.normal(size=(len(words), 50)) for _ in range(3)]
    states = [of_label[label] + noise[0], of_type[kind] + noise[1], noise[2]]
    names = ["tower 1, layer 1", "tower 2, layer 1", "embedding"]
    views = [
        View(name, tower, 1, True, torch.from_numpy(one).float())
        for name, tower, one in zip(names, (1, 2, 0), states, strict=True)
    ]
    tasks, reasons = tasks_of(treebank, "", np.random.default_rng(0))
    assert set(reasons) == {"deprel", "lemma"} and [task.name for task in tasks] == ["upos", "topic"]
    return {task.name: decode(task, treebank, views, 200, 0.95, 0) for task in tasks}


def test_what_is_planted_is_decoded_and_selective(found):
    label, kind, nothing = found["upos"].views
    assert label.accuracy.estimate > 0.95 and label.compression.estimate > 3
    assert label.control.estimate < 0.5 and label.selectivity.low > 0.4
    assert kind.accuracy.estimate < 0.4 and kind.control.estimate > 0.9
    assert kind.selectivity.high < -0.4
    for one in (kind, nothing):
        assert one.accuracy.estimate == pytest.approx(0.25, abs=0.1) and one.compression.estimate < 1.02
    majority = found["upos"].majority
    assert majority.accuracy.estimate == pytest.approx(0.25, abs=0.1)
    assert majority.compression.estimate == pytest.approx(1, abs=0.02)


def test_towers_are_compared_beside_their_controls(found):
    one, two = found["upos"].chosen
    assert (one.tower, two.tower) == (1, 2) and set(one.null) == {"embedding", "majority"}
    assert one.over_embedding.accuracy.low > 0.5
    here, chosen = found["upos"].differences
    assert here.layer == 1 and chosen.layer == "chosen"
    assert here.accuracy.low > 0.5 and here.compression.low > 1
    assert here.accuracy.estimate == pytest.approx(
        found["upos"].views[0].accuracy.estimate - found["upos"].views[1].accuracy.estimate
    )


def test_topics_are_the_beginnings_of_names(found):
    assert found["topic"].labels == 2 and found["topic"].views[0].accuracy.estimate < 0.7


def test_a_control_label_belongs_to_a_type_in_every_part(treebank):
    (task, _), _ = tasks_of(treebank, "", np.random.default_rng(0))
    words = [word.form for tree in treebank.trees for word in tree.words]
    by_type: dict[str, set[int]] = {}
    for place, control in zip(task.word, task.control, strict=True):
        by_type.setdefault(words[place], set()).add(int(control))
    assert all(len(labels) == 1 for labels in by_type.values()) and len(by_type) == TYPES and task.seen.all()


def test_online_codes_are_those_of_the_definition():
    labels = np.array([0, 1, 0, 2, 1, 0])
    counts, bits = np.ones(3), []
    for label in labels:
        bits.append(-np.log2(counts[label] / counts.sum()))
        counts[label] += 1
    np.testing.assert_allclose(adaptive_codelengths(labels, 3), bits)
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 500)
    states = (np.eye(3)[labels] * 8 + generator.normal(size=(500, 3))).astype(np.float32)
    lengths, _ = codelengths(states, labels, 3)
    assert lengths[:5] == pytest.approx(np.log2(3)) and lengths[250:].mean() < 0.05
    # A label that no classifier has seen has a finite code.
    labels[-1] = 3
    assert np.isfinite(codelengths(states, labels, 4)[0]).all()
    assert (fit_predict(states, np.zeros(500, int), np.arange(100), np.arange(100, 110))[0] == 0).all()
