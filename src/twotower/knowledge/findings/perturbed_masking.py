"""What perturbed masking finds."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...config.conversion import INLINED
from ...statistics.intervals import Estimate
from .views import Counts


@dataclass(frozen=True)
class TreeAgreement:
    """How many edges and heads of gold trees are found."""

    uuas: Estimate
    """Share of the gold tree's edges that are found, whichever way they point."""
    uas: Estimate
    """Of the words that are not the root, the share whose head is found."""


@dataclass(frozen=True)
class BesideUntrained(Estimate):
    """A figure, and as `null` that of the untrained towers."""

    null: Estimate


@dataclass(frozen=True)
class MaskedView:
    """Trees from the impacts in one tower's output, or in what the joint head reads."""

    view: str
    tower: int
    """0 for the joint head."""
    uuas: BesideUntrained
    uas: BesideUntrained
    over_right_branching: TreeAgreement


@dataclass(frozen=True)
class DifferenceInMasking:
    """By how much the first of two towers exceeds the second."""

    towers: list[int]
    uuas: Estimate
    uas: Estimate


@dataclass(frozen=True)
class MaskingFigures:
    """What perturbed masking finds."""

    views: list[MaskedView]
    baselines: dict[str, TreeAgreement]
    """`right_branching` (every word depends on the one before it), `left_branching` (on the one after it; the same
    edges undirected) and `random` (trees of random matrices)."""
    differences: list[DifferenceInMasking]


@dataclass(frozen=True)
class PerturbedMasking:
    """Dependency trees from the impact that words have on each other."""

    sentences: Counts
    words: dict[str, int]
    found: MaskingFigures = field(metadata=INLINED)


@dataclass(frozen=True)
class NothingMasked:
    """Why perturbed masking cannot be."""

    left_out: str
