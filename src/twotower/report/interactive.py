"""The report's figures where looking beats reading: Plotly, every token escaped."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go
from markupsafe import Markup
from plotly.subplots import make_subplots

from .contents import CLASS_COLORS, TOWER_COLORS, Contents, scatter_points
from .svg import histogram_range
from .templating import fragment

LAYOUT = {
    "template": "plotly_white", "margin": {"l": 60, "r": 20, "t": 20, "b": 50}, "height": 380,
    "legend": {"orientation": "h", "y": 1.1}, "font": {"family": "system-ui, sans-serif", "size": 13},
}  # fmt: skip


def figures(contents: Contents) -> dict[str, Markup]:
    """From a figure's name to its HTML fragment, which needs Plotly's script on the page."""
    drawings = {"training": _training(contents)}
    if contents.contrasts:
        drawings |= {
            "emergence": _emergence(contents), "preference": _histogram(contents), "by_upos": _by_upos(contents),
            "towers": _scatter(contents),
        }  # fmt: skip
    return {name: fragment(name, drawing.update_layout(**LAYOUT)) for name, drawing in drawings.items()}


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


def _by_upos(contents: Contents) -> go.Figure:
    figure = go.Figure()
    table = contents.by_upos
    if len(contents.series) == 1:
        groups = [(name, color, table[table["word_class"] == name]) for name, color in CLASS_COLORS.items()]
    else:
        towers = range(1, contents.towers + 1)
        groups = [(f"tower {k}", TOWER_COLORS[k - 1], table[table["tower"] == k]) for k in towers]
    for name, color, rows in groups:
        figure.add_scatter(
            x=rows["mean"], y=rows["upos"], mode="markers", name=name, marker={"color": color, "size": 9},
            error_x={"type": "data", "symmetric": False, "array": rows["high"] - rows["mean"],
                     "arrayminus": rows["mean"] - rows["low"]},
            customdata=rows["occurrences"],
            hovertemplate="%{y}: %{x:.3f} nats, %{customdata:,} occurrences<extra></extra>",
        )  # fmt: skip
    figure.add_vline(x=contents.results["preference"]["mean"] or 0.0, line_dash="dash", line_color="#999999")
    figure.update_yaxes(categoryorder="array", categoryarray=list(dict.fromkeys(table["upos"])), dtick=1)
    return figure.update_layout(xaxis_title="mean preference (nats); dashed: all occurrences")


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
        figure.add_scattergl(
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
