"""The page of a run's controls: the same statistics, drawn beside each other."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from .summary import figure
from .templating import fill, fragment

RUN_COLOR, CONTROL_COLOR = "#7b3fa0", "#667085"


def render(title: str, rows: list[dict[str, Any]]) -> str:
    """The page; `rows` as `comparison.controls.compare` gives them, the run first."""
    return fill(
        "controls.html.j2",
        title=title,
        rows=rows,
        sentences=conclusions(rows),
        figure=figure,
        forest=fragment("controls", _forest(rows)),
    )


def _forest(rows: list[dict[str, Any]]) -> go.Figure:
    """Reliability and separation of the run and of each control, with intervals and noise floors."""
    drawing = make_subplots(rows=1, cols=2, shared_yaxes=True, subplot_titles=("reliability", "separation (AUROC)"))
    names = [row["name"] for row in rows][::-1]
    for column, (kind, key) in enumerate((("reliability", "estimate"), ("separation", "auroc")), start=1):
        shown = [row for row in rows if row[kind][key] is not None and row[kind]["low"] is not None]
        for label, color, symbol in (("noise floor", "#b9bec7", "line-ns-open"), ("preference", RUN_COLOR, "circle")):
            values = [row[kind] if label == "preference" else row[kind]["noise_floor"] for row in shown]
            drawing.add_scatter(
                x=[value[key] for value in values], y=[row["name"] for row in shown], mode="markers", name=label,
                marker={"symbol": symbol, "size": 10, "color": [
                    CONTROL_COLOR if label == "preference" and row["name"] != "run" else color for row in shown
                ]},
                error_x={"type": "data", "symmetric": False, "color": color,
                         "array": [(value["high"] or value[key]) - value[key] for value in values],
                         "arrayminus": [value[key] - (value["low"] or value[key]) for value in values]},
                showlegend=column == 1, row=1, col=column,
            )  # fmt: skip
    drawing.update_yaxes(categoryorder="array", categoryarray=names)
    drawing.add_vline(x=0.5, line_dash="dash", line_color="#999999", row=1, col=2)
    return drawing.update_layout(
        template="plotly_white", height=120 + 55 * len(rows), legend={"orientation": "h", "y": -0.2}
    )


def conclusions(rows: list[dict[str, Any]]) -> list[str]:
    """What the controls say, in plain language, each sentence with its figures."""
    by_name = {row["name"]: row for row in rows}
    run = by_name["run"]
    said = []
    for name in ("half-trained", "strangers", "shuffled", "unigram", "forwards"):
        if name in by_name:
            said.append(_against(run, by_name[name]))
    if "single" in by_name:
        said.append(_single(run, by_name["single"]))
    return said


def _against(run: dict[str, Any], control: dict[str, Any]) -> str:
    mine, other = run["separation"], control["separation"]
    head = f"{control['name'].capitalize()} ({control['meaning']}): "
    if None in (mine["auroc"], other["auroc"], mine["low"], other["high"]):
        return head + "separation cannot be compared: too little text, or no type of one of the classes."
    text = (
        f"{head}separation {figure(other, 'auroc')} against {figure(mine, 'auroc')}, reliability "
        f"{figure(control['reliability'])} against {figure(run['reliability'])}, sd {control['sd']:.2f} against "
        f"{run['sd']:.2f} nats"
    )
    if mine["low"] > other["high"]:
        return text + ": the run separates function from content words further than this control."
    return text + ": the run does not clearly separate function from content words further than this control."


def _single(run: dict[str, Any], control: dict[str, Any]) -> str:
    pair, alone = run["perplexity"], control["perplexity"]
    each = ", ".join(f"{value:.0f}" for value in pair["towers"])
    return (
        f"Single ({control['meaning']}: {control['parameters']:,} against {run['parameters']:,}): perplexity "
        f"{alone['joint']:.0f} against {pair['joint']:.0f} for all towers together, and {alone['towers'][0]:.0f} under "
        f"a readout against {each} for each of them alone."
    )
