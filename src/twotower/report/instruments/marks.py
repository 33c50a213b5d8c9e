"""What the figures of several instruments share."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, TypeVar

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...knowledge.findings.views import OfView
from ...statistics.intervals import Interval
from ..style import ALL_COLOR, TOWER_COLORS, ZERO_COLOR

View = TypeVar("View", bound=OfView)
JOINT, FLOOR, LINE = ALL_COLOR, ZERO_COLOR, ZERO_COLOR
ROWS = 45
"""Rows of a figure at most: more cannot be read; the tables have them all."""
NARROW = 5.0
"""Inches below which panels stand below each other."""


def color_of(head: str) -> str:
    """Of a tower, of all together, or of a control."""
    return TOWER_COLORS[int(head.split()[-1]) - 1] if head.startswith("tower") else JOINT if head == "joint" else FLOOR


def dots(
    axes: Any, rows: Sequence[tuple[str, Mapping[str, Interval]]], marks: Mapping[str, tuple[str, str, str]]
) -> None:
    """A row for each name, and in it a mark with its interval for each series; the first row is on top.

    `marks`: for each series its label, colour and marker.
    """
    height = 0.7 / max(1, len(marks))
    for place, (series, (label, color, marker)) in enumerate(marks.items()):
        known = [(number, intervals[series]) for number, (_, intervals) in enumerate(rows)
                 if series in intervals and isfinite(intervals[series].estimate)]  # fmt: skip
        at = [-number + 0.35 - height * (place + 0.5) for number, _ in known]
        middles = [interval.estimate for _, interval in known]
        bars = [
            [max(0.0, interval.estimate - interval.low) if isfinite(interval.low) else 0.0 for _, interval in known],
            [max(0.0, interval.high - interval.estimate) if isfinite(interval.high) else 0.0 for _, interval in known],
        ]
        axes.errorbar(
            middles,
            at,
            xerr=bars if known else None,
            fmt=marker,
            color=color,
            markersize=3.5,
            elinewidth=0.9,
            label=label,
        )
    narrow = axes.figure.get_figwidth() < NARROW
    names = [textwrap.fill(name, 22) if narrow else name for name, _ in rows]
    # In whole points: Matplotlib measures others too short, and the page would cut them.
    axes.set_yticks([-number for number in range(len(rows))], names, fontsize=7 if narrow else 8)
    axes.set_ylim(-len(rows) + 0.4, 0.6)


def tall(figure: Figure, rows: int) -> None:
    """Give a figure the height that so many rows take."""
    row_height = 0.3 if figure.get_figwidth() < NARROW else 0.24  # names may take two lines where it is narrow
    figure.set_size_inches(figure.get_figwidth(), max(2.4, row_height * rows + 1.2))


def legend(figure: Figure) -> None:
    """One legend above all panels, each label once."""
    handles: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    columns = 2 if figure.get_figwidth() < NARROW else 4
    figure.legend(list(handles.values()), list(handles), loc="outside upper left", ncols=min(columns, len(handles)))


def by_layer(
    figure: Figure,
    panels: Sequence[tuple[str, Sequence[View], Callable[[View], Interval]]],
    lines: Mapping[str, Sequence[Interval]],
) -> None:
    """A curve for each tower over its layers, trained and untrained, and the shared embedding as a line.

    `panels`: for each its label, its views and the measure of one; `lines`: further controls, a figure for each panel.
    """
    columns = 1 if figure.get_figwidth() < NARROW else 2
    rows = -(-len(panels) // columns)
    figure.set_size_inches(figure.get_figwidth(), 2.5 * rows + 0.5)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in grid[len(panels) :]:
        unused.remove()
    for place, (axes, (label, views, measure)) in enumerate(zip(grid, panels, strict=False)):
        for tower in sorted({view.tower for view in views if view.tower}):
            for trained in (True, False):
                mine = [view for view in views if view.tower == tower and view.trained == trained]
                x = [view.layer or 0 for view in mine]
                figures = [measure(view) for view in mine]
                low, middle, high = (
                    [getattr(interval, end) for interval in figures] for end in ("low", "estimate", "high")
                )
                name, style = (f"tower {tower}", "-") if trained else (f"tower {tower}, untrained", ":")
                axes.plot(x, middle, style, marker="o", markersize=3, color=TOWER_COLORS[tower - 1], label=name)
                if trained:
                    axes.fill_between(x, low, high, color=TOWER_COLORS[tower - 1], alpha=0.15, linewidth=0)
        shared = [view for view in views if not view.tower and view.trained]
        levels = [("shared embedding", measure(view)) for view in shared[:1]]
        levels += [(name, controls[place]) for name, controls in lines.items()]
        for (name, values), style in zip(levels, ("--", "-."), strict=False):
            axes.axhline(values.estimate, color=LINE, linewidth=0.9, linestyle=style, label=name)
        axes.set(xlabel="layer", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(figure)
