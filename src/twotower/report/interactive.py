"""The report's figures where looking beats reading: Plotly, every token escaped."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from markupsafe import Markup
from plotly.subplots import make_subplots

from .contents import (
    CLASS_COLORS,
    CONTEXT_AXES,
    PROFILE_AXIS,
    SHARES_AXIS,
    TOWER_COLORS,
    Contents,
    context_curves,
    scatter_points,
    shares,
)
from .svg import histogram_range
from .templating import fragment

LAYOUT = {
    "template": "plotly_white", "margin": {"l": 60, "r": 20, "t": 20, "b": 50}, "height": 380,
    "legend": {"orientation": "h", "y": 1.1}, "font": {"family": "system-ui, sans-serif", "size": 13},
}  # fmt: skip


def figures(contents: Contents) -> dict[str, Markup]:
    """From a figure's name to its HTML fragment, which needs Plotly's script on the page."""
    drawn = DRAWINGS if contents.contrasts else {"training": _training}
    return {name: fragment(name, draw(name, contents)) for name in drawn}


def draw(name: str, contents: Contents) -> go.Figure:
    """One figure of `DRAWINGS`."""
    return DRAWINGS[name](contents).update_layout(**LAYOUT)


def _training(contents: Contents) -> go.Figure:
    figure = go.Figure()
    rows = contents.training
    for column, label, color in contents.tower_lines:
        figure.add_scatter(x=rows["tokens"], y=rows[column], name=label, line={"color": color, "width": 1})
    return figure.update_layout(xaxis_title="tokens", yaxis_title="nats per piece (training batches)")


def _emergence(contents: Contents) -> go.Figure:
    figure = make_subplots(rows=1, cols=2)
    rows = contents.heldout
    figure.add_scatter(
        x=rows["tokens"], y=rows["auroc"], name="AUROC, function against content", line={"color": "#7b3fa0"}
    )
    figure.add_scatter(
        x=rows["tokens"], y=rows["spread"], name="sd of preferences (nats)", line={"color": "#2a8c5a"}, row=1, col=2
    )
    figure.add_hline(y=0.5, line_dash="dash", line_color="#999999", row=1, col=1)
    figure.update_yaxes(rangemode="tozero", row=1, col=2)
    return figure.update_xaxes(title="tokens")


def _histogram(contents: Contents) -> go.Figure:
    low, high = histogram_range(contents)
    bins = {"start": low, "end": high, "size": (high - low) / 60}
    figure = go.Figure()
    noise = contents.types["noise"]
    figure.add_histogram(x=noise, xbins=bins, name="noise floor: two readouts, one tower", marker_color="#b9bec7")
    for name, color, suffix in contents.series:
        values, opacity = contents.types[f"mean{suffix}"], 1.3 / (1 + len(contents.series))
        figure.add_histogram(x=values, xbins=bins, name=name, marker_color=color, opacity=opacity)
    return figure.update_layout(barmode="overlay", xaxis_title="preference (nats)", yaxis_title="types")


def _profile(contents: Contents) -> go.Figure:
    figure = go.Figure()
    table = contents.profile
    if len(contents.series) == 1:
        groups = [(name, color, table[table["word_class"] == name]) for name, color in CLASS_COLORS.items()]
    else:
        towers = range(1, contents.towers + 1)
        groups = [(f"tower {k}", TOWER_COLORS[k - 1], table[table["tower"] == k]) for k in towers]
    for name, color, rows in groups:
        figure.add_scatter(
            x=rows["mean"], y=rows["upos"], mode="markers", name=name, error_x=_interval(rows, "mean"),
            marker={"color": color, "size": 9, "symbol": ["circle" if one else "x" for one in rows["in_spread"]]},
            customdata=rows["occurrences"],
            hovertemplate="%{y}: %{x:.3f} nats, %{customdata:,} occurrences<extra></extra>",
        )  # fmt: skip
    figure.add_vline(x=0.0, line_dash="dash", line_color="#999999")
    figure.update_yaxes(categoryorder="array", categoryarray=list(dict.fromkeys(table["upos"])), dtick=1)
    return figure.update_layout(xaxis_title=PROFILE_AXIS)


def _interval(rows: pd.DataFrame, middle: str) -> dict[str, Any]:
    above, below = rows["high"] - rows[middle], rows[middle] - rows["low"]
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "thickness": 1}


def _context(contents: Contents) -> go.Figure:
    figure = go.Figure()
    for name, color, points in context_curves(contents):
        figure.add_scatter(
            x=points["context"], y=points["gain"], name=name, line={"color": color}, error_y=_interval(points, "gain")
        )
    figure.update_xaxes(
        type="log", tickvals=sorted({x for _, _, one in context_curves(contents) for x in one["context"]})
    )
    return figure.update_layout(xaxis_title=CONTEXT_AXES[0], yaxis_title=CONTEXT_AXES[1])


def _shares(contents: Contents) -> go.Figure:
    table = shares(contents)
    figure = go.Figure()
    figure.add_scatter(
        x=table["estimate"], y=table["name"], mode="markers", marker={"color": "#7b3fa0", "size": 9},
        error_x=_interval(table, "estimate"), showlegend=False,
    )  # fmt: skip
    figure.add_vline(x=0.0, line_dash="dash", line_color="#999999")
    return figure.update_layout(xaxis_title=SHARES_AXIS)


def _scatter(contents: Contents) -> go.Figure:
    figure = go.Figure()
    points, across, up = scatter_points(contents)
    for name, (rows, color) in points.items():
        labels = [
            f"{escape(str(piece))} ({upos}), preference {mean:+.2f}, {count:,} times"
            for piece, upos, mean, count in zip(
                rows["piece"], rows["upos"], rows["preference"], rows["count"], strict=True
            )
        ]
        figure.add_scatter(
            x=rows["x"], y=rows["y"], mode="markers", name=name, text=labels,
            marker={"color": color, "size": 5, "opacity": 0.6},
            hovertemplate="%{text}<br>x: %{x:.2f}, y: %{y:.2f} nats<extra></extra>",
        )  # fmt: skip
    if points:
        low = min(float(rows[["x", "y"]].min().min()) for rows, _ in points.values())
        figure.add_scatter(
            x=[low, 0], y=[low, 0], mode="lines", line={"color": "#999999", "dash": "dash"}, showlegend=False,
            hoverinfo="skip",
        )  # fmt: skip
    figure.update_layout(xaxis_title=across, yaxis_title=up)
    return figure


DRAWINGS: dict[str, Callable[[Contents], go.Figure]] = {
    "profile": _profile, "context": _context, "shares": _shares, "preference": _histogram, "towers": _scatter,
    "emergence": _emergence, "training": _training,
}  # fmt: skip
"""Every figure of a run's page, by name; `svg.DRAWINGS` draws the same."""
