"""What structural probes find."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...config.conversion import INLINED, OMITTED
from ...statistics.intervals import Estimate
from .views import Counts, OfView


@dataclass(frozen=True)
class TreeFigures:
    """How well predicted distances and depths fit gold trees."""

    uuas: Estimate
    dspr: Estimate
    root: Estimate
    nspr: Estimate


@dataclass(frozen=True)
class ProbedView(OfView):
    """The figures of the probes of one view, on the test sentences."""

    rank: dict[str, int]
    """That the dev sentences chose, for `distance` and for `depth`."""
    dev: dict[str, float]
    """The four figures on the dev sentences."""
    uuas: Estimate
    dspr: Estimate
    root: Estimate
    nspr: Estimate


@dataclass(frozen=True)
class ChosenLayer:
    """A figure of the layer that the dev sentences choose, beside its controls."""

    layer: int | None
    estimate: float
    low: float
    high: float
    null: dict[str, Estimate]
    """Of the untrained tower's layer, of the shared embedding, and of `linear_order`."""
    over_embedding: Estimate | None = field(default=None, metadata=OMITTED)


@dataclass(frozen=True)
class ChosenLayers:
    """For each figure the chosen layer of one tower."""

    tower: int
    uuas: ChosenLayer
    dspr: ChosenLayer
    root: ChosenLayer
    nspr: ChosenLayer


@dataclass(frozen=True)
class DifferenceInTrees:
    """By how much the first of two towers exceeds the second."""

    towers: list[int]
    layer: int | str
    """Or `chosen`: each tower's own."""
    uuas: Estimate
    dspr: Estimate
    root: Estimate
    nspr: Estimate


@dataclass(frozen=True)
class ProbeFigures:
    """What structural probes find."""

    views: list[ProbedView]
    linear_order: TreeFigures
    """Of a tree in which every word depends on the one before it; its undirected edges are those of a left-branching
    one."""
    chosen: list[ChosenLayers]
    differences: list[DifferenceInTrees]


@dataclass(frozen=True)
class Probe:
    """Structural probes on every layer of every tower."""

    sentences: Counts
    words: dict[str, int]
    found: ProbeFigures = field(metadata=INLINED)
