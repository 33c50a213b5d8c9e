"""The structural probe of Hewitt and Manning (2019): a linear map under which squared distances are tree distances.

Many representations are probed at once: their maps are trained side by side, and none of them touches another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from ...data.trees import Tree
from ...statistics.tallies import Floats
from ...system.progress import Progress
from ..representations import Ids
from .treebank import punctuation

Kind = Literal["distance", "depth"]
EPOCHS = 20
PATIENCE = 4
"""Epochs without any probe doing better on the dev sentences, after which training ends."""
BATCH = 20
"""Sentences per update at most, as in the paper."""
LEARNING_RATE = 3e-2
SHORTEST, LONGEST = 5, 50
"""Lengths over which correlations are averaged, as in the paper."""


@dataclass(frozen=True)
class Bucket:
    """All sentences of one length."""

    rows: Tensor
    """The places of their words, (sentences, length)."""
    gold: Tensor
    """Distances (sentences, length, length) or depths (sentences, length)."""


def buckets_of(trees: Sequence[Tree], starts: Ids, chosen: Ids, kind: Kind) -> list[Bucket]:
    """The chosen sentences by length; no padding is needed within one."""
    buckets = []
    lengths = np.array([len(trees[number].words) for number in chosen])
    for length in np.unique(lengths):
        mine = chosen[lengths == length]
        rows = starts[mine][:, None] + np.arange(length)
        gold = [trees[number].distances if kind == "distance" else trees[number].depths for number in mine]
        buckets.append(Bucket(torch.from_numpy(rows), torch.tensor(gold, dtype=torch.float32)))
    return buckets


def predicted(states: Tensor, maps: Tensor, kind: Kind) -> Tensor:
    """Squared distances or squared norms under the maps.

    `states` (probes, sentences, length, width) and `maps` (probes, width, rank) give (probes, sentences, length,
    length) or (probes, sentences, length).
    """
    probes, sentences, length, width = states.shape
    mapped = torch.bmm(states.reshape(probes, sentences * length, width), maps)
    norms = (mapped * mapped).sum(dim=-1).view(probes, sentences, length)
    if kind == "depth":
        return norms
    mapped = mapped.view(probes * sentences, length, -1)
    products = torch.bmm(mapped, mapped.transpose(1, 2)).view(probes, sentences, length, length)
    return norms[..., :, None] + norms[..., None, :] - 2 * products


def losses(states: Tensor, maps: Tensor, bucket: Bucket, kind: Kind) -> Tensor:
    """Summed loss of each probe over the sentences of a bucket, (probes,): equation 2 of the paper."""
    off = (predicted(states, maps, kind) - bucket.gold).abs()
    return off.flatten(2).mean(dim=2).sum(dim=1)


def train_probes(
    states: Tensor, train: list[Bucket], dev: list[Bucket], rank: int, kind: Kind, seed: int, name: str = ""
) -> Tensor:
    """Maps (probes, width, rank) for `states` (probes, words, width), each the best of its epochs on `dev`.

    States are divided by one number for each probe, so that one learning rate suits all layers; it is multiplied into
    the map that is returned.
    """
    generator = torch.Generator().manual_seed(seed)
    order = np.random.default_rng(seed)
    size = states.pow(2).mean(dim=(1, 2), keepdim=True).sqrt().clamp_min(1e-12)
    probes, _, width = states.shape
    first = torch.empty(1, width, rank).uniform_(-0.05, 0.05, generator=generator)
    maps = first.repeat(probes, 1, 1).requires_grad_()
    blocks = [states[:, bucket.rows] / size[..., None] for bucket in train]
    held = [states[:, bucket.rows] / size[..., None] for bucket in dev]
    updates = [len(bucket.rows) for bucket in train]
    steps = EPOCHS * sum(-(-count // BATCH) for count in updates)
    optimizer = torch.optim.Adam([maps], lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / steps))
    best, lowest, since = maps.detach().clone(), torch.full((probes,), torch.inf), 0
    with Progress(name, EPOCHS, "epoch", quiet=not name) as progress:
        for _ in range(EPOCHS):
            batches = []
            for number, count in enumerate(updates):
                shuffled = order.permutation(count)
                batches += [(number, shuffled[begin : begin + BATCH]) for begin in range(0, count, BATCH)]
            for place in order.permutation(len(batches)):
                number, rows = batches[place]
                chosen = torch.from_numpy(rows)
                part = Bucket(chosen, train[number].gold[chosen])
                loss = losses(blocks[number][:, chosen], maps, part, kind).sum() / BATCH
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
            with torch.no_grad():
                now = sum((losses(h, maps, b, kind) for h, b in zip(held, dev, strict=True)), torch.zeros(probes))
                better = now < lowest
                best[better], lowest = maps.detach()[better], torch.minimum(now, lowest)
            since = 0 if bool(better.any()) else since + 1
            progress.advance(1)
            if since == PATIENCE:
                break
    return best / size


@dataclass(frozen=True)
class Scores:
    """How well predicted distances and depths fit gold trees, sentence by sentence; punctuation is left out."""

    correct: Floats
    """Edges that are in both trees, (probes, sentences)."""
    edges: Floats
    """Edges of the gold tree, (sentences,)."""
    distance_correlation: Floats
    """Mean over words of Spearman's correlation of a word's distances, (probes, sentences)."""
    root: Floats
    """1 where the word of least depth is the root, (probes, sentences)."""
    depth_correlation: Floats
    """Spearman's correlation of depths, (probes, sentences)."""
    length: Ids
    """Words, punctuation left out, (sentences,)."""


