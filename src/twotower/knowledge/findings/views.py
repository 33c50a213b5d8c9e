"""What figures of instruments are of: a tower's states at a layer, or what the towers share."""

from __future__ import annotations

from dataclasses import dataclass

from ...statistics.intervals import Estimate

Counts = dict[str, int | str]
"""Of sentences, by what became of them; `unit` says what was dealt out."""


@dataclass(frozen=True)
class OfView:
    """A figure of the states of one tower at one layer, or of a control."""

    view: str
    """What it is called."""
    tower: int
    """Counted from 1; 0 for what the towers share."""
    layer: int | None
    """0 for the tower's input; None for the shared embedding and for all towers side by side."""
    trained: bool


@dataclass(frozen=True)
class LayerDifference:
    """By how much the first of two towers exceeds the second at a layer."""

    layer: int
    towers: list[int]
    estimate: float
    low: float
    high: float

    @classmethod
    def of(cls, layer: int | None, first: int, second: int, estimate: Estimate) -> LayerDifference:
        """From the estimate of the difference."""
        return cls(layer or 0, [first, second], **vars(estimate))
