"""How large a division is on a scale from strangers (0) to a planted division (1), label by label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..statistics.intervals import Estimate
from ..statistics.ratios import share_between
from .division import Division
from .labels import planted_kind


@dataclass(frozen=True)
class ScaleRow:
    """One label on its scale."""

    label: str
    given: str
    """The label that is given; "" if none is."""
    planted: str
    """The kind of planted division that is its 1 (`model.planted`)."""
    share: Estimate | None
    """What the label holds of the pair, in nats squared, less strangers', over the same of the planted pair. It may
    exceed 1. None where the planted pair does not exceed strangers: not measurable."""


def scale_of(division: Division, planted: Mapping[str, Division], confidence: float) -> list[ScaleRow]:
    """A row for each label that the pair, its strangers and the planted pair of its kind have; none without strangers.

    `planted` has the division of a planted pair by its kind.
    """
    if division.strangers is None:
        return []
    strangers = {(row.label, row.given): row.held for row in division.strangers.labels}
    of_kind = {kind: {(row.label, row.given): row.held for row in pair.labels} for kind, pair in planted.items()}
    rows = []
    for row in division.labels:
        key, kind = (row.label, row.given), planted_kind(row.label)
        of_planted = of_kind.get(kind, {}).get(key)
        if of_planted is not None and key in strangers:
            share = share_between(row.held, strangers[key], of_planted, confidence)
            rows.append(ScaleRow(row.label, row.given, kind, share))
    return rows
