"""Where a pair lies between strangers and a planted division, label by label."""

from __future__ import annotations

import math

from ..preference.scale import ScaleRow
from ..results.results import Results
from .finding import row_name
from .numbers import percent
from .sheet import Sheet, interval, zero
from .style import PREFERENCE_COLOR, SOFT

LEAST, MOST = -150.0, 300.0
"""Per cent at which long intervals are cut, unless their middle lies beyond: else one would hide all others."""
NOT_MEASURABLE = "not measurable"


def scale_rows(results: Results) -> list[ScaleRow]:
    """The rows of `division.scale` in which nothing is given, those without a scale first, the largest share last."""
    scale = (results.division.scale if results.division else None) or []
    rows = [row for row in scale if not row.given]
    return sorted(rows, key=lambda row: -math.inf if row.share is None else row.share.estimate)


def scale(rows: list[ScaleRow], sheet: Sheet) -> None:
    """Shares with Fieller's intervals; at 0 % lie strangers, at 100 % the planted pair of the label's kind."""
    sheet.height(1.2 + 0.23 * max(3, len(rows)))
    axes = sheet.add_subplot()
    zero(axes)
    axes.axvline(100, color=SOFT, linewidth=0.8, linestyle=(0, (4, 3)))
    known = [(height, row, row.share) for height, row in enumerate(rows) if row.share is not None]
    heights = [height for height, _, _ in known]
    low, high = ([100 * getattr(share, end) for *_, share in known] for end in ("low", "high"))
    interval(axes, heights, low, high, PREFERENCE_COLOR)
    dots = axes.scatter([100 * share.estimate for *_, share in known], heights, s=26, color=PREFERENCE_COLOR, zorder=3)
    sheet.tell(dots, [share_sentence(row) for _, row, _ in known])
    for height, row in enumerate(rows):
        if row.share is None:
            axes.annotate(NOT_MEASURABLE, (0.99, height), xycoords=axes.get_yaxis_transform(), ha="right", va="center",
                          fontsize=8, color=SOFT)  # fmt: skip
    middles = [100 * share.estimate for *_, share in known]
    least, most = (end([0.0, 100.0, *values]) for end, values in ((min, low), (max, high)))
    ends = max(least, min([LEAST, *middles])) - 20, min(most, max([MOST, *middles])) + 20
    axes.set(ylim=(-0.7, len(rows) - 0.3), xlim=ends)
    axes.set_xlabel(sheet.wrap("strangers = 0 %, the planted pair = 100 %"), loc="right")
    names = [f"{row_name(row.label)} ({row.planted})" for row in rows]
    axes.set_yticks(range(len(rows)), names, fontsize=sheet.row_size)
    axes.tick_params(axis="y", length=0)


def share_sentence(row: ScaleRow) -> str:
    """One row of the scale in words."""
    share = row.share
    if share is None:
        return f"{row_name(row.label)}: {NOT_MEASURABLE}: planted {row.planted} hold no more of it than strangers"
    return f"{row_name(row.label)}: {percent(share, 0)} of what planted {row.planted} hold"
