"""Impact matrices, and the trees that they hold."""

import numpy as np
import pytest
import torch

from small_models import VOCABULARY, model_for
from twotower.data.trees import Tree, TreeWord
from twotower.knowledge.representations import Sentence
from twotower.knowledge.syntax.perturbed_masking import gold_heads, impacts, score_trees, trees_of


def tree(*heads: int, punctuation: tuple[int, ...] = ()) -> Tree:
    words = tuple(
        TreeWord("w", "w", "PUNCT" if n in punctuation else "NOUN", "", head, "dep", n - 1)
        for n, head in enumerate(heads, start=1)
    )
    return Tree("s", "d", words, ("w",) * len(words), (True,) * len(words), 1)


@pytest.mark.parametrize(("family", "objective"), [("bert", "masked"), ("elmo", "masked")])
def test_impacts_are_those_of_the_definition(family, objective):
    model = model_for(family, objective)
    sentence = Sentence(np.array([20, 21, 22, 23]), np.arange(4), np.array([0, 1, 1, 2]), 3)
    whole = [VOCABULARY.sep, 20, 21, 22, 23, VOCABULARY.sep]
    places = [[1], [2, 3], [4]]

    def state(word, hidden):
        ids = torch.tensor([[VOCABULARY.mask if n in hidden else one for n, one in enumerate(whole)]])
        with torch.no_grad():
            outputs = model.tower_outputs(ids)
            views = {"tower 1": outputs[0], "tower 2": outputs[1], "joint": model.joint_features(outputs)}
        return {view: matrices[0, places[word]].mean(dim=0) for view, matrices in views.items()}

    matrices = impacts(model, [sentence], VOCABULARY)
    assert list(matrices) == ["tower 1", "tower 2", "joint"]
    for i in range(3):
        for j in range(3):
            alone, both = state(i, places[i]), state(i, [*places[i], *places[j]])
            for view, (matrix,) in matrices.items():
                assert matrix[i, j] == pytest.approx(float((alone[view] - both[view]).norm()), abs=1e-5)
    assert all(matrix[0].diagonal() == pytest.approx(0) for matrix in matrices.values())


def test_planted_impacts_give_their_tree_without_its_punctuation():
    one = tree(2, 0, 5, 5, 2, 2, punctuation=(4, 6))
    impact = np.random.default_rng(0).random((6, 6)) * 0.1
    for word, head in enumerate(word.head for word in one.words):
        if head:
            impact[word, head - 1] += 5
    impact[:, 3] += 9  # punctuation may have any impact
    (heads,) = trees_of([impact], [one])
    assert heads.tolist() == gold_heads(one).tolist() == [1, -1, 3, 1]
    agreement = score_trees([heads], [one])
    assert agreement.uuas.tolist() == agreement.uas.tolist() == [3]
    turned = np.array([-1, 0, 3, 1])
    agreement = score_trees([turned], [one])
    assert agreement.uuas.tolist() == [3] and agreement.uas.tolist() == [2]


def test_dependents_of_punctuation_are_those_of_its_head():
    assert gold_heads(tree(0, 1, 2, punctuation=(2,))).tolist() == [-1, 0]
    assert gold_heads(tree(2, 0, 2, punctuation=(2,))).tolist() == [-1, 0]
