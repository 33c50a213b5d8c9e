"""How alike the layers of the towers are, within a tower and across towers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..data.heldout import PreparedText
from ..data.windows import contiguous_rows
from ..modeling.layers import layer_states
from ..modeling.model import TowersModel
from ..statistics.alignment import View, cka, hsic, procrustes
from ..statistics.intervals import Estimate, jackknife_interval, percentile_interval
from ..statistics.tallies import Floats
from ..system.progress import Progress
from .findings.similarity import (
    LayerCompared,
    LayerFromUntrained,
    Likeness,
    LikenessOfTowers,
    Matrix,
    MatrixAlone,
    NullsOfLikeness,
    Similarity,
    UntrainedLayers,
)
from .subject import Subject

PER_WINDOW = 8
"""Tokens that are taken from a window: neighbours say much the same."""
GROUPS = 100
"""Groups of documents at most that the jackknife leaves out, one at a time."""
LAYERS = 13
"""Layers of a tower at most that are compared; of deeper towers so many, evenly spread, the first and last included."""
SHUFFLES = 20
"""Orders of the tokens for the null: means over thousands of them, which lie close together."""
BATCH = 64


@dataclass(frozen=True)
class Sample:
    """Windows of held-out text, and the tokens in them whose states are compared."""

    rows: NDArray[np.int64]
    """(windows, length): piece ids, [PAD] at the end of short ones."""
    present: NDArray[np.bool_]
    """False for padding; of the shape of `rows`."""
    row: NDArray[np.int64]
    """(tokens,)"""
    place: NDArray[np.int64]
    """(tokens,)"""
    group: NDArray[np.int64]
    """(tokens,): of the token's document; groups of one document each where they are not many."""
    documents: int


@dataclass(frozen=True)
class Layer:
    """The states of a tower at a layer."""

    name: str
    tower: int
    layer: int
    view: View

    @property
    def label(self) -> LayerCompared:
        """What it is, as `results.json` says it."""
        return LayerCompared(self.name, self.tower, self.layer)


def similarity(subject: Subject) -> Similarity:
    """Unbiased linear CKA and Procrustes distance between all layers of all towers of a run.

    On a sample of its held-out text, the same number of tokens of each document. The untrained towers have another seed
    and share an embedding as well.
    """
    tokens = subject.config.know.compared_tokens
    sample = sample_of(subject.text, window_of(subject), tokens, _seed(subject), _pairs(subject))
    trained, untrained = (layers_of(model, sample) for model in (subject.model, subject.untrained))
    confidence, generator = subject.config.analyze.confidence, subject.generator("similarity")
    return _within(sample, trained, untrained, confidence, generator)


def window_of(subject: Subject) -> int:
    """Tokens of text that the towers read at a time; two fewer than the window where a frame is put around them."""
    return int(subject.model.config.window) - 2 * _pairs(subject)


