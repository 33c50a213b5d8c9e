"""How far models of one vocabulary are apart as whole distributions: over the text, by token, class and context.

What a distribution answers to is its context, so that groups by the token before and by the place in a document say
where models disagree, and groups by the token that came say what comes where they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..data.tagging import NO_WORD
from ..scoring.score_table import MEASURES
from ..statistics.clustering import Clusters
from ..statistics.intervals import Estimate
from ..statistics.tallies import Floats
from .labels import DOCUMENT_PLACES, Occurrences
from .measured import Measured

FEWEST = 50
"""Tokens of a group below which it has no row."""
MOST = 30
"""Tokens, and tokens before, that have a row: those with the most Jensen–Shannon divergence on average."""
GroupedBy = Literal["token", "class", "token before", "class before", "place"]


@dataclass(frozen=True)
class Means:
    """Means over tokens, with intervals over documents; see `scoring.score_table.MEASURES`."""

    tokens: int
    kl: Estimate
    kl_back: Estimate
    jensen_shannon: Estimate
    agreement: Estimate
    rank_distance: Estimate


@dataclass(frozen=True)
class DivergenceOfGroup:
    """Of some of the tokens that came."""

    by: GroupedBy
    """What they have in common: `token` and `class`: their own; `token before` and `class before`: those of the token
    before, which the models have just read; `place`: how many tokens of the document stand before."""
    name: str
    """The token, the part of speech, or the places, such as `16–63`."""
    means: Means


@dataclass(frozen=True)
class DivergenceOfPair:
    """Of two models, over the text and by group; `kl` is KL(first ‖ second), `kl_back` KL(second ‖ first)."""

    first: str
    second: str
    means: Means
    groups: list[DivergenceOfGroup]


def divergence_of(measured: Measured, names: list[str]) -> list[DivergenceOfPair]:
    """One row for each model but the first; empty where whole distributions were not compared."""
    rows = []
    text = Occurrences(measured)
    for number, name in enumerate(names[1:], start=2):
        if f"kl_{number}" not in measured.scores.columns:
            continue
        compared = np.isfinite(measured.log_probs(f"kl_{number}"))
        values = np.array([measured.log_probs(f"{measure}_{number}")[compared] for measure in MEASURES])
        block = measured.block[compared]
        groups = [
            DivergenceOfGroup(by, label, _means(measured, values[:, inside], block[inside]))
            for by, codes, labels, most in _groups(text)
            for label, inside in _largest(codes[compared], labels, values[MEASURES.index("jensen_shannon")], most)
        ]
        rows.append(DivergenceOfPair(names[0], name, _means(measured, values, block), groups))
    return rows


def _groups(text: Occurrences) -> Iterator[tuple[GroupedBy, NDArray[np.int64], list[str], int | None]]:
    """What tokens are grouped by: the number of each token's group, (occurrences,), the groups' names; how many of them
    are told, None: all."""
    pieces, tags = text.measured.pieces, text.measured.upos.categories.astype(str).tolist()
    yield "class", text.word_class, tags, None
    yield "class before", text.before(text.word_class, text.classes), [*tags, ""], None
    edges = [0, *DOCUMENT_PLACES]
    places = [f"{low}–{high - 1}" for low, high in zip(edges, DOCUMENT_PLACES, strict=False)]
    yield "place", np.searchsorted(DOCUMENT_PLACES, text.place, side="right"), [*places, f"{edges[-1]}–"], None
    yield "token", text.type, pieces, MOST
    yield "token before", text.previous, [*pieces, ""], MOST


def _largest(
    codes: NDArray[np.int64], labels: Sequence[str], divergence: Floats, most: int | None
) -> list[tuple[str, NDArray[np.int64]]]:
    """The name of each group of enough tokens, and its tokens; the `most` divergent ones, where not all are wanted.

    What is no word has no class, and the beginning of a document has nothing before it: they are left out.
    """
    counts = np.bincount(codes, minlength=len(labels))
    numbers = [number for number in np.flatnonzero(counts >= FEWEST).tolist() if labels[number] not in ("", NO_WORD)]
    if most is not None:
        means = np.bincount(codes, weights=divergence, minlength=len(labels)) / np.maximum(counts, 1)
        numbers = sorted(numbers, key=lambda number: -means[number])[:most]
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(counts)
    return [(labels[number], order[ends[number] - counts[number] : ends[number]]) for number in numbers]


def _means(measured: Measured, values: Floats, block: NDArray[np.int32]) -> Means:
    """Of `values` (measures, tokens), with their unit of resampling, (tokens,)."""
    clusters = Clusters({"document": np.unique(block, return_inverse=True)[1]})
    kl, kl_back, shannon, agreement, ranks = (
        clusters.interval(float(row.mean()), (row - row.mean()) / len(row), measured.settings.confidence)
        for row in values
    )
    return Means(len(block), kl, kl_back, shannon, agreement, ranks)
