"""The report's figures as SVG files for papers (Matplotlib, and `wordcloud` for the clouds)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from wordcloud import WordCloud

from .contents import CLASS_COLORS, TOWER_COLORS, Contents, directed_auroc, favourites

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "twotower",
}
WIDTH, HEIGHT = 6.0, 3.6  # inches


def write_figures(contents: Contents, folder: Path) -> None:
    """Write one SVG per figure into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings = {
        "training": _training, "emergence": _emergence, "preference": _histogram, "by_upos": _by_upos,
        "towers": _scatter,
    }  # fmt: skip
    with matplotlib.rc_context(STYLE):
        for name, draw in drawings.items():
            # Not pyplot: no global state, no display.
            figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
            draw(contents, figure)
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    for tower in (1, 2):
        (folder / f"cloud_{tower}.svg").write_text(cloud(contents, tower), encoding="utf-8")


def cloud(contents: Contents, tower: int) -> str:
    """A word cloud, as SVG text, of the types that a tower prefers most; size is preference."""
    words = favourites(contents.types, tower)
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
    for column, label, color in (("joint", "joint", "#444444"), *_tower_columns()):
        axes.plot(rows["tokens"] / 1e6, rows[column].rolling(smooth, min_periods=1).mean(), label=label, color=color)
    axes.set(xlabel="million tokens", ylabel="nats per piece (training batches)")
    axes.legend(frameon=False)


def _tower_columns() -> tuple[tuple[str, str, str], ...]:
    return tuple((f"tower_{k}", f"tower {k} alone", TOWER_COLORS[k - 1]) for k in (1, 2))


def _emergence(contents: Contents, figure: Figure) -> None:
    left, right = figure.subplots(1, 2)
    rows = contents.heldout
    left.plot(rows["tokens"] / 1e6, directed_auroc(rows), marker="o", color="#7b3fa0")
    left.axhline(0.5, color="#999999", linewidth=0.8, linestyle="--")
    left.set(xlabel="million tokens", ylabel="AUROC, function against content")
    right.plot(rows["tokens"] / 1e6, rows["spread"], marker="o", color="#2a8c5a")
    right.set(xlabel="million tokens", ylabel="sd of preferences (nats)", ylim=(0, None))


def _histogram(contents: Contents, figure: Figure) -> None:
    axes = figure.add_subplot()
    bins = np.linspace(*histogram_range(contents), 61).tolist()
    axes.hist(contents.types["noise"], bins=bins, color="#b9bec7", label="noise floor: two readouts, one tower")
    axes.hist(contents.types["mean"], bins=bins, color="#7b3fa0", alpha=0.6, label="tower 1 minus tower 2")
    axes.set(xlabel="preference (nats)", ylabel="types")
    axes.legend(frameon=False)


def histogram_range(contents: Contents) -> tuple[float, float]:
    """The range that holds 99.8 % of preferences and noise, in nats."""
    values = np.concatenate([contents.types["mean"], contents.types["noise"]])
    if not len(values):
        return -1.0, 1.0
    low, high = np.quantile(values, [0.001, 0.999])
    return float(low) - 0.05, float(high) + 0.05


def _by_upos(contents: Contents, figure: Figure) -> None:
    axes = figure.add_subplot()
    rows = contents.by_upos
    centre = contents.results["preference"]["mean"]
    axes.axvline(centre, color="#999999", linewidth=0.8, linestyle="--")
    for position, row in enumerate(rows.itertuples()):
        has_interval = row.low is not None and row.high is not None
        spread = [[row.mean - row.low], [row.high - row.mean]] if has_interval else None
        axes.errorbar(row.mean, position, xerr=spread, fmt="o", color=CLASS_COLORS[row.word_class], markersize=4)
    axes.set(xlabel="mean preference (nats); dashed: all occurrences", yticks=range(len(rows)))
    axes.set_yticklabels(list(rows["upos"]), fontsize=7)


def _scatter(contents: Contents, figure: Figure) -> None:
    axes = figure.add_subplot()
    for word_class, rows in contents.types.groupby("word_class"):
        color = CLASS_COLORS[str(word_class)]
        axes.scatter(rows["readout_1"], rows["readout_2"], s=4, color=color, alpha=0.5, label=word_class, linewidths=0)
    low = contents.types[["readout_1", "readout_2"]].min().min() if len(contents.types) else -1.0
    axes.plot([low, 0], [low, 0], color="#999999", linewidth=0.8, linestyle="--")
    axes.set(xlabel="mean log-probability, tower 1 (nats)", ylabel="tower 2 (nats)")
    if len(contents.types):
        axes.legend(frameon=False)
