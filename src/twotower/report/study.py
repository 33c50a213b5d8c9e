"""The page of a study: three answers, the agreement matrix, the emergence, and a table of its runs."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ..preference.comparison import conclusions
from .contents import TOWER_COLORS
from .summary import figure
from .templating import fill, fragment


def render(title: str, study: dict[str, Any]) -> str:
    """The page; `study` is what `study.json` holds."""
    drawings = {"emergence": _emergence(study)}
    if study["agreement"]:
        drawings["agreement"] = _matrix(study["agreement"])
    return fill(
        "study.html.j2",
        title=title,
        sentences=conclusions(study),
        rows=study["runs"],
        failed=study["failed"],
        figure=figure,
        agreement=study["agreement"],
        strangers=study["agreement_of_strangers"],
        figures={name: fragment(name, drawing) for name, drawing in drawings.items()},
    )


def _matrix(agreement: dict[str, Any]) -> go.Figure:
    names = agreement["names"]
    drawing = go.Figure(
        go.Heatmap(z=agreement["r"], x=names, y=names, zmin=-1, zmax=1, colorscale="RdBu", reversescale=True,
                   hovertemplate="%{x}<br>%{y}<br>r = %{z:.2f}<extra></extra>")
    )  # fmt: skip
    drawing.update_yaxes(autorange="reversed")
    return drawing.update_layout(template="plotly_white", height=260 + 26 * len(names))


def _emergence(study: dict[str, Any]) -> go.Figure:
    groups = list(dict.fromkeys(row["group"] for row in study["runs"]))
    drawing = make_subplots(rows=1, cols=2, subplot_titles=("AUROC while training", "sd of preferences (nats)"))
    shown: set[str] = set()
    for row in study["runs"]:
        points = [point for point in study["emergence"][row["name"]] if point["auroc"]]
        if not points:
            continue
        label = row["group"] + (", strangers" if row["stranger"] else "")
        last = points[-1]["auroc"]
        best = max(range(len(last)), key=lambda tower: last[tower])
        areas = [
            max(point["auroc"][0], 1 - point["auroc"][0]) if len(last) == 1 else point["auroc"][best]
            for point in points
        ]
        line = {
            "color": TOWER_COLORS[groups.index(row["group"]) % len(TOWER_COLORS)],
            "dash": "dot" if row["stranger"] else "solid", "width": 1.5,
        }  # fmt: skip
        for column, values in ((1, areas), (2, [point["spread"] for point in points])):
            drawing.add_scatter(
                x=[point["tokens"] for point in points], y=values, name=label, legendgroup=label, line=line,
                showlegend=column == 1 and label not in shown, hovertext=row["name"], row=1, col=column,
            )  # fmt: skip
        shown.add(label)
    drawing.add_hline(y=0.5, line_dash="dash", line_color="#999999", row=1, col=1)
    drawing.update_xaxes(title="tokens")
    return drawing.update_layout(template="plotly_white", height=420, legend={"orientation": "h", "y": -0.2})
