"""Eisner's algorithm against all trees."""

from itertools import product

import numpy as np
import pytest

from twotower.statistics.projective import eisner


def projective_trees(words):
    """All projective trees of one root, as heads."""
    for heads in product(range(-1, words), repeat=words):
        if heads.count(-1) != 1 or any(head == word for word, head in enumerate(heads)):
            continue

        def above(word, heads=heads):
            seen = []
            while word >= 0 and word not in seen:
                seen.append(word)
                word = heads[word]
            return seen if word < 0 else None

        lines = [above(word) for word in range(words)]
        if None in lines:
            continue
        arcs = [(min(a, b), max(a, b), b) for a, b in enumerate(heads) if b >= 0]
        # Every word under an arc descends from its head.
        if all(head in lines[word] for low, high, head in arcs for word in range(low + 1, high)):
            yield heads


def total(scores, heads):
    return sum(scores[word, word] if head < 0 else scores[head, word] for word, head in enumerate(heads))


@pytest.mark.parametrize("words", [1, 2, 3, 4, 5, 6])
def test_no_tree_is_better(words):
    everything = list(projective_trees(words))
    assert len(everything) == {1: 1, 2: 2, 3: 7, 4: 30, 5: 143, 6: 728}[words]
    scores = np.random.default_rng(words).normal(size=(25, words, words))
    for one, heads in zip(scores, eisner(scores).tolist(), strict=True):
        assert tuple(heads) in everything
        assert total(one, heads) == pytest.approx(max(total(one, other) for other in everything))
