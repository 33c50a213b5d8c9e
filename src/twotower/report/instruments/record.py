"""What pages show of an instrument of `twotower know`: one record each, and what several of them share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...statistics.intervals import Estimate
from .. import summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Found = dict[str, Any]
"""The part of `results.json` that an instrument has written."""


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
    draw: Callable[[Found, Figure], None]
    has_data: Callable[[Found], bool]


@dataclass(frozen=True)
class Instrument:
    """All that pages show of one instrument."""

    name: str
    """As in `instruments.INSTRUMENTS` of the package."""
    title: str
    how: str
    """What it measures, in a sentence or two."""
    sentences: Callable[[Found], list[str]]
    tables: Callable[[Found], list[Table]]
    picture: Picture | None = None


def figure(values: Mapping[str, Any], digits: int = 2) -> str:
    """An estimate of an instrument with its interval (see `summary.figure`)."""
    ends = (math.nan if values.get(key) is None else values[key] for key in ("estimate", "low", "high"))
    return summary.figure(Estimate(*ends), digits)


def last_views(views: list[dict[str, Any]], trained: bool = True) -> list[dict[str, Any]]:
    """Of the views of words the deepest of each tower."""
    mine = [view for view in views if view["tower"] and view["trained"] == trained]
    deepest = {view["tower"]: view for view in sorted(mine, key=lambda view: view["layer"])}
    return [deepest[tower] for tower in sorted(deepest)]


def deepest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the last layer."""
    last = max((row["layer"] for row in rows), default=None)
    return [row for row in rows if row["layer"] == last]


def each(figures: list[dict[str, Any]]) -> str:
    """Figures of several towers in a sentence."""
    return " and ".join(figure(one) for one in figures)


def difference_told(found: dict[str, Any], measure: str) -> str:
    """By how much the first two towers differ, as a further sentence; empty without two."""
    rows = [row for row in found["differences"] if row.get("layer", "chosen") == "chosen"]
    told = (f"Tower {row['towers'][0]} minus tower {row['towers'][1]}: {figure(row[measure])}." for row in rows[:1])
    return "".join(f" {one}" for one in told)


def view_name(view: dict[str, Any]) -> str:
    """What a row of a table calls the states of a layer."""
    return str(view["view"]) if view["trained"] or "untrained" in view["view"] else f"untrained {view['view']}"


def differences_between(found: dict[str, Any], measures: dict[str, str]) -> list[Table]:
    """The differences between towers as a table, with a column for each measure; none without two towers."""
    rows = [
        [f"{row['towers'][0]} minus {row['towers'][1]}", str(row.get("layer", "output")),
         *(figure(row[name]) for name in measures)]
        for row in found["differences"]
    ]  # fmt: skip
    return [Table("Differences between towers", ["towers", "layer", *measures.values()], rows, 2)] if rows else []
