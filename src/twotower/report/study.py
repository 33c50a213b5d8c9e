"""The page of a study: three answers, then what each rests on, and a table of its runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ..preference.direction import divides
from .contents import TOWER_COLORS
from .summary import beyond_floor, figure, tells_part_of_speech
from .templating import fill, fragment

LINKS = ("strangers", "agreement", "classes")
"""Where the table of each claim is on the page."""


def render(title: str, study: dict[str, Any]) -> str:
    """The page; `study` is what `study.json` holds."""
    drawings = {"emergence": _emergence(study)}
    if study["agreement"]:
        drawings["agreement"] = _matrix(study["agreement"])
    if study["doses"]:
        drawings["doses"] = _doses(study["doses"])
    return fill(
        "study.html.j2",
        title=title,
        answers=list(zip(conclusions(study), LINKS, strict=True)),
        study=study,
        figure=figure,
        number=_number,
        q_values={(test["family"], test["name"]): test["q_value"] for test in study["tests"]},
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
    """Reliability, separation and saturation of each run, agreement of each group, against tokens; floors thin."""
    groups = list(dict.fromkeys(row["group"] for row in study["runs"]))
    titles = ("reliability", "separation (AUROC)", "saturation", "agreement between seeds (aligned r)")
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
            x=tokens, y=[point["null_mean"] for point in points], legendgroup=label, showlegend=False, opacity=0.5,
            line={"color": color, "width": 0.6}, hovertext=f"{label}: by chance", **_cell(4),
        )  # fmt: skip
    drawing.add_hline(y=0.5, line_dash="dash", line_color="#999999", **_cell(2))
    drawing.add_hline(y=0.1, line_dash="dash", line_color="#999999", **_cell(3))
    drawing.update_xaxes(title="tokens")
    return drawing.update_layout(template="plotly_white", height=760, legend={"orientation": "h", "y": -0.1})


def _cell(number: int) -> dict[str, int]:
    """Row and column of the panel of this number, from 1, two to a row."""
    return {"row": (number + 1) // 2, "col": 2 - number % 2}


_CURVES = (("reliability", "estimate"), ("separation", "auroc"), ("saturation", "estimate"))


def _doses(doses: list[dict[str, Any]]) -> go.Figure:
    """Reliability and separation of each run against each setting that varies."""
    titles = [f"{dose['preset']}: {figure}" for dose in doses for figure in ("reliability", "separation")]
    drawing = make_subplots(rows=len(doses), cols=2, subplot_titles=titles)
    for row, dose in enumerate(doses, start=1):
        for column, kind in enumerate(("reliability", "separation"), start=1):
            drawing.add_scatter(
                x=[point["dose"] for point in dose["points"]], y=[point[kind] for point in dose["points"]],
                hovertext=[point["run"] for point in dose["points"]], mode="markers", showlegend=False,
                marker={"color": TOWER_COLORS[0], "size": 9}, row=row, col=column,
            )  # fmt: skip
            drawing.update_xaxes(title=dose["setting"], row=row, col=column)
    return drawing.update_layout(template="plotly_white", height=120 + 300 * len(doses))


def conclusions(study: dict[str, Any]) -> list[str]:
    """The answers to the paper's claims C1 to C3, each with its figures and its null."""
    rows = [row for row in study["runs"] if not row["stranger"] and row["reliability"]["low"] is not None]
    strangers = [row for row in study["runs"] if row["stranger"] and row["reliability"]["low"] is not None]
    consistent = _consistent(study["agreement"], study["agreement_of_strangers"])
    return [
        _reliable(rows, strangers, study["excess_over_strangers"]),
        consistent,
        _linguistic(rows, strangers, study),
    ]


