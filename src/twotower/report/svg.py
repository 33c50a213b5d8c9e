"""The report's figures as SVG files for papers (Matplotlib, and `wordcloud` for the clouds)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from wordcloud import WordCloud

from .contents import CLASS_COLORS, TOWER_COLORS, Contents, favourites, scatter_points

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
    drawings = {"training": _training}
    if contents.contrasts:
        drawings |= {"emergence": _emergence, "preference": _histogram, "by_upos": _by_upos, "towers": _scatter}
    with matplotlib.rc_context(STYLE):
        for name, draw in drawings.items():
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


def _by_upos(contents: Contents, figure: Figure) -> None:
    axes = figure.add_subplot()
    tags = list(dict.fromkeys(contents.by_upos["upos"]))
    axes.axvline(contents.results["preference"]["mean"] or 0.0, color="#999999", linewidth=0.8, linestyle="--")
    for row in contents.by_upos.itertuples():
        has_interval = row.low is not None and row.high is not None
        spread = [[row.mean - row.low], [row.high - row.mean]] if has_interval else None
        one = len(contents.series) == 1
        color = CLASS_COLORS[row.word_class] if one else TOWER_COLORS[row.tower - 1]
        height = tags.index(row.upos) + (0 if one else 0.6 * (row.tower / contents.towers - 0.5))
        axes.errorbar(row.mean, height, xerr=spread, fmt="o", color=color, markersize=4 if one else 2.5)
    label = "mean preference (nats); dashed: all occurrences"
    axes.set(xlabel=label, yticks=range(len(tags)))
    axes.set_yticklabels(tags, fontsize=7)


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
