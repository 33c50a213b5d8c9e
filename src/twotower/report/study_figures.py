"""The figures of a study's page."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from .contents import TOWER_COLORS


def drawings(study: dict[str, Any]) -> dict[str, go.Figure]:
    """By name, the figures that the study has data for."""
    found = {"emergence": _emergence(study)}
    if study["profiles"]:
        found["profiles"] = _profiles(study["profiles"])
    if any(study["context"].values()):
        found["context"] = _context(study)
    for number, one in enumerate(study["agreement"]):
        found[f"agreement-{number}"] = _matrix(one)
    if study["doses"]:
        found["doses"] = _doses(study["doses"])
    return found


def _profiles(profiles: dict[str, Any]) -> go.Figure:
    """Classes x runs; each run is turned so that it loads on the first axis positively, classes in the axis' order."""
    axis = profiles["axes"][0]
    names = sorted(profiles["classes"], key=lambda name: float(axis["classes"][name]))
    place = [profiles["classes"].index(name) for name in names]
    rows = [np.asarray(run["profile"]) * (1 if axis["loadings"][run["name"]] >= 0 else -1) for run in profiles["runs"]]
    values = np.stack(rows)[:, place]
    limit = float(np.quantile(np.abs(values), 0.98)) or 1.0
    labels = [run["name"] for run in profiles["runs"]]
    drawing = go.Figure(
        go.Heatmap(z=values, x=names, y=labels, zmin=-limit, zmax=limit, colorscale="RdBu", reversescale=True,
                   colorbar={"title": "nats"}, hovertemplate="%{y}<br>%{x}: %{z:.2f} nats<extra></extra>")
    )  # fmt: skip
    drawing.update_yaxes(autorange="reversed", automargin=True)
    return drawing.update_layout(template="plotly_white", height=180 + 20 * len(labels))


def _context(study: dict[str, Any]) -> go.Figure:
    """What each tower of each run gains as its context grows; a line for each tower."""
    groups = list(dict.fromkeys(row["group"] for row in study["runs"]))
    drawing, shown = go.Figure(), set()
    for row in study["runs"]:
        context = study["context"][row["name"]]
        if not context:
            continue
        color = TOWER_COLORS[groups.index(row["group"]) % len(TOWER_COLORS)]
        label = row["group"] + (", strangers" if row["stranger"] else "")
        for curve in context["curves"]:
            if curve["head"] == "joint":
                continue
            drawing.add_scatter(
                x=[point["context"] for point in curve["points"]],
                y=[point["gain"]["estimate"] for point in curve["points"]],
                name=label, legendgroup=label, showlegend=label not in shown, opacity=0.7,
                line={"color": color, "width": 1.2, "dash": "dot" if row["stranger"] else "solid"},
                hovertext=f"{row['name']}, {curve['head']}",
            )  # fmt: skip
            shown.add(label)
    drawing.update_xaxes(title="tokens of context", type="log")
    drawing.update_yaxes(title="gain over one token of context (nats)")
    return drawing.update_layout(template="plotly_white", height=440, legend={"orientation": "h", "y": -0.2})


def _matrix(agreement: dict[str, Any]) -> go.Figure:
    names = agreement["names"]
    drawing = go.Figure(
        go.Heatmap(z=agreement["r"], x=names, y=names, zmin=-1, zmax=1, colorscale="RdBu", reversescale=True,
                   hovertemplate="%{x}<br>%{y}<br>r = %{z:.2f}<extra></extra>")
    )  # fmt: skip
    drawing.update_yaxes(autorange="reversed", automargin=True)
    drawing.update_xaxes(automargin=True)
    return drawing.update_layout(template="plotly_white", height=260 + 26 * len(names))


