"""The figures of a run, for the page and for papers alike; the word clouds by `wordcloud`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.collections import PolyCollection
from PIL import ImageFont
from wordcloud import WordCloud

from .contents import (
    Contents,
    context_curves,
    favourites,
    histogram_range,
    scatter_points,
    shares,
)
from .division_figure import forest, shown_labels
from .instruments import figures_of
from .numbers import fixed
from .scale_figure import scale, scale_rows
from .sheet import Draw, Plate, Sheet, interval, plate, zero
from .style import (
    ALL_COLOR,
    CONTEXT_AXES,
    PREFERENCE_AXIS,
    PREFERENCE_COLOR,
    PROFILE_AXIS,
    SHARES_AXIS,
    SOFT,
    TOWER_COLORS,
    ZERO_COLOR,
    class_name,
    class_of_piece,
)

EXAMPLES = 3
"""Words of a class beside its row."""
LINES = 300
"""Points of a training curve at the most: more cannot be told apart."""


def labels(contents: Contents, sheet: Sheet) -> None:
    """What share of the difference between towers each label holds."""
    results = contents.results
    assert results.division is not None
    forest(results.division, sheet, converged=results.readouts.converged)


def training(contents: Contents, sheet: Sheet) -> None:
    """Loss on the training batches (lines) and on held-out text (dots)."""
    axes = sheet.add_subplot()
    rows, heldout = contents.training, contents.heldout
    smooth, step = max(1, len(rows) // 20), max(1, len(rows) // LINES)
    for column, label, color in contents.tower_lines:
        line = rows[column].rolling(smooth, min_periods=1).mean()[::step]
        axes.plot(rows["tokens"][::step] / 1e6, line, color=color, label=label)
        if len(heldout):
            dots = axes.scatter(heldout["tokens"] / 1e6, heldout[column], s=14, color=color, zorder=3)
            sheet.tell(dots, [
                f"{label}, after {tokens:,} tokens: {value:.2f} nats per token of held-out text"
                for tokens, value in zip(heldout["tokens"], heldout[column], strict=True)
            ])  # fmt: skip
    axes.set(xlabel="million tokens of training", ylabel="loss (nats per token)")
    sheet.key()


def histogram(contents: Contents, sheet: Sheet) -> None:
    """How many types have which preference."""
    axes = sheet.add_subplot()
    edges = np.linspace(*histogram_range(contents), 61)
    alpha = min(0.75, 1.3 / (1 + len(contents.series)))
    for name, color, suffix in contents.series:
        values = contents.types[f"mean{suffix}"]
        counts, _ = np.histogram(values, edges)
        filled = np.flatnonzero(counts)
        corners = [[(edges[k], 0), (edges[k], counts[k]), (edges[k + 1], counts[k]), (edges[k + 1], 0)] for k in filled]
        bars = axes.add_collection(PolyCollection(corners, facecolors=color, alpha=alpha, label=name))
        sheet.tell(
            bars,
            [
                f"{name}, {fixed(edges[k], signed=True)} to {fixed(edges[k + 1], signed=True)} nats: {counts[k]} types"
                for k in filled
            ],
        )
    axes.autoscale_view()
    axes.set(xlabel=PREFERENCE_AXIS, ylabel="number of types", ylim=(0, None))
    sheet.key(columns=2)


def profile(contents: Contents, sheet: Sheet) -> None:
    """What each compared word class prefers beyond frequency, with its interval, other readouts and strangers."""
    table, pair = contents.profile, len(contents.series) == 1
    table = table[table["compared"].astype(bool)]
    tags = list(dict.fromkeys(table["upos"]))
    sheet.height(1.2 + (0.25 if pair else 0.26) * max(3, len(tags)))
    axes = sheet.add_subplot()
    zero(axes)
    if pair:
        sure = table["sure"].astype(bool)
        groups = [
            ("tower 2", TOWER_COLORS[1], table[sure & (table["mean"] < 0)]),
            ("tower 1", TOWER_COLORS[0], table[sure & (table["mean"] > 0)]),
            ("neither for sure", ZERO_COLOR, table[~sure]),
        ]
    else:
        groups = [(f"tower {k}", TOWER_COLORS[k - 1], table[table["tower"] == k]) for k in _towers(contents)]
    for name, color, rows in groups:
        shift = 0.0 if pair or not len(rows) else 0.6 * (float(rows["tower"].iloc[0]) - (contents.towers + 1) / 2)
        heights = np.array([tags.index(tag) for tag in rows["upos"]]) + shift / max(1, contents.towers)
        interval(axes, heights, rows["low"], rows["high"], color)
        if len(rows):
            dots = axes.scatter(rows["mean"], heights, s=30 if pair else 14, color=color, label=name, zorder=4)
            sheet.tell(dots, [_class_tip(row, name, pair) for row in rows.to_dict("records")])
    axes.set(xlabel=sheet.wrap(PROFILE_AXIS), ylim=(-0.7, len(tags) - 0.3))
    axes.set_yticks(range(len(tags)), [class_name(tag) for tag in tags])
    axes.tick_params(axis="y", length=0)
    if pair:
        _controls_of_classes(axes, table, sheet)
        _sides(axes)
        if not sheet.narrow:
            _examples_of_classes(axes, table, contents)
    _limit(axes, table)
    sheet.key()


def _controls_of_classes(axes: Any, table: pd.DataFrame, sheet: Sheet) -> None:
    """Open marks: the second set of readouts alone, and the strangers."""
    heights = np.arange(len(table))
    second = [float(sets[1]) if len(sets) > 1 else np.nan for sets in table["sets"]]
    marked = (("second set of readouts", "o", second), ("strangers", "D", table["strangers"].tolist()))
    for name, marker, values in marked:
        known = np.isfinite(np.asarray(values, dtype=np.float64))
        if not known.any():
            continue
        dots = axes.scatter(
            np.asarray(values)[known], heights[known], s=22, marker=marker, facecolors="none", edgecolors=SOFT,
            linewidths=0.9, label=name, zorder=3,
        )  # fmt: skip
        tags = table["upos"].to_numpy()[known]
        sheet.tell(dots, [
            f"{class_name(tag)}, {name}: {fixed(value, 3, signed=True)} nats"
            for tag, value in zip(tags, np.asarray(values)[known], strict=True)
        ])  # fmt: skip


def _examples_of_classes(axes: Any, table: pd.DataFrame, contents: Contents) -> None:
    """To the right of each row a few words of the class that its tower prefers in every set of readouts."""
    beside = axes.secondary_yaxis("right")
    words = [
        ", ".join(favourites(contents, 1 if row["mean"] > 0 else 2, EXAMPLES, row["upos"]))
        for row in table.to_dict("records")
    ]  # fmt: skip
    beside.set_yticks(range(len(words)), words, fontsize=8, fontstyle="italic", color=SOFT)
    beside.tick_params(axis="y", length=0)
    beside.spines["right"].set_visible(False)


def _limit(axes: Any, table: pd.DataFrame) -> None:
    """Hold every mark and every interval."""
    ends = pd.concat([table["mean"], table["low"], table["high"], table["strangers"].astype(float)]).dropna()
    if not len(ends):
        return
    room = 0.12 * max(0.05, float(ends.max() - ends.min()))
    axes.set_xlim(min(0.0, float(ends.min())) - room, max(0.0, float(ends.max())) + room)


def _class_tip(row: dict[str, Any], name: str, pair: bool) -> str:
    spread = f" [{fixed(row['low'], 3)}, {fixed(row['high'], 3)}]" if pd.notna(row["low"]) else ""
    whose = "" if pair else f", {name}"
    named = f"{class_name(row['upos'])} ({row['upos']}){whose}"
    return f"{named}: {fixed(row['mean'], 3, signed=True)}{spread} nats, {row['occurrences']:,} times"


def _sides(axes: Any) -> None:
    """Which tower each side of an axis of preference means."""
    for tower, side, where in ((2, "left", 0.0), (1, "right", 1.0)):
        arrow = f"← tower {tower}" if side == "left" else f"tower {tower} →"
        axes.set_title(arrow, loc=side, color=TOWER_COLORS[tower - 1], fontweight="bold", x=where)


def context(contents: Contents, sheet: Sheet) -> None:
    """What each head gains as its context grows."""
    axes = sheet.add_subplot()
    curves = context_curves(contents)
    for name, color, points in curves:
        axes.plot(points["context"], points["gain"], color=color, label=name)
        interval(axes, points["context"], points["low"], points["high"], color, vertical=True)
        dots = axes.scatter(points["context"], points["gain"], s=14, color=color, zorder=3)
        sheet.tell(dots, [
            f"{name}, {int(row['context'])} tokens of context: {fixed(row['gain'], 3)} nats per token above one token"
            for row in points.to_dict("records")
        ])  # fmt: skip
    axes.set(xscale="log", xlabel=CONTEXT_AXES[0], ylabel=sheet.wrap(CONTEXT_AXES[1]))
    ticks = sorted({int(x) for _, _, curve in curves for x in curve["context"]})
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    sheet.key()


def predictors(contents: Contents, sheet: Sheet) -> None:
    """How much of the differences between types each group of predictors accounts for."""
    table = shares(contents)
    sheet.height(0.8 + 0.22 * max(3, len(table)))
    axes = sheet.add_subplot()
    zero(axes)
    interval(axes, range(len(table)), table["low"], table["high"], PREFERENCE_COLOR)
    dots = axes.scatter(table["estimate"], range(len(table)), s=26, color=PREFERENCE_COLOR, zorder=3)
    sheet.tell(dots, [
        f"{row['name']}: {fixed(100 * row['estimate'], 1)} %"
        + (f" [{fixed(100 * row['low'], 1)}, {fixed(100 * row['high'], 1)}]" if pd.notna(row["low"]) else "")
        + " of the variance between types"
        for row in table.to_dict("records")
    ])  # fmt: skip
    axes.set(xlabel=sheet.wrap(SHARES_AXIS), ylim=(-0.7, len(table) - 0.3))
    axes.set_yticks(range(len(table)), list(table["name"]))
    axes.tick_params(axis="y", length=0)


def scatter(contents: Contents, sheet: Sheet) -> None:
    """Each type under one tower and under the other."""
    sheet.height(3.3 if sheet.narrow else 4.6)
    axes = sheet.add_subplot()
    points, across, up = scatter_points(contents)
    for name, (rows, color) in points.items():
        dots = axes.scatter(rows["x"], rows["y"], s=7, color=color, alpha=0.55, label=name, linewidths=0)
        sheet.tell(dots, [
            f"{row['piece']} ({class_of_piece(row['upos'])}): preference "
            f"{fixed(row['preference'], signed=True)} nats, {row['count']:,} times"
            for row in rows[["piece", "upos", "preference", "count"]].to_dict("records")
        ])  # fmt: skip
    low = min((float(rows[["x", "y"]].min().min()) for rows, _ in points.values()), default=-1.0)
    axes.plot([low, 0], [low, 0], color=ALL_COLOR, linewidth=0.8, linestyle="--", zorder=0)
    axes.set(xlabel=sheet.wrap(across), ylabel=sheet.wrap(up))
    sheet.key(scale=2.5)


def cloud(tower: int) -> Callable[[Contents, Sheet], None]:
    """The drawing of the words that a tower prefers most; size is preference."""

    def clouded(contents: Contents, sheet: Sheet) -> None:
        words = favourites(contents, tower)
        inches = 2.2 if sheet.narrow else 2.6
        sheet.height(inches)
        sheet.set_layout_engine("none")
        axes = sheet.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        width, height = (round(72 * side) for side in sheet.get_size_inches())
        axes.set(xlim=(0, width), ylim=(height, 0))
        if not words:
            axes.text(width / 2, height / 2, "no word clears its interval", ha="center", va="center", color=SOFT)
            return
        # The metrics of the font that Matplotlib draws with; a page's own font is narrower, never wider.
        font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
        placed = WordCloud(
            width=width - 8, height=height - 8, random_state=0, prefer_horizontal=1.0, relative_scaling=0.6,
            font_path=str(font), max_font_size=34 if sheet.narrow else 44, min_font_size=8, margin=3, scale=1,
            max_words=35 if sheet.narrow else 60,
        ).generate_from_frequencies(words)  # fmt: skip
        for (word, _), size, (top, left), _, _ in placed.layout_:
            begin, above, _, _ = ImageFont.truetype(str(font), size).getbbox(word, anchor="ls")
            axes.text(
                left + 4 - begin, top + 4 - above, word, fontsize=size, va="baseline", color=TOWER_COLORS[tower - 1]
            )

    return clouded


def _towers(contents: Contents) -> range:
    return range(1, contents.towers + 1)


def draw(contents: Contents, name: str) -> Plate:
    """The figure of this name, which is drawn once."""
    if name not in contents.plates:
        contents.plates[name] = plate(name, partial(drawings(contents)[name], contents))
    return contents.plates[name]


def drawings(contents: Contents) -> dict[str, Callable[[Contents, Sheet], None]]:
    """By name, every figure that the run has data for."""
    known = {name: _ignoring_contents(drawn) for name, drawn in figures_of(contents.results.knowledge).items()}
    if not contents.contrasts:
        return {"training": training} | known
    clouds = {f"cloud_{tower}": cloud(tower) for tower in _towers(contents)}
    division = contents.results.division
    shares_of_labels = {"labels": labels} if division and shown_labels(division) else {}
    on_scale = {"scale": _scale} if scale_rows(contents.results) else {}
    return shares_of_labels | on_scale | DRAWINGS | clouds | known


def _scale(contents: Contents, sheet: Sheet) -> None:
    scale(scale_rows(contents.results), sheet)


def _ignoring_contents(drawn: Draw) -> Callable[[Contents, Sheet], None]:
    return lambda _, sheet: drawn(sheet)


DRAWINGS: dict[str, Callable[[Contents, Sheet], None]] = {
    "profile": profile, "context": context, "shares": predictors, "preference": histogram, "towers": scatter,
    "training": training,
}  # fmt: skip
"""Every figure of a pair of towers, by name, but the clouds, of which each tower has one."""
