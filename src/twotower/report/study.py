"""The page of a study: three answers, the agreement matrix, the emergence, and a table of its runs."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ..preference.direction import divides
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


def conclusions(study: dict[str, Any]) -> list[str]:
    """The answers to the paper's claims C1 to C3, each with its figures and its null."""
    rows = [row for row in study["runs"] if not row["stranger"] and row["reliability"]["low"] is not None]
    strangers = [row for row in study["runs"] if row["stranger"] and row["reliability"]["low"] is not None]
    consistent = _consistent(study["agreement"], study["agreement_of_strangers"])
    return [_reliable(rows, strangers), consistent, _linguistic(rows, strangers)]


def _reliable(rows: list[dict[str, Any]], strangers: list[dict[str, Any]]) -> str:
    def reliabilities(some: list[dict[str, Any]]) -> str:
        return _range([row["reliability"]["estimate"] for row in some])

    beyond = sum(row["reliability"]["low"] > (row["reliability"]["noise_floor"]["high"] or 1) for row in rows)
    floors = _range([row["reliability"]["noise_floor"]["estimate"] for row in rows])
    text = (
        f"C1, is there a preference? In {beyond} of {len(rows)} runs it is more reliable than its noise floor, "
        f"interval against interval (reliability {reliabilities(rows)}, noise floors {floors}; sd "
        f"{_range([row['sd'] for row in rows])} nats)"
    )
    if strangers:
        spread = _range([row["sd"] for row in strangers])
        text += f"; strangers, which do not cooperate, have {reliabilities(strangers)} and sd {spread} nats"
    return text + "."


def _consistent(found: dict[str, Any] | None, strangers: dict[str, Any] | None) -> str:
    if found is None:
        return "C2, is it consistent? One run of two towers says nothing of it: give more seeds or presets."
    text = (
        f"C2, is it consistent? Mean correlation of the preferences of {found['types']:,} {found['shared']} between "
        f"runs, signs aligned; {_groups(found)}"
    )
    if strangers:
        text += f". Strangers: {_groups(strangers)}"
    return text + "."


def _groups(found: dict[str, Any]) -> str:
    return "; ".join(
        f"{name}: r = {group['estimate']:.2f} [{group['low']:.2f}, {group['high']:.2f}], p = {group['p_value']:.2g}, "
        f"{group['null_mean']:.2f} by chance ({group['pairs']} pair{'s' * (group['pairs'] != 1)})"
        for name, group in found["groups"].items()
    )


def _linguistic(rows: list[dict[str, Any]], strangers: list[dict[str, Any]]) -> str:
    rows = [row for row in rows if row["separation"]["auroc"] is not None]
    if not rows:
        return "C3, does it follow syntax and semantics? No run has enough types of both classes."
    beyond = sum(row["separation"]["low"] > row["separation"]["noise_floor"]["high"] for row in rows)
    by_direction = [row for row in rows if row["direction"] and divides(row["direction"])]
    text = (
        f"C3, does it follow syntax and semantics? In {beyond} of {len(rows)} runs preference separates function from "
        f"content types of like frequency further than the noise floor does (AUROC "
        f"{_range([row['separation']['auroc'] for row in rows])}, noise floors "
        f"{_range([row['separation']['noise_floor']['auroc'] for row in rows])})"
    )
    if strangers:
        text += f"; strangers have {_range([row['separation']['auroc'] for row in strangers])}"
    if by_direction:
        text += (
            f". In {len(by_direction)} of them the towers divide the work by reading direction, and there a separation "
            "is no evidence by itself"
        )
    return text + "."


def _range(values: list[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.2f}" if len(values) == 1 else f"{low:.2f} to {high:.2f}"