def _reliable(rows: list[dict[str, Any]], strangers: list[dict[str, Any]], excess: list[dict[str, Any]]) -> str:
    if not rows:
        return "C1, is there a preference? No run has enough text for a reliability with its interval."

    def reliabilities(some: list[dict[str, Any]]) -> str:
        return _range([row["reliability"]["estimate"] for row in some])

    beyond = sum(beyond_floor(row["reliability"]) for row in rows)
    floors = _range([row["reliability"]["noise_floor"]["estimate"] for row in rows])
    text = (
        f"C1, is there a preference? In {beyond} of {len(rows)} runs it is more reliable than its noise floor, "
        f"interval against interval (reliability {reliabilities(rows)}, noise floors {floors}; sd "
        f"{_range([row['sd'] for row in rows])} nats)"
    )
    if strangers:
        spread = _range([row["sd"] for row in strangers])
        text += f"; strangers, which do not cooperate, have {reliabilities(strangers)} and sd {spread} nats"
        text += _excesses(excess, "reliability")
    return text + "."


def _excesses(excess: Iterable[dict[str, Any]], kind: str) -> str:
    said = [
        f"{one['group']} {figure(one)}" + (f", p = {one['p_value']:.2g}" if one["p_value"] is not None else "")
        for one in excess
        if one["figure"] == kind
    ]
    return f" (excess over strangers: {'; '.join(said)})" if said else ""


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


def _linguistic(rows: list[dict[str, Any]], strangers: list[dict[str, Any]], study: dict[str, Any]) -> str:
    rows = [row for row in rows if row["separation"]["auroc"] is not None]
    strangers = [row for row in strangers if row["separation"]["auroc"] is not None]
    if not rows:
        return "C3, does it follow syntax and semantics? No run has enough types of both classes."
    beyond = sum(beyond_floor(row["separation"]) for row in rows)
    by_direction = [row for row in rows if row["direction"] and divides(row["direction"])]
    text = (
        f"C3, does it follow syntax and semantics? In {beyond} of {len(rows)} runs preference separates function from "
        f"content types of like frequency further than the noise floor does (AUROC "
        f"{_range([row['separation']['auroc'] for row in rows])}, noise floors "
        f"{_range([row['separation']['noise_floor']['auroc'] for row in rows])})"
    )
    if strangers:
        text += f"; strangers have {_range([row['separation']['auroc'] for row in strangers])}"
        text += _excesses(study["excess_over_strangers"], "separation")
    text += _told(rows, strangers)
    text += _class_effects(study["class_effects"])
    if by_direction:
        text += (
            f". In {len(by_direction)} of them the towers divide the work by reading direction, and there a separation "
            "is no evidence by itself"
        )
    return text + "."


def _told(rows: list[dict[str, Any]], strangers: list[dict[str, Any]]) -> str:
    """Part of speech told from preference; empty where no run has it."""
    found = [row["part_of_speech"] for row in rows if row["part_of_speech"]]
    if not found:
        return ""
    beyond = sum(tells_part_of_speech(one) for one in found)
    text = (
        f". In {beyond} of {len(found)} it says more of a type's part of speech than frequency and the noise floor do "
        f"(gain {_range([one['gain']['estimate'] for one in found], 3)} nats per type, noise floors "
        f"{_range([one['noise_floor']['estimate'] for one in found], 3)}"
    )
    others = [row["part_of_speech"]["gain"]["estimate"] for row in strangers if row["part_of_speech"]]
    return text + (f"; strangers {_range(others, 3)})" if others else ")")


def _class_effects(effects: list[dict[str, Any]]) -> str:
    said = [
        f"{effect['group']} {figure(effect['class'])} nats, p = {effect['class']['p_value']:.2g}, "
        f"{_number(effect['between_types'], 3)} of the variance between types"
        for effect in effects
        if not effect["stranger"]
    ]
    return f". Effect of class beyond frequency and length: {'; '.join(said)}" if said else ""


def _range(values: list[float], digits: int = 2) -> str:
    low, high = min(values), max(values)
    return f"{low:.{digits}f}" if len(values) == 1 else f"{low:.{digits}f} to {high:.{digits}f}"


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}" if abs(value) >= 10**-digits else f"{value:.1g}"
