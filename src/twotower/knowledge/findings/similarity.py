"""What is found of the likeness of layers."""

from __future__ import annotations

from dataclasses import dataclass

from ...statistics.intervals import Estimate


@dataclass(frozen=True)
class LayerCompared:
    """A layer of a tower: a row and a column of the matrices."""

    view: str
    tower: int
    layer: int


@dataclass(frozen=True)
class LayerFromUntrained(LayerCompared):
    """CKA of a layer with the same layer of the untrained towers."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Matrix:
    """A measure of all layers with all, (views, views), and its interval, by a jackknife over documents."""

    estimate: list[list[float]]
    low: list[list[float]]
    high: list[list[float]]


@dataclass(frozen=True)
class MatrixAlone:
    """The same without an interval."""

    estimate: list[list[float]]


@dataclass(frozen=True)
class UntrainedLayers:
    """The matrix of the untrained towers."""

    cka: MatrixAlone


@dataclass(frozen=True)
class NullsOfLikeness:
    """What two layers have in common that know nothing of each other."""

    shuffled: Estimate
    """Tokens of one of them dealt out again: 0 for CKA."""
    untrained: Estimate
    """The same two layers of untrained towers, which read the same text."""


@dataclass(frozen=True)
class Likeness(Estimate):
    """A measure of two layers, with its nulls."""

    null: NullsOfLikeness


@dataclass(frozen=True)
class LikenessOfTowers:
    """Both measures of two towers at a layer."""

    layer: int
    towers: list[int]
    cka: Likeness
    """Unbiased linear CKA."""
    procrustes: Likeness
    """Procrustes distance."""


@dataclass(frozen=True)
class Similarity:
    """How alike the layers of the towers of a run are."""

    tokens: int
    windows: int
    documents: int
    views: list[LayerCompared]
    """In the order of the matrices."""
    cka: Matrix
    procrustes: Matrix
    untrained: UntrainedLayers
    across: list[LikenessOfTowers]
    """For each layer and two towers."""
    from_untrained: list[LayerFromUntrained]
