"""The report's figures as SVG files for papers (Matplotlib, and `wordcloud` for the clouds)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from wordcloud import WordCloud

from .contents import (
    CLASS_COLORS,
    CONTEXT_AXES,
    PROFILE_AXIS,
    SHARES_AXIS,
    TOWER_COLORS,
    Contents,
    context_curves,
    favourites,
    scatter_points,
    shares,
)

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "twotower",
}
WIDTH, HEIGHT = 6.0, 3.6  # inches


def write_figures(contents: Contents, clouds: dict[int, str], folder: Path) -> None:
    """Write one SVG per figure into `folder`; `clouds` are those of each tower, as `cloud` draws them."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn_here = DRAWINGS if contents.contrasts else {"training": _training}
    with matplotlib.rc_context(STYLE):
        for name, draw in drawn_here.items():
            # Not pyplot: no global state, no display.
            figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
            draw(contents, figure)
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    for tower, drawn in clouds.items():
        (folder / f"cloud_{tower}.svg").write_text(drawn, encoding="utf-8")


def cloud(contents: Contents, tower: int) -> str:
    """A word cloud, as SVG text, of the types that a tower prefers most; size is preference."""
    words = favourites(contents, tower)
    if not words:
        return '<svg xmlns="http://www.w3.org/2000/svg" width="560" height="40"><text x="8" y="26">none</text></svg>'
    drawn = WordCloud(
        width=560, height=300, random_state=0, prefer_horizontal=1.0, background_color=None, mode="RGBA",
        relative_scaling=0.6, max_font_size=64, min_font_size=9, color_func=lambda *_, **__: TOWER_COLORS[tower - 1],
    ).generate_from_frequencies(words)  # fmt: skip
    svg = str(drawn.to_svg()).replace("font-family:'Droid Sans Mono'", "font-family:'Droid Sans Mono',monospace")
    return svg.replace('width="560" height="300"', 'width="560" height="300" viewBox="0 0 560 300"', 1)


def _training(contents: Contents, figure: Figure) -> None:
    axes = figure.add_subplot()
    rows = contents.training
    smooth = max(1, len(rows) // 100)
    for column, label, color in contents.tower_lines:
        axes.plot(rows["tokens"] / 1e6, rows[column].rolling(smooth, min_periods=1).mean(), label=label, color=color)
    axes.set(xlabel="million tokens", ylabel="nats per piece (training batches)")
    axes.legend(frameon=False)


def _emergence(contents: Contents, figure: Figure) -> None:
    left, right = figure.subplots(1, 2)
    rows = contents.heldout
    left.plot(rows["tokens"] / 1e6, rows["auroc"], marker="o", color="#7b3fa0")
    left.axhline(0.5, color="#999999", linewidth=0.8, linestyle="--")
    left.set(xlabel="million tokens", ylabel="AUROC, function against content")
    right.plot(rows["tokens"] / 1e6, rows["spread"], marker="o", color="#2a8c5a")
    right.set(xlabel="million tokens", ylabel="sd of preferences (nats)", ylim=(0, None))


def _histogram(contents: Contents, figure: Figure) -> None:
    axes, towers = figure.add_subplot(), len(contents.series)
    bins = np.linspace(*histogram_range(contents), 61).tolist()
    axes.hist(contents.types["noise"], bins=bins, color="#b9bec7", label="noise floor: two readouts, one tower")
    for name, color, suffix in contents.series:
        axes.hist(contents.types[f"mean{suffix}"], bins=bins, color=color, alpha=1.2 / (1 + towers), label=name)
    axes.set(xlabel="preference (nats)", ylabel="types")
    axes.legend(frameon=False, fontsize=7)


def histogram_range(contents: Contents) -> tuple[float, float]:
    """The range that holds 99.8 % of preferences and noise, in nats."""
    columns = [f"mean{suffix}" for _, _, suffix in contents.series]
    values = contents.types[[*columns, "noise"]].to_numpy().ravel()
    if not len(values):
        return -1.0, 1.0
    low, high = np.quantile(values, [0.001, 0.999])
    return float(low) - 0.05, float(high) + 0.05


def _profile(contents: Contents, figure: Figure) -> None:
    axes = figure.add_subplot()
    tags = list(dict.fromkeys(contents.profile["upos"]))
    axes.axvline(0.0, color="#999999", linewidth=0.8, linestyle="--")
    for row in contents.profile.itertuples():
        has_interval = pd.notna(row.low) and pd.notna(row.high)
        # A percentile interval may leave out its estimate: bars do not point backwards.
        spread = [[max(0.0, row.mean - row.low)], [max(0.0, row.high - row.mean)]] if has_interval else None
        one = len(contents.series) == 1
        color = CLASS_COLORS[row.word_class] if one else TOWER_COLORS[row.tower - 1]
        height = tags.index(row.upos) + (0 if one else 0.6 * (row.tower / contents.towers - 0.5))
        marker = "o" if row.in_spread else "x"
        axes.errorbar(row.mean, height, xerr=spread, fmt=marker, color=color, markersize=4 if one else 2.5)
    axes.set(xlabel=PROFILE_AXIS, yticks=range(len(tags)))
    axes.set_yticklabels(tags, fontsize=7)


def _context(contents: Contents, figure: Figure) -> None:
    axes = figure.add_subplot()
    for name, color, points in context_curves(contents):
        axes.plot(points["context"], points["gain"], marker="o", markersize=3, color=color, label=name)
        axes.fill_between(points["context"], points["low"], points["high"], color=color, alpha=0.15, linewidth=0)
    axes.set(xscale="log", xlabel=CONTEXT_AXES[0], ylabel=CONTEXT_AXES[1])
    ticks = sorted({int(x) for _, _, one in context_curves(contents) for x in one["context"]})
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    if ticks:
        axes.legend(frameon=False)


def _shares(contents: Contents, figure: Figure) -> None:
    axes = figure.add_subplot()
    table = shares(contents)
    axes.axvline(0.0, color="#999999", linewidth=0.8, linestyle="--")
    for number, row in enumerate(table.itertuples()):
        bars = [[max(0.0, row.estimate - row.low)], [max(0.0, row.high - row.estimate)]] if pd.notna(row.low) else None
        axes.errorbar(row.estimate, number, xerr=bars, fmt="o", color="#7b3fa0", markersize=4)
    axes.set(xlabel=SHARES_AXIS, yticks=range(len(table)))
    axes.set_yticklabels(table["name"], fontsize=7)


def _scatter(contents: Contents, figure: Figure) -> None:
    axes = figure.add_subplot()
    points, across, up = scatter_points(contents)
    for name, (rows, color) in points.items():
        axes.scatter(rows["x"], rows["y"], s=4, color=color, alpha=0.5, label=name, linewidths=0)
    low = min((float(rows[["x", "y"]].min().min()) for rows, _ in points.values()), default=-1.0)
    axes.plot([low, 0], [low, 0], color="#999999", linewidth=0.8, linestyle="--")
    axes.set(xlabel=across, ylabel=up)
    if points:
        axes.legend(frameon=False)


DRAWINGS: dict[str, Callable[[Contents, Figure], None]] = {
    "profile": _profile, "context": _context, "shares": _shares, "preference": _histogram, "towers": _scatter,
    "emergence": _emergence, "training": _training,
}  # fmt: skip
"""Every figure of a run for papers, by name; `interactive.DRAWINGS` draws the same."""
