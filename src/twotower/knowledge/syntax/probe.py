"""How much of the syntax of a sentence is in each tower's states: the structural probe (Hewitt and Manning 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import torch

from ...statistics.intervals import centred_estimate
from ...statistics.tallies import Floats
from ...system.progress import Progress
from ..findings.probe import ChosenLayer, ChosenLayers, DifferenceInTrees, Probe, ProbedView, ProbeFigures, TreeFigures
from ..representations import Ids
from ..subject import Subject
from .structural import Scores, buckets_of, by_length, predicted, score, train_probes
from .treebank import DEV, TEST, TRAIN, Treebank, View, choose_sentences, draw_weights, ratio, views_of

RANKS = (16, 64)
"""Ranks that are tried, of which the dev sentences choose; none exceeds the width of the states."""
MEASURES = {"uuas": "distance", "dspr": "distance", "root": "depth", "nspr": "depth"}
STACK = 60_000_000
"""Numbers held by the states of the probes that are trained side by side, at most."""


def probe(subject: Subject) -> Probe:
    """Structural probes of distance and depth on every layer of every tower. Needs `know.treebank`.

    Each is trained on all words of the training sentences with the loss of the paper, for at most as many epochs as
    the dev sentences ask for, which also choose the rank; the figures are of the test sentences, without punctuation:

    - `uuas`: share of the gold tree's edges that the minimum spanning tree of the predicted distances has, too;
    - `dspr`: Spearman's correlation of each word's distances, averaged within sentences, over those of one length, and
      over lengths 5 to 50; `nspr` the same of depths;
    - `root`: share of the sentences whose word of least depth is the root.

    Dev sentences choose a layer of each tower (by UUAS for distances, by NSpr for depths). Intervals resample the test
    documents, or sentences where the treebank has few documents. Writes `probe.parquet`: each test sentence and view
    with its scores. Raises `InputError` as `choose_sentences` does.
    """
    settings = subject.config
    treebank = choose_sentences(subject, settings.know.probe_sentences, "probe")
    views = views_of(subject, treebank)
    probed_views = probe_views(treebank, views, settings.seed, progress=True)
    test = np.flatnonzero(treebank.part == TEST)
    _table(treebank, test, probed_views).to_parquet(subject.out / "probe.parquet", index=False)
    weights = draw_weights(treebank.group[test], settings.analyze.bootstrap, subject.generator("probe intervals"))
    figures = summarize(probed_views, weights, settings.analyze.confidence)
    return Probe(treebank.sentences_used, treebank.words_used, figures)


@dataclass(frozen=True)
class Probed:
    """A view, and the scores of its probes on the dev and the test sentences."""

    view: View
    rank: dict[str, int]
    """The rank that was chosen for `distance` and for `depth`."""
    dev: dict[str, float]
    """The four figures on the dev sentences."""
    test: Scores
    """Of this view alone."""


LINEAR = "linear order"


def probe_views(treebank: Treebank, views: Sequence[View], seed: int, progress: bool = False) -> list[Probed]:
    """Train and score probes of every view; `linear order` comes last."""
    by_view: dict[str, Probed] = {}
    for number, stack in enumerate(stacks := list(_stacks(views)), start=1):
        name = f"probes, part {number} of {len(stacks)}" if progress else ""
        for probed in _probe_stack(treebank, stack, seed, name):
            by_view[probed.view.name] = probed
    linear = View(LINEAR, 0, None, False, torch.empty(0))
    parts = {}
    for part in (DEV, TEST):
        trees = [treebank.trees[number] for number in np.flatnonzero(treebank.part == part)]
        places = [np.arange(len(tree.words), dtype=np.float64) for tree in trees]
        parts[part] = score(
            trees, [np.abs(place[:, None] - place)[None] for place in places], [place[None] for place in places]
        )
    last = Probed(linear, {}, {name: float(_means(parts[DEV], name)[0]) for name in MEASURES}, parts[TEST])
    return [*(by_view[view.name] for view in views), last]


def _stacks(views: Sequence[View]) -> Iterator[list[View]]:
    """Views of one width, as many as are trained side by side."""
    for width in sorted({view.states.shape[1] for view in views}):
        mine = [view for view in views if view.states.shape[1] == width]
        size = max(1, STACK // max(1, mine[0].states.numel()))
        yield from (mine[begin : begin + size] for begin in range(0, len(mine), size))


def _probe_stack(treebank: Treebank, views: list[View], seed: int, name: str) -> Iterator[Probed]:
    states = torch.stack([view.states for view in views])
    width = states.shape[2]
    train, dev, test = (np.flatnonzero(treebank.part == part) for part in (TRAIN, DEV, TEST))
    maps: dict[tuple[str, int], torch.Tensor] = {}
    ranks = sorted({min(rank, width) for rank in RANKS})
    for kind in ("distance", "depth"):
        parts = [buckets_of(treebank.trees, treebank.starts, chosen, kind) for chosen in (train, dev)]
        for rank in ranks:
            label = f"{name}: {kind}, rank {rank}" if name else ""
            maps[kind, rank] = train_probes(states, parts[0], parts[1], rank, kind, seed, label)
    on_dev = {rank: _score(treebank, dev, states, maps["distance", rank], maps["depth", rank], name) for rank in ranks}
    # A tie goes to the smaller rank.
    chosen = {
        kind: np.argmax([_means(on_dev[rank], measure) for rank in ranks], axis=0)
        for kind, measure in (("distance", "uuas"), ("depth", "nspr"))
    }
    on_test = [_score(treebank, test, states, maps["distance", rank], maps["depth", rank], name) for rank in ranks]
    for number, view in enumerate(views):
        ways = {kind: int(chosen[kind][number]) for kind in chosen}
        near, deep = (on_test[ways[kind]] for kind in ("distance", "depth"))
        scores = Scores(
            near.correct[number : number + 1], near.edges, near.distance_correlation[number : number + 1],
            deep.root[number : number + 1], deep.depth_correlation[number : number + 1], near.length,
        )  # fmt: skip
        on = {measure: float(_means(on_dev[ranks[ways[kind]]], measure)[number]) for measure, kind in MEASURES.items()}
        yield Probed(view, {kind: ranks[way] for kind, way in ways.items()}, on, scores)


@torch.no_grad()
def _score(
    treebank: Treebank, chosen: Ids, states: torch.Tensor, distance: torch.Tensor, depth: torch.Tensor, name: str
) -> Scores:
    trees = [treebank.trees[number] for number in chosen]
    distances, depths = [], []
    with Progress(f"{name}: scores", len(chosen), "sentence", quiet=not name) as progress:
        for number in chosen:
            words = states[:, None, treebank.starts[number] : treebank.starts[number + 1]]
            distances.append(predicted(words, distance, "distance")[:, 0].double().numpy())
            depths.append(predicted(words, depth, "depth")[:, 0].double().numpy())
            progress.advance(1)
    return score(trees, distances, depths)


def _means(scores: Scores, measure: str) -> Floats:
    """A figure of each probe, over all sentences: (probes,)."""
    weights = np.ones((1, len(scores.edges)))
    return np.array([_drawn(scores, number, measure, weights)[0] for number in range(len(scores.correct))])


def _drawn(scores: Scores, number: int, measure: str, weights: Floats) -> Floats:
    if measure == "uuas":
        return ratio(weights, scores.correct[number], scores.edges)
    if measure == "root":
        return ratio(weights, scores.root[number], np.ones(len(scores.edges)))
    values = scores.distance_correlation if measure == "dspr" else scores.depth_correlation
    return by_length(weights, values[number], scores.length)


def summarize(probes: Sequence[Probed], weights: Floats, confidence: float) -> ProbeFigures:
    """What `probe` returns of its views, with intervals from `weights` (1 + draws, test sentences)."""
    drawn = {probed.view.name: {name: _drawn(probed.test, 0, name, weights) for name in MEASURES} for probed in probes}
    figures = {
        view: {name: centred_estimate(values, confidence) for name, values in measures.items()}
        for view, measures in drawn.items()
    }
    towers = sorted({probed.view.tower for probed in probes if probed.view.tower})
    trained = {
        tower: [probed for probed in probes if probed.view.tower == tower and probed.view.trained] for tower in towers
    }
    best: dict[tuple[int, str], Probed] = {}
    for tower in towers:
        for measure, kind in MEASURES.items():
            by = [probed.dev["uuas" if kind == "distance" else "nspr"] for probed in trained[tower]]
            best[tower, measure] = trained[tower][int(np.argmax(by))]

    def chosen(tower: int, measure: str) -> ChosenLayer:
        probed = best[tower, measure]
        null = {
            "untrained": f"untrained {probed.view.name}",
            "embedding": "embedding",
            "linear_order": LINEAR,
        }  # fmt: skip
        known = {control: figures[name][measure] for control, name in null.items() if name in figures}
        over = None
        if "embedding" in drawn:
            over = centred_estimate(drawn[probed.view.name][measure] - drawn["embedding"][measure], confidence)
        return ChosenLayer(
            probed.view.layer, **vars(figures[probed.view.name][measure]), null=known, over_embedding=over
        )

    differences: list[DifferenceInTrees] = []
    for first, second in combinations(towers, 2):
        pairs: list[tuple[int | str, dict[str, tuple[Probed, Probed]]]] = [
            (probed.view.layer or 0, dict.fromkeys(MEASURES, (probed, other)))
            for probed, other in zip(trained[first], trained[second], strict=True)
        ]
        pairs.append(("chosen", {name: (best[first, name], best[second, name]) for name in MEASURES}))
        for layer, compared in pairs:
            gaps = {
                name: drawn[probed.view.name][name] - drawn[other.view.name][name]
                for name, (probed, other) in compared.items()
            }
            estimates = {name: centred_estimate(values, confidence) for name, values in gaps.items()}
            differences.append(DifferenceInTrees([first, second], layer, **estimates))
    return ProbeFigures(
        views=[
            ProbedView(
                **probed.view.labels, rank=probed.rank, dev=probed.dev, **vars(TreeFigures(**figures[probed.view.name]))
            )
            for probed in probes[:-1]
        ],
        linear_order=TreeFigures(**figures[LINEAR]),
        chosen=[ChosenLayers(tower, **{measure: chosen(tower, measure) for measure in MEASURES}) for tower in towers],
        differences=differences,
    )


def _table(treebank: Treebank, test: Ids, probes: Sequence[Probed]) -> pd.DataFrame:
    trees = [treebank.trees[number] for number in test]
    return pd.concat(
        pd.DataFrame({
            "sentence": [tree.name for tree in trees], "document": [tree.document for tree in trees],
            "view": probed.view.name, "words": probed.test.length, "edges": probed.test.edges.astype(int),
            "correct": probed.test.correct[0].astype(int), "dspr": probed.test.distance_correlation[0],
            "root": probed.test.root[0].astype(bool), "nspr": probed.test.depth_correlation[0],
        })
        for probed in probes
    )  # fmt: skip
