"""What pages show of an instrument of `twotower know`: one record each, and what several of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ...knowledge.findings.views import OfView
from ...statistics.intervals import Interval
from ..numbers import figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Table:
    """A table of text; the first `left` columns are aligned to the left."""

    label: str
    head: list[str]
    rows: list[list[str]]
    left: int = 1


@dataclass(frozen=True)
class Picture:
    """The figure of an instrument, for the page and for papers."""

    label: str
    """What it shows, for those who cannot see it."""
    draw: Callable[[Any, Figure], None]
    has_data: Callable[[Any], bool]


@dataclass(frozen=True)
class Instrument:
    """All that pages show of one instrument."""

    name: str
    """As in `instruments.INSTRUMENTS` of the package."""
    title: str
    how: str
    """What it measures, in a sentence or two."""
    sentences: Callable[[Any], list[str]]
    """From what its function in `knowledge/` returns, as `tables` and `picture` are."""
    tables: Callable[[Any], list[Table]]
    picture: Picture | None = None


View = TypeVar("View", bound=OfView)


def last_views(views: Sequence[View], trained: bool = True) -> list[View]:
    """Of the views of words the deepest of each tower."""
    mine = [view for view in views if view.tower and view.trained == trained]
    deepest = {view.tower: view for view in sorted(mine, key=lambda view: view.layer or 0)}
    return [deepest[tower] for tower in sorted(deepest)]


def each(figures: Iterable[Interval]) -> str:
    """Figures of several towers in a sentence."""
    return " and ".join(figure(interval) for interval in figures)


def difference_told(towers: Sequence[int], estimate: Interval) -> str:
    """By how much the first of two towers exceeds the second, as a further sentence."""
    return f" Tower {towers[0]} minus tower {towers[1]}: {figure(estimate)}."


def view_name(view: OfView) -> str:
    """What a row of a table calls the states of a layer."""
    return view.view if view.trained or "untrained" in view.view else f"untrained {view.view}"


def differences_between(
    rows: Sequence[tuple[Sequence[int], int | str, Sequence[Interval]]], measures: Sequence[str]
) -> list[Table]:
    """Differences between towers as a table; none without a row.

    Of each row the two towers, the layer, and a figure for each of the measures, by the names that readers see.
    """
    lines = [[f"{pair[0]} minus {pair[1]}", str(layer), *map(figure, figures)] for pair, layer, figures in rows]
    return [Table("Differences between towers", ["towers", "layer", *measures], lines, 2)] if lines else []
