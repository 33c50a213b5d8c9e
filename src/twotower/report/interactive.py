"""The report's figures where looking beats reading: Plotly, every token escaped."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from .contents import CLASS_COLORS, TOWER_COLORS, Contents, directed_auroc
from .svg import histogram_range

LAYOUT = {
    "template": "plotly_white", "margin": {"l": 60, "r": 20, "t": 20, "b": 50}, "height": 380,
    "legend": {"orientation": "h", "y": 1.1}, "font": {"family": "system-ui, sans-serif", "size": 13},
}  # fmt: skip


def figures(contents: Contents) -> dict[str, str]:
    """From a figure's name to its HTML fragment, which needs Plotly's script on the page."""
    drawings = {
        "training": _training(contents), "emergence": _emergence(contents), "preference": _histogram(contents),
        "by_upos": _by_upos(contents), "towers": _scatter(contents),
    }  # fmt: skip
    return {name: _fragment(name, drawing) for name, drawing in drawings.items()}


def _fragment(name: str, drawing: go.Figure) -> str:
    drawing.update_layout(**LAYOUT)
    config = {"displaylogo": False, "responsive": True}
    html: str = drawing.to_html(full_html=False, include_plotlyjs=False, div_id=f"figure-{name}", config=config)
    return html


def _training(contents: Contents) -> go.Figure:
    figure = go.Figure()
    rows = contents.training
    for column, label, color in (
        ("joint", "joint", "#444444"),
        ("tower_1", "tower 1 alone", TOWER_COLORS[0]),
        ("tower_2", "tower 2 alone", TOWER_COLORS[1]),
    ):
        figure.add_scatter(x=rows["tokens"], y=rows[column], name=label, line={"color": color, "width": 1})
    return figure.update_layout(xaxis_title="tokens", yaxis_title="nats per piece (training batches)")


def _emergence(contents: Contents) -> go.Figure:
    figure = make_subplots(rows=1, cols=2)
    rows = contents.heldout
    figure.add_scatter(
        x=rows["tokens"], y=directed_auroc(rows), name="AUROC, function against content", line={"color": "#7b3fa0"}
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
    noise, preference = contents.types["noise"], contents.types["mean"]
    figure.add_histogram(x=noise, xbins=bins, name="noise floor: two readouts, one tower", marker_color="#b9bec7")
    figure.add_histogram(x=preference, xbins=bins, name="tower 1 minus tower 2", marker_color="#7b3fa0", opacity=0.65)
    return figure.update_layout(barmode="overlay", xaxis_title="preference (nats)", yaxis_title="types")


def _by_upos(contents: Contents) -> go.Figure:
    figure = go.Figure()
    table = contents.by_upos
    for word_class, color in CLASS_COLORS.items():
        rows = table[table["word_class"] == word_class]
        figure.add_scatter(
            x=rows["mean"], y=rows["upos"], mode="markers", name=word_class, marker={"color": color, "size": 9},
            error_x={"type": "data", "symmetric": False, "array": rows["high"] - rows["mean"],
                     "arrayminus": rows["mean"] - rows["low"]},
            customdata=rows["occurrences"],
            hovertemplate="%{y}: %{x:.3f} nats, %{customdata:,} occurrences<extra></extra>",
        )  # fmt: skip
    figure.add_vline(x=contents.results["preference"]["mean"], line_dash="dash", line_color="#999999")
    figure.update_yaxes(categoryorder="array", categoryarray=list(table["upos"]), dtick=1)
    return figure.update_layout(xaxis_title="mean preference (nats); dashed: all occurrences")


def _scatter(contents: Contents) -> go.Figure:
    figure = go.Figure()
    for word_class, color in CLASS_COLORS.items():
        rows = contents.types[contents.types["word_class"] == word_class]
        labels = [
            f"{escape(str(piece))} ({upos}), preference {mean:+.2f}, {count:,} times"
            for piece, upos, mean, count in zip(rows["piece"], rows["upos"], rows["mean"], rows["count"], strict=True)
        ]
        figure.add_scattergl(
            x=rows["readout_1"], y=rows["readout_2"], mode="markers", name=word_class, text=labels,
            marker={"color": color, "size": 5, "opacity": 0.6},
            hovertemplate="%{text}<br>tower 1: %{x:.2f}, tower 2: %{y:.2f} nats<extra></extra>",
        )  # fmt: skip
    if len(contents.types):
        low = float(contents.types[["readout_1", "readout_2"]].min().min())
        figure.add_scatter(
            x=[low, 0], y=[low, 0], mode="lines", line={"color": "#999999", "dash": "dash"}, showlegend=False,
            hoverinfo="skip",
        )  # fmt: skip
    figure.update_layout(xaxis_title="mean log-probability, tower 1 (nats)", yaxis_title="tower 2 (nats)")
    return figure
