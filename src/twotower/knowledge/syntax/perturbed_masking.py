"""Trees without a probe: how much hiding one word changes what a masked tower makes of another (Wu et al. 2020)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...data.tokenization import Vocabulary
from ...data.trees import Tree
from ...modeling.model import TowersModel
from ...statistics.intervals import centred_estimate
from ...statistics.projective import eisner
from ...statistics.tallies import Floats
from ...system.progress import Progress
from ..findings.perturbed_masking import (
    BesideUntrained,
    DifferenceInMasking,
    MaskedView,
    MaskingFigures,
    NothingMasked,
    PerturbedMasking,
    TreeAgreement,
)
from ..findings.views import Counts
from ..representations import BATCH_TOKENS, Sentence, frame_of, framed
from ..subject import Subject
from .treebank import Treebank, choose_sentences, draw_weights, punctuation, ratio

RANDOM_TREES = 20
"""Trees of random matrices for each sentence, of which only the mean counts."""
MEASURES = ("uuas", "uas")


def perturbed_masking(subject: Subject) -> PerturbedMasking | NothingMasked:
    """Dependency trees from the impact that words have on each other in masked towers. Needs `know.treebank`.

    The impact of word j on word i is the Euclidean distance between the states of word i with i hidden, and with both
    hidden (Wu et al. 2020, section 2.2, metric Dist); the state of a word of several pieces, which are hidden together,
    is the mean over them. The projective tree whose arcs, from j to i, have the greatest sum of impacts is found by
    Eisner's algorithm; the root is not given. The model reads the punctuation; trees are made without it.

    Intervals resample documents, or sentences where there are few. Writes `perturbed_masking.parquet`. Towers of other
    objectives hide nothing.
    """
    objective = subject.model.config.objective
    if objective != "masked":
        subject.trees()  # a treebank that is missing or malformed is an error whatever the family
        return NothingMasked(f"perturbed masking hides words behind [MASK]; this run's objective is {objective}")
    treebank = choose_sentences(subject, subject.config.know.perturbed_sentences, "perturbed masking")
    generator = subject.generator("perturbed masking trees")
    trees: dict[str, list[NDArray[np.int64]]] = {}
    for model, prefix in ((subject.model, ""), (subject.untrained, "untrained ")):
        by_view = impacts(model, treebank.sentences, subject.vocabulary, f"{prefix}impacts of words")
        for name, matrices in by_view.items():
            trees[prefix + name] = trees_of(matrices, treebank.trees)
    counts = [len(_kept(tree)) for tree in treebank.trees]
    trees["right_branching"] = [np.arange(count) - 1 for count in counts]
    trees["left_branching"] = [np.append(np.arange(1, count), -1) for count in counts]
    scores = {name: score_trees(predicted, treebank.trees) for name, predicted in trees.items()}
    drawn = [score_trees(_random_trees(counts, generator), treebank.trees) for _ in range(RANDOM_TREES)]
    scores["random"] = Agreement(
        *(np.mean([getattr(agreement, measure) for agreement in drawn], axis=0) for measure in MEASURES)
    )
    _table(treebank, scores).to_parquet(subject.out / "perturbed_masking.parquet", index=False)
    weights = draw_weights(
        treebank.group, subject.config.analyze.bootstrap, subject.generator("perturbed masking intervals")
    )
    edges = np.array(counts, dtype=np.float64) - 1
    figures = _figures(scores, weights, edges, subject.config.analyze.confidence)
    return PerturbedMasking(sentences_measured(treebank), treebank.words_used, figures)


def sentences_measured(treebank: Treebank) -> Counts:
    """The counts of a treebank all of whose sentences are measured: nothing is trained on any of them."""
    left_out = {name: count for name, count in treebank.sentences_used.items() if name not in ("train", "dev", "test")}
    return left_out | {"measured": len(treebank.trees)}


@torch.no_grad()
def impacts(
    model: TowersModel, sentences: Sequence[Sentence], vocabulary: Vocabulary, name: str = ""
) -> dict[str, list[Floats]]:
    """For each tower's output (`tower 1`, …) and the joint features (`joint`) the impact matrix of every sentence.

    A matrix is (words, words): row i, column j is the impact of word j on word i; 0 on the diagonal. `name` is shown
    as progress.
    """
    by_view: dict[str, list[Floats]] = {}
    frame, device = frame_of(model, vocabulary), model.decoder_bias.device
    rows = sum(sentence.words * (sentence.words + 1) // 2 for sentence in sentences)
    with Progress(name, rows, "row", quiet=not name) as progress:
        for sentence in sentences:
            pairs = [(i, j) for i in range(sentence.words) for j in range(i, sentence.words)]
            owned = np.zeros((sentence.words, len(sentence.pieces)), dtype=bool)
            owned[sentence.word, sentence.piece] = True
            share = torch.from_numpy(owned / owned.sum(axis=1, keepdims=True)).float().to(device)
            # The state of word i with i hidden stands on the diagonal of what is collected.
            states: dict[str, Tensor] = {}
            for part in _parts(pairs, len(sentence.pieces) + 2):
                first, second = np.array(part).T
                hidden = owned[first] | owned[second]
                ids = [np.where(row, vocabulary.mask, sentence.pieces) for row in hidden]
                outputs = model.tower_outputs(framed(ids, frame, vocabulary.pad)[0].to(device))
                read = {f"tower {number}": output for number, output in enumerate(outputs, start=1)}
                read["joint"] = model.joint_features(outputs)
                for view, output in read.items():
                    inside = output[:, 1 : 1 + len(sentence.pieces)].float()
                    shape = (sentence.words, sentence.words, inside.shape[-1])
                    into = states.setdefault(view, torch.empty(shape, device=device))
                    into[first, second] = torch.einsum("rp,rpw->rw", share[first], inside)
                    into[second, first] = torch.einsum("rp,rpw->rw", share[second], inside)
                progress.advance(len(part))
            for view, whole in states.items():
                alone = whole.diagonal(dim1=0, dim2=1).T[:, None]
                by_view.setdefault(view, []).append((whole - alone).norm(dim=-1).double().cpu().numpy())
    return by_view


def _parts(pairs: list[tuple[int, int]], length: int) -> Iterator[list[tuple[int, int]]]:
    size = max(1, BATCH_TOKENS // length)
    return (pairs[begin : begin + size] for begin in range(0, len(pairs), size))


def _kept(tree: Tree) -> NDArray[np.int64]:
    return np.flatnonzero(~punctuation(tree))


def trees_of(matrices: Sequence[Floats], trees: Sequence[Tree]) -> list[NDArray[np.int64]]:
    """The tree of each impact matrix without the punctuation: heads, from 0 among the words that are left, -1: root."""
    inside = []
    for matrix, tree in zip(matrices, trees, strict=True):
        words = _kept(tree)
        arcs = matrix[np.ix_(words, words)].T.copy()  # from the word that has the impact to the one that feels it
        np.fill_diagonal(arcs, 0)
        inside.append(arcs)
    return _by_length(inside)


def _random_trees(counts: Sequence[int], generator: np.random.Generator) -> list[NDArray[np.int64]]:
    return _by_length([generator.random((count, count)) for count in counts])


def _by_length(matrices: Sequence[Floats]) -> list[NDArray[np.int64]]:
    """Trees of many matrices, those of one size at a time."""
    lengths = np.array([len(matrix) for matrix in matrices])
    trees: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)] * len(matrices)
    for length in np.unique(lengths):
        mine = np.flatnonzero(lengths == length).tolist()
        for number, heads in zip(mine, eisner(np.stack([matrices[number] for number in mine])), strict=True):
            trees[number] = heads
    return trees


@dataclass(frozen=True)
class Agreement:
    """How many edges, and how many heads, of each gold tree are found, (sentences,)."""

    uuas: Floats
    uas: Floats


def score_trees(heads_by_tree: Sequence[NDArray[np.int64]], trees: Sequence[Tree]) -> Agreement:
    """Heads of the words without punctuation, as `trees_of` gives them, against the gold trees.

    Where punctuation has dependents, they count as those of its head: a tree of n words has n - 1 edges.
    """
    undirected, directed = np.zeros(len(trees)), np.zeros(len(trees))
    for number, (heads, tree) in enumerate(zip(heads_by_tree, trees, strict=True)):
        gold = gold_heads(tree)
        edges = {frozenset((word, head)) for word, head in enumerate(heads.tolist()) if head >= 0}
        undirected[number] = sum(
            frozenset((word, head)) in edges for word, head in enumerate(gold.tolist()) if head >= 0
        )
        directed[number] = ((heads == gold) & (gold >= 0)).sum()
    return Agreement(undirected, directed)


def gold_heads(tree: Tree) -> NDArray[np.int64]:
    """The head of each word that is no punctuation, from 0 among these; -1 for the root."""
    words = _kept(tree)
    place = {int(word): number for number, word in enumerate(words)}
    heads = []
    for word in words.tolist():
        head = tree.words[word].head - 1
        while head >= 0 and head not in place:
            head = tree.words[head].head - 1
        heads.append(place[head] if head >= 0 else -1)
    # Below a root that is punctuation the first word is the root.
    roots = [word for word, head in enumerate(heads) if head < 0]
    for word in roots[1:]:
        heads[word] = roots[0]
    return np.array(heads)


def _figures(scores: dict[str, Agreement], weights: Floats, edges: Floats, confidence: float) -> MaskingFigures:
    drawn = {
        name: {measure: ratio(weights, getattr(agreement, measure), edges) for measure in MEASURES}
        for name, agreement in scores.items()
    }
    figures = {
        name: {measure: centred_estimate(values, confidence) for measure, values in measures.items()}
        for name, measures in drawn.items()
    }

    def minus(first: str, second: str) -> TreeAgreement:
        gaps = (drawn[first][name] - drawn[second][name] for name in MEASURES)
        return TreeAgreement(*(centred_estimate(values, confidence) for values in gaps))

    def beside(name: str, measure: str) -> BesideUntrained:
        return BesideUntrained(**vars(figures[name][measure]), null=figures[f"untrained {name}"][measure])

    views = [name for name in scores if name == "joint" or name.startswith("tower ")]
    towers = sorted(int(name.removeprefix("tower ")) for name in views if name != "joint")
    return MaskingFigures(
        views=[
            MaskedView(
                name, 0 if name == "joint" else int(name.removeprefix("tower ")), beside(name, "uuas"),
                beside(name, "uas"), over_right_branching=minus(name, "right_branching"),
            )
            for name in views
        ],
        baselines={
            name: TreeAgreement(**figures[name]) for name in ("right_branching", "left_branching", "random")
        },
        differences=[
            DifferenceInMasking([first, second], **vars(minus(f"tower {first}", f"tower {second}")))
            for first, second in combinations(towers, 2)
        ],
    )  # fmt: skip


def _table(treebank: Treebank, scores: dict[str, Agreement]) -> pd.DataFrame:
    return pd.concat(
        pd.DataFrame({
            "sentence": [tree.name for tree in treebank.trees], "document": [tree.document for tree in treebank.trees],
            "view": name, "edges": [len(_kept(tree)) - 1 for tree in treebank.trees],
            "uuas": agreement.uuas, "uas": agreement.uas,
        })
        for name, agreement in scores.items()
    )  # fmt: skip
