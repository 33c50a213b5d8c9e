"""The figure that opens a run's page: what share of the difference between towers each label holds."""

from __future__ import annotations

import math

from matplotlib.collections import PolyCollection

from ..preference.division import CLASS, TOPIC, Division, LabelDivision, holds, row_of
from .finding import row_name
from .numbers import fixed, percent
from .sheet import Sheet, interval, zero
from .style import FLOOR_COLOR, PREFERENCE_COLOR, ZERO_COLOR

BAND = 0.32
"""Half the height of the band of the null, in rows."""
NAME_WIDTH = 30
"""Characters of a row's name in a narrow figure, beyond which it goes on in a second line: few names are longer."""
BEYOND = (CLASS, TOPIC, ("type", "frequency"))
"""Labels that are shown a second time, beyond another one."""


def shown_labels(division: Division) -> list[LabelDivision]:
    """The rows of the figure, the largest share last: every label that was measured, and some given another.

    None where the towers do not differ at all: there is nothing to hold a share of.
    """
    rows = [
        row for row in division.labels
        if row.verdict != "not measurable" and math.isfinite(row.share.estimate)
        and (not row.given or (row.label, row.given) in BEYOND)
    ]  # fmt: skip
    return sorted(rows, key=lambda row: row.share.estimate)


def forest(
    division: Division, sheet: Sheet, compared: str = "the towers", control: str = "strangers", unit: str = "token",
    converged: bool = True,
) -> None:  # fmt: skip
    """A forest plot of the shares, with the band of relabelled units and, where there is one, the control.

    No label surely holds a share where readouts have not `converged`.
    """
    rows = shown_labels(division)
    sheet.height(1.2 + 0.23 * max(3, len(rows)))
    axes = sheet.add_subplot()
    zero(axes)
    heights = range(len(rows))
    bands = [
        (height, 100 * row.share.null_high) for height, row in zip(heights, rows, strict=True)
        if row.share.null_high is not None
    ]  # fmt: skip
    corners = [[(0, y - BAND), (0, y + BAND), (high, y + BAND), (high, y - BAND)] for y, high in bands]
    axes.add_collection(PolyCollection(corners, facecolors=FLOOR_COLOR, alpha=0.6, label="labels exchanged"))
    for known, color, name in (
        (True, PREFERENCE_COLOR, "surely holds a share"),
        (False, ZERO_COLOR, "may hold none"),
    ):
        chosen = [y for y, row in zip(heights, rows, strict=True) if (converged and holds(row)) == known]
        if not chosen:
            continue
        drawn = [rows[y] for y in chosen]
        interval(axes, chosen, [100 * row.share.low for row in drawn], [100 * row.share.high for row in drawn], color)
        dots = axes.scatter(
            [100 * row.share.estimate for row in drawn], chosen, s=26, color=color, label=name, zorder=3
        )
        sheet.tell(dots, [_tip(row, unit) for row in drawn])
    _control(division, rows, axes, sheet, control, unit)
    axes.set(ylim=(-0.7, len(rows) - 0.3))
    # Beneath names of labels as well: beside them the axis may be narrower than what it is called.
    axes.set_xlabel(sheet.wrap(f"share of the difference between {compared}, D² (%)"), loc="right")
    names = [sheet.wrap(row_name(row.label, row.given, unit), NAME_WIDTH) for row in rows]
    axes.set_yticks(heights, names, fontsize=sheet.row_size)
    axes.tick_params(axis="y", length=0)
    sheet.key(columns=2)


def _control(division: Division, rows: list[LabelDivision], axes: object, sheet: Sheet, name: str, unit: str) -> None:
    """What the label holds of the control, in shares of the pair's difference: theirs alone is next to nothing."""
    if division.strangers is None or not division.size or not division.size.estimate:
        return
    places, values, tips = [], [], []
    for height, row in enumerate(rows):
        theirs = row_of(division.strangers.labels, row.label, row.given)
        if theirs is not None:
            share = 100 * theirs.held.estimate / division.size.estimate**2
            places.append(height)
            values.append(share)
            tips.append(
                f"{row_name(row.label, row.given, unit)}, {name}: {fixed(share, 1)} % of what the pair differs in"
            )
    dots = axes.scatter(  # type: ignore[attr-defined]
        values, places, s=26, facecolors="none", edgecolors=ZERO_COLOR, label=name, zorder=2
    )
    sheet.tell(dots, tips)


def _tip(row: LabelDivision, unit: str) -> str:
    share = row.share
    chance = "" if share.null_high is None else f"; exchanged labels hold at most {fixed(100 * share.null_high, 1)} %"
    return f"{row_name(row.label, row.given, unit)} ({row.values:,} values): {percent(share)}{chance}: {row.verdict}"
