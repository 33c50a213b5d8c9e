"""The figures of a comparison, for its page and for papers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from .diff_contents import DiffContents
from .division_figure import forest, shown_labels
from .numbers import fixed
from .sheet import Draw, Sheet, interval, zero
from .style import ALL_COLOR, TOWER_COLORS, ZERO_COLOR, class_name, in_words

LABELS = {
    "labels": "Share of the difference between the models that each label holds, beside its null",
    "profile": "What each model predicts better beyond frequency, by word class, with intervals",
    "types": "Mean log-probability of each type under one model and under the other",
}
"""What each figure shows, for those who cannot see it."""


def diff_drawings(contents: DiffContents) -> dict[str, Draw]:
    """By name, every figure that the comparison has data for."""
    drawings: dict[str, Callable[[DiffContents, Sheet], None]] = {}
    if contents.division.size is not None and shown_labels(contents.division):
        drawings["labels"] = labels
    if len(contents.profile):
        drawings["profile"] = profile
    if len(contents.types):
        drawings["types"] = types
    return {name: partial(drawn, contents) for name, drawn in drawings.items()}


def labels(contents: DiffContents, sheet: Sheet) -> None:
    """What share of the difference between the models each label holds."""
    forest(contents.division, sheet, compared=in_words(contents.names), control="control", unit=contents.results.unit)


def profile(contents: DiffContents, sheet: Sheet) -> None:
    """The mean difference of each word class beyond frequency, with its interval."""
    table, pair = contents.profile, len(contents.names) == 2
    order = table[table["model"] == 0].sort_values("mean")["upos"].tolist()
    sheet.height(1.1 + 0.24 * max(3, len(order)))
    axes = sheet.add_subplot()
    zero(axes)
    sure = table["sure"].astype(bool)
    groups = (
        [(contents.names[0], TOWER_COLORS[0], table[sure & (table["mean"] > 0)]),
         (contents.names[1], TOWER_COLORS[1], table[sure & (table["mean"] < 0)]),
         ("neither for sure", ZERO_COLOR, table[~sure])] if pair else
        [(name, TOWER_COLORS[number % len(TOWER_COLORS)], table[table["model"] == number])
         for number, name in enumerate(contents.names)]
    )  # fmt: skip
    for name, color, rows in groups:
        rows = rows[rows["upos"].isin(order)]
        if not len(rows):
            continue
        heights = [order.index(tag) for tag in rows["upos"]]
        interval(axes, heights, rows["low"], rows["high"], color)
        dots = axes.scatter(rows["mean"], heights, s=22, color=color, label=name, zorder=3)
        sheet.tell(dots, [
            f"{class_name(row['upos'])} ({row['upos']}), {name}: {fixed(row['mean'], 3, signed=True)} "
            f"[{fixed(row['low'], 3)}, {fixed(row['high'], 3)}] nats"
            for row in rows.to_dict("records")
        ])  # fmt: skip
    axes.set_yticks(range(len(order)), [class_name(tag) for tag in order])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(sheet.wrap("mean difference beyond frequency (nats)"))
    if pair:
        first, second = contents.names
        axes.set_title(f"← {second}", loc="left", color=TOWER_COLORS[1], fontweight="bold", x=0.0)
        axes.set_title(f"{first} →", loc="right", color=TOWER_COLORS[0], fontweight="bold", x=1.0)
    sheet.key()


def types(contents: DiffContents, sheet: Sheet) -> None:
    """Each type under the first model and under the others."""
    sheet.height(3.3 if sheet.narrow else 4.6)
    axes = sheet.add_subplot()
    table, first = contents.types, contents.names[0]
    low = 0.0
    for number, name in enumerate(contents.names[1:], start=2):
        across, up = table["model_1"], table[f"model_{number}"]
        low = min(low, float(across.min()), float(up.min()))
        color = TOWER_COLORS[(number - 1) % len(TOWER_COLORS)]
        dots = axes.scatter(across, up, s=7, alpha=0.55, linewidths=0, color=color, label=name)
        sheet.tell(dots, [
            f"{piece}: {first} {fixed(a)}, {name} {fixed(b)} nats, {count:,} times"
            for piece, a, b, count in zip(table["piece"], across, up, table["count"], strict=True)
        ])  # fmt: skip
    axes.plot([low, 0], [low, 0], color=ALL_COLOR, linewidth=0.8, linestyle="--", zorder=0)
    axes.set(
        xlabel=sheet.wrap(f"mean log-probability under {first} (nats)"),
        ylabel=sheet.wrap("under the other (nats)" if len(contents.names) == 2 else "under the others (nats)"),
    )
    sheet.key(scale=2.5)