def sample_of(text: PreparedText, window: int, tokens: int, seed: int, pairs: bool) -> Sample:
    """A sample of about `tokens` held-out tokens, as many of each document as it has.

    Windows are spread evenly over a document; of each the later half is used, where it has one, so that tokens have a
    context. `pairs`: each window stands between [CLS] and [SEP], as the towers of this run are used to.
    """
    generator = np.random.default_rng(seed)
    starts, lengths = (text.documents[name].to_numpy() for name in ("start", "tokens"))
    if len(starts) > tokens:
        sampled = np.sort(generator.choice(len(starts), tokens, replace=False))
        starts, lengths = starts[sampled], lengths[sampled]
    rows = contiguous_rows(text.heldout, starts, lengths, window, text.vocabulary)
    document = np.searchsorted(starts, rows.first, side="right") - 1
    per_document = -(-tokens // len(starts))
    ids: list[NDArray[np.int64]] = []
    picked: list[tuple[int, int, int]] = []
    for number in range(len(starts)):
        mine = np.flatnonzero(document == number)
        wanted = min(len(mine), -(-per_document // PER_WINDOW))
        for row in mine[np.unique(np.linspace(0, len(mine) - 1, wanted).astype(int))]:
            begin, first, last = int(rows.start[row]), int(rows.first[row]), int(rows.last[row])
            places = np.arange(max(first, (begin + last) // 2), last)
            chosen = np.sort(generator.choice(places, min(len(places), PER_WINDOW, per_document), replace=False))
            pieces = np.asarray(text.heldout[begin : int(rows.stop[row])], dtype=np.int64)
            if pairs:
                pieces = np.concatenate([[text.vocabulary.cls], pieces, [text.vocabulary.sep]])
            picked += [(len(ids), place - begin + pairs, number) for place in chosen]
            ids.append(pieces)
    table = np.full((len(ids), window + 2 * pairs), text.vocabulary.pad)
    present = np.zeros(table.shape, dtype=bool)
    for row, pieces in enumerate(ids):
        table[row, : len(pieces)], present[row, : len(pieces)] = pieces, True
    row, place, owner = np.array(picked, dtype=np.int64).T
    dealt = generator.permutation(len(starts)) % min(GROUPS, len(starts))
    return Sample(table, present, row, place, dealt[owner], len(starts))


def layers_of(model: TowersModel, sample: Sample) -> list[Layer]:
    """The states of the sample's tokens at each layer of each tower, tower by tower."""
    parts: dict[tuple[int, int], list[NDArray[np.float32]]] = {}
    for begin in range(0, len(sample.rows), BATCH):
        part = slice(begin, begin + BATCH)
        mine = (sample.row >= begin) & (sample.row < begin + BATCH)
        present = None if sample.present[part].all() else torch.from_numpy(sample.present[part])
        states = layer_states(model, torch.from_numpy(sample.rows[part]), present)
        for tower, layers in enumerate(states, start=1):
            for layer in np.unique(np.linspace(0, len(layers) - 1, min(len(layers), LAYERS)).astype(int)).tolist():
                picked = layers[layer][sample.row[mine] - begin, sample.place[mine]]
                parts.setdefault((tower, layer), []).append(picked.numpy())
    return [
        Layer(f"tower {tower}, layer {layer}", tower, layer, View.of(np.concatenate(part), sample.group))
        for (tower, layer), part in sorted(parts.items())
    ]


def _within(
    sample: Sample, trained: list[Layer], untrained: list[Layer], confidence: float, generator: np.random.Generator
) -> Similarity:
    with Progress("similarity", total=len(trained) * (len(trained) + 1), unit="pair of layers") as progress:
        alike, distant = _matrices(trained, confidence, progress)
        null, _ = _matrices(untrained, confidence, progress)
    return Similarity(
        tokens=len(sample.row),
        windows=len(sample.rows),
        documents=sample.documents,
        views=[layer.label for layer in trained],
        cka=alike,
        procrustes=distant,
        untrained=UntrainedLayers(MatrixAlone(null.estimate)),
        across=[
            _across(*layers, *nulls, confidence, generator)
            for layers, nulls in zip(_same_layer(trained), _same_layer(untrained), strict=True)
        ],
        from_untrained=[
            LayerFromUntrained(**vars(layer.label), **vars(jackknife_interval(cka(layer.view, other.view), confidence)))
            for layer, other in zip(trained, untrained, strict=True)
        ],
    )


def _matrices(layers: list[Layer], confidence: float, progress: Progress) -> tuple[Matrix, Matrix]:
    """CKA and Procrustes distance of all layers with each other, with their intervals."""
    own = [hsic(layer.view, layer.view) for layer in layers]
    alike, distant = np.zeros((2, 3, len(layers), len(layers)))
    for i, layer in enumerate(layers):
        for j, other in enumerate(layers[: i + 1]):
            similar, apart = cka(other.view, layer.view, own[j], own[i]), procrustes(other.view, layer.view)
            alike[:, i, j] = alike[:, j, i] = _three(jackknife_interval(similar, confidence))
            distant[:, i, j] = distant[:, j, i] = _three(jackknife_interval(apart, confidence))
            progress.advance(1)
    return Matrix(*alike.tolist()), Matrix(*distant.tolist())


def _three(estimate: Estimate) -> Floats:
    return np.array([estimate.estimate, estimate.low, estimate.high])


def _same_layer(layers: list[Layer]) -> list[tuple[Layer, Layer]]:
    """Pairs of different towers at the same layer."""
    return [
        (layer, other)
        for layer in layers
        for other in layers
        if layer.layer == other.layer and layer.tower < other.tower
    ]


def _across(
    layer: Layer,
    other: Layer,
    null: Layer,
    other_null: Layer,
    confidence: float,
    generator: np.random.Generator,
) -> LikenessOfTowers:
    """Both measures of two towers at a layer, with their nulls."""
    shuffles = [other.view.shuffled(generator) for _ in range(SHUFFLES)]
    likenesses = []
    for measure in (cka, procrustes):
        drawn = np.array([measure(layer.view, shuffled)[0] for shuffled in shuffles])
        shuffled = percentile_interval(float(drawn.mean()), drawn, confidence)
        untrained = jackknife_interval(measure(null.view, other_null.view), confidence)
        estimate = jackknife_interval(measure(layer.view, other.view), confidence)
        likenesses.append(Likeness(**vars(estimate), null=NullsOfLikeness(shuffled, untrained)))
    return LikenessOfTowers(layer.layer, [layer.tower, other.tower], *likenesses)


def _seed(subject: Subject) -> int:
    """Not the run's seed: runs with different seeds are compared on the same tokens."""
    return subject.config.prepare.split_seed


def _pairs(subject: Subject) -> bool:
    return bool(subject.model.config.windows == "pairs")
