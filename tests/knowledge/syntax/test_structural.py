"""The structural probe finds trees that are there, and nothing where nothing is."""

import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import minimum_spanning_tree

from twotower.data.trees import Tree, TreeWord
from twotower.knowledge.representations import Sentence
from twotower.knowledge.syntax.probe import probe_views, summarize
from twotower.knowledge.syntax.structural import by_length, score, spanning_edges
from twotower.knowledge.syntax.treebank import TEST, Treebank, View, draw_weights

SENTENCES, WIDTH = 400, 24


def random_tree(generator, number: int) -> Tree:
    """A random tree; its last word is punctuation."""
    count = int(generator.integers(5, 12))
    order = generator.permutation(count) + 1
    heads = {int(order[0]): 0}
    for place in range(1, count):
        heads[int(order[place])] = int(order[generator.integers(place)])
    heads[count + 1] = int(order[0])
    words = tuple(
        TreeWord(f"w{one}", f"w{one}", "PUNCT" if one > count else "NOUN", "", heads[one], "dep", one - 1)
        for one in range(1, count + 2)
    )
    forms = tuple(word.form for word in words)
    return Tree(f"s{number}", "d", words, forms, (True,) * len(words), 1)


@pytest.fixture(scope="module")
def treebank():
    generator = np.random.default_rng(0)
    trees = [random_tree(generator, number) for number in range(SENTENCES)]
    sentences = [Sentence(np.zeros(len(t.words), int), *[np.arange(len(t.words))] * 2, len(t.words)) for t in trees]
    part = np.arange(SENTENCES) % 6
    return Treebank(trees, sentences, np.where(part < 4, 0, part - 3), np.arange(SENTENCES), {}, {})


def planted(trees, generator) -> torch.Tensor:
    """States whose squared distances, in a subspace, are the trees': a word is the sum of the edges from the root."""
    rows = []
    for tree in trees:
        codes = np.zeros((len(tree.words), 12))
        for number in np.argsort(tree.depths):
            head = tree.words[number].head
            if head:
                codes[number] = codes[head - 1]
                codes[number, number] = 1
        rows.append(codes)
    codes = np.concatenate(rows)
    noise = generator.normal(size=(len(codes), WIDTH - 12))
    mixed = np.concatenate([codes, noise], axis=1) @ np.linalg.qr(generator.normal(size=(WIDTH, WIDTH)))[0]
    return torch.from_numpy(mixed).float()


@pytest.fixture(scope="module")
def probed(treebank):
    generator = np.random.default_rng(1)
    there = planted(treebank.trees, generator)
    noise = torch.from_numpy(generator.normal(size=there.shape)).float()
    views = [View("tower 1, layer 1", 1, 1, True, there), View("tower 2, layer 1", 2, 1, True, noise)]
    return probe_views(treebank, views, seed=0)


def test_planted_trees_are_found_and_noise_is_none(treebank, probed):
    test = np.flatnonzero(treebank.part == TEST)
    weights = draw_weights(test, 200, np.random.default_rng(0))
    figures = summarize(probed, weights, 0.95)
    there, noise = figures.views
    assert there.uuas.estimate > 0.95 and there.dspr.estimate > 0.9
    assert there.root.estimate > 0.9 and there.nspr.estimate > 0.9
    # A random tree of n words has 2/n of another one's edges by chance.
    chance = np.mean([2 / (len(treebank.trees[one].words) - 1) for one in test])
    assert noise.uuas.estimate == pytest.approx(chance, abs=0.08)
    assert figures.linear_order.uuas.estimate == pytest.approx(chance, abs=0.08)
    assert abs(noise.nspr.estimate) < 0.15 and noise.root.estimate < 0.35
    assert there.uuas.low <= there.uuas.estimate <= there.uuas.high
    assert [one.layer for one in figures.differences] == [1, "chosen"]
    assert figures.differences[0].uuas.low > 0.5
    assert set(figures.chosen[0].uuas.null) == {"linear_order"}


def test_probes_are_trained_apart_and_seeded(treebank, probed):
    alone = probe_views(treebank, [probed[0].view], seed=0)[0]
    np.testing.assert_array_equal(alone.test.correct, probed[0].test.correct)
    np.testing.assert_allclose(alone.test.distance_correlation, probed[0].test.distance_correlation, atol=1e-2)
    again = probe_views(treebank, [probed[0].view], seed=0)[0]
    np.testing.assert_array_equal(alone.test.distance_correlation, again.test.distance_correlation)


def test_gold_trees_score_one_and_punctuation_does_not_count(treebank):
    trees = treebank.trees[:20]
    distances = [np.array([tree.distances], dtype=float) for tree in trees]
    depths = [np.array([tree.depths], dtype=float) for tree in trees]
    right = score(trees, distances, depths)
    for estimate in (right.distance_correlation, right.root, right.depth_correlation):
        np.testing.assert_allclose(estimate, 1.0)
    np.testing.assert_array_equal(right.correct[0], right.edges)
    np.testing.assert_array_equal(right.edges, [len(tree.words) - 2 for tree in trees])
    for distance, depth in zip(distances, depths, strict=True):
        distance[:, -1, :-1] = distance[:, :-1, -1] = depth[:, -1] = -5
    np.testing.assert_array_equal(score(trees, distances, depths).correct, right.correct)


def test_spanning_trees_are_those_of_scipy():
    generator = np.random.default_rng(0)
    matrices = generator.random((3, 4, 9, 9)) + 0.1
    matrices = matrices + matrices.swapaxes(-1, -2)
    edges = spanning_edges(matrices)
    for one, mine in zip(matrices.reshape(-1, 9, 9), edges.reshape(-1, 9, 9), strict=True):
        theirs = minimum_spanning_tree(one).toarray() > 0
        np.testing.assert_array_equal(mine, theirs | theirs.T)


def test_correlations_are_averaged_over_lengths_of_5_to_50():
    weights = np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 2.0, 0.0]])
    values, lengths = np.array([0.9, 0.2, 0.4, 0.8]), np.array([4, 6, 6, 7])
    np.testing.assert_allclose(by_length(weights, values, lengths), [(0.3 + 0.8) / 2, 0.4])