def _emergence(study: dict[str, Any]) -> go.Figure:
    """Reliability, spread and saturation of each run, agreement of each group, against tokens; floors thin."""
    groups = list(dict.fromkeys(row["group"] for row in study["runs"]))
    titles = ("reliability", "spread of classes (nats)", "saturation", "agreement between seeds (RMS r)")
    drawing = make_subplots(rows=2, cols=2, subplot_titles=titles, vertical_spacing=0.17)
    shown: set[str] = set()

    def style(one: dict[str, Any]) -> tuple[str, str, str]:
        """Label, colour and dash of a run or of a group."""
        color = TOWER_COLORS[groups.index(one["group"]) % len(TOWER_COLORS)]
        return (one["group"] + ", strangers", color, "dot") if one["stranger"] else (one["group"], color, "solid")

    for row in study["runs"]:
        points = study["emergence"][row["name"]]["evaluations"]
        if not points:
            continue
        label, color, dash = style(row)
        tokens = [point["tokens"] for point in points]
        for column, (kind, key) in enumerate(_CURVES, start=1):
            values = [(point[kind] or {}).get(key) for point in points]
            drawing.add_scatter(
                x=tokens, y=values, name=label, legendgroup=label, line={"color": color, "dash": dash, "width": 1.6},
                showlegend=column == 1 and label not in shown, hovertext=row["name"], **_cell(column),
            )  # fmt: skip
            if kind == "saturation":
                continue
            floors = [((point[kind] or {}).get("noise_floor") or {}).get(key) for point in points]
            drawing.add_scatter(
                x=tokens, y=floors, legendgroup=label, line={"color": color, "width": 0.6}, opacity=0.5,
                showlegend=False, hovertext=f"{row['name']}: noise floor", **_cell(column),
            )  # fmt: skip
        shown.add(label)
    for one in study["consistency"]:
        label, color, dash = style(one)
        points = one["evaluations"]
        tokens = [point["tokens"] for point in points]
        drawing.add_scatter(
            x=tokens, y=[point["estimate"] for point in points], legendgroup=label, showlegend=False, name=label,
            line={"color": color, "dash": dash, "width": 2}, **_cell(4),
            error_y={"type": "data", "symmetric": False, "thickness": 0.8,
                     "array": [point["high"] - point["estimate"] for point in points],
                     "arrayminus": [point["estimate"] - point["low"] for point in points]},
        )  # fmt: skip
        drawing.add_scatter(
            x=tokens, y=[point["chance"] for point in points], legendgroup=label, showlegend=False, opacity=0.5,
            line={"color": color, "width": 0.6}, hovertext=f"{label}: by chance", **_cell(4),
        )  # fmt: skip
    drawing.add_hline(y=0.1, line_dash="dash", line_color="#999999", **_cell(3))
    drawing.update_xaxes(title="tokens")
    return drawing.update_layout(template="plotly_white", height=760, legend={"orientation": "h", "y": -0.1})


def _cell(number: int) -> dict[str, int]:
    """Row and column of the panel of this number, from 1, two to a row."""
    return {"row": (number + 1) // 2, "col": 2 - number % 2}


_CURVES = (("reliability", "estimate"), ("spread", "estimate"), ("saturation", "estimate"))


def _doses(doses: list[dict[str, Any]]) -> go.Figure:
    """Reliability and spread of each run against each setting that varies."""
    titles = [f"{dose['preset']}: {figure}" for dose in doses for figure in ("reliability", "spread")]
    drawing = make_subplots(rows=len(doses), cols=2, subplot_titles=titles)
    for row, dose in enumerate(doses, start=1):
        for column, kind in enumerate(("reliability", "spread"), start=1):
            drawing.add_scatter(
                x=[point["dose"] for point in dose["points"]], y=[point[kind] for point in dose["points"]],
                hovertext=[point["run"] for point in dose["points"]], mode="markers", showlegend=False,
                marker={"color": TOWER_COLORS[0], "size": 9}, row=row, col=column,
            )  # fmt: skip
            drawing.update_xaxes(title=dose["setting"], row=row, col=column)
    return drawing.update_layout(template="plotly_white", height=120 + 300 * len(doses))