def score(trees: Sequence[Tree], distances: list[Floats], depths: list[Floats]) -> Scores:
    """Scores of predicted distances, one (probes, words, words) for each tree, and depths, (probes, words) each."""
    words = [np.flatnonzero(~punctuation(tree)) for tree in trees]
    lengths = np.array([len(places) for places in words])
    shape = (distances[0].shape[0], len(trees))
    correct, dspr, root, nspr = (np.zeros(shape) for _ in range(4))
    for length in np.unique(lengths):
        mine = np.flatnonzero(lengths == length).tolist()
        gold = np.array([np.array(trees[n].distances)[np.ix_(words[n], words[n])] for n in mine], dtype=np.float64)
        gold_depth = np.array([np.array(trees[n].depths)[words[n]] for n in mine], dtype=np.float64)
        distance = np.stack([distances[n][:, words[n][:, None], words[n]] for n in mine], axis=1)
        depth = np.stack([depths[n][:, words[n]] for n in mine], axis=1)
        shared = spanning_edges(distance) & spanning_edges(gold)[None]
        correct[:, mine] = shared.sum(axis=(2, 3)) / 2
        dspr[:, mine] = _spearman(distance, gold[None]).mean(axis=2)
        nspr[:, mine] = _spearman(depth, gold_depth[None])
        root[:, mine] = depth.argmin(axis=2) == gold_depth.argmin(axis=1)[None]
    return Scores(correct, (lengths - 1).astype(np.float64), dspr, root, nspr, lengths)


def spanning_edges(distances: Floats) -> NDArray[np.bool_]:
    """The edges of the minimum spanning tree (Prim 1957) of each matrix: (..., words, words), to bool of that shape."""
    words = distances.shape[-1]
    flat = distances.reshape(-1, words, words)
    rows = np.arange(len(flat))
    edges = np.zeros(flat.shape, dtype=bool)
    outside = np.ones(flat.shape[:2], dtype=bool)
    outside[:, 0] = False
    nearest = flat[:, 0].copy()
    through = np.zeros(nearest.shape, dtype=np.int64)
    for _ in range(words - 1):
        new = np.where(outside, nearest, np.inf).argmin(axis=1)
        old = through[rows, new]
        edges[rows, new, old] = edges[rows, old, new] = True
        outside[rows, new] = False
        closer = flat[rows, new] < nearest
        through = np.where(closer, new[:, None], through)
        nearest = np.where(closer, flat[rows, new], nearest)
    return edges.reshape(distances.shape)


def _spearman(first: Floats, second: Floats) -> Floats:
    """Spearman's correlation along the last axis, 0 where one of the two does not vary."""
    a, b = (stats.rankdata(values, axis=-1) for values in (first, second))
    a, b = a - a.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    size = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    return np.where(size > 0, (a * b).sum(axis=-1) / np.where(size > 0, size, 1), 0.0)


def by_length(weights: Floats, values: Floats, lengths: Ids) -> Floats:
    """Means over sentences of each length, averaged over the lengths 5 to 50: (1 + draws,).

    `weights` (1 + draws, sentences), `values` and `lengths` (sentences,).
    """
    inside = (lengths >= SHORTEST) & (lengths <= LONGEST)
    which = lengths[:, None] == np.unique(lengths[inside])[None]
    counts = weights @ which
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (weights @ (which * values[:, None])) / counts
    there = counts > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        averaged: Floats = np.where(there, means, 0.0).sum(axis=1) / there.sum(axis=1)
    return averaged
