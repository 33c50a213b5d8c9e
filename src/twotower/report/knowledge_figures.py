"""The figures of "What each tower knows", for the page and for papers."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .known import TASKS, last_views
from .style import ALL_COLOR, TOWER_COLORS, ZERO_COLOR

JOINT, FLOOR, LINE = ALL_COLOR, ZERO_COLOR, ZERO_COLOR
ROWS = 45
"""Rows of a figure at most: more cannot be read; the tables have them all."""
NARROW = 5.0
"""Inches below which panels stand below each other."""


def figures_of(results: dict[str, Any]) -> dict[str, Callable[[Figure], None]]:
    """By name, what draws each figure that the results have data for."""
    known = results.get("knowledge") or {}
    found = {}
    for name, (has, draw) in FIGURES.items():
        if known.get(name) and has(known[name]):
            found[f"knowledge_{name}"] = _bound(draw, known[name])
    return found


def _bound(draw: Callable[[dict[str, Any], Figure], None], found: dict[str, Any]) -> Callable[[Figure], None]:
    return lambda figure: draw(found, figure)


def _color(head: str) -> str:
    return TOWER_COLORS[int(head.split()[-1]) - 1] if head.startswith("tower") else JOINT if head == "joint" else FLOOR


def _dots(axes: Any, rows: list[tuple[str, dict[str, dict[str, Any]]]], marks: dict[str, tuple[str, str, str]]) -> None:
    """A row for each name, and in it a mark with its interval for each series; the first row is on top.

    `marks`: for each series its label, colour and marker.
    """
    height = 0.7 / max(1, len(marks))
    for place, (series, (label, color, marker)) in enumerate(marks.items()):
        known = [(number, one[series]) for number, (_, one) in enumerate(rows)
                 if one.get(series) and one[series].get("estimate") is not None]  # fmt: skip
        at = [-number + 0.35 - height * (place + 0.5) for number, _ in known]
        middles = [one["estimate"] for _, one in known]
        bars = [
            [max(0.0, one["estimate"] - _or(one["low"], one["estimate"])) for _, one in known],
            [max(0.0, _or(one["high"], one["estimate"]) - one["estimate"]) for _, one in known],
        ]
        axes.errorbar(
            middles,
            at,
            xerr=bars if known else None,
            fmt=marker,
            color=color,
            markersize=3.5,
            elinewidth=0.9,
            label=label,
        )
    narrow = axes.figure.get_figwidth() < NARROW
    names = [textwrap.shorten(name, 30, placeholder=" …") if narrow else name for name, _ in rows]
    axes.set_yticks([-number for number in range(len(rows))], names, fontsize=6 if narrow else 7.5)
    axes.set_ylim(-len(rows) + 0.4, 0.6)


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def _tall(figure: Figure, rows: int) -> None:
    figure.set_size_inches(figure.get_figwidth(), max(2.4, 0.24 * rows + 1.2))


def _legend(figure: Figure) -> None:
    found: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    columns = 2 if figure.get_figwidth() < NARROW else 4
    figure.legend(list(found.values()), list(found), loc="outside upper left", ncols=min(columns, len(found)))


def _pairs(found: dict[str, Any], figure: Figure) -> None:
    """Accuracy by paradigm: syntax first, best on top."""
    listed = sorted(
        found["paradigms"], key=lambda one: (one["kind"] != "syntax", -one["accuracy"]["joint"]["estimate"])
    )
    rows = [
        (f"{one['paradigm'].replace('_', ' ')} ({one['kind']})", one["accuracy"]) for one in listed[:ROWS]
    ]  # fmt: skip
    _tall(figure, len(rows))
    axes = figure.add_subplot()
    axes.axvline(0.5, color=LINE, linewidth=0.8, linestyle="--")
    names = {"joint": "all towers together", "frequency": "frequencies alone"}
    _dots(axes, rows, {
        head: (names.get(head, head), _color(head), "x" if head == "frequency" else "o") for head in found["heads"]
    })  # fmt: skip
    axes.set_xlabel("accuracy (dashed: chance)")
    _legend(figure)


def _probe(found: dict[str, Any], figure: Figure) -> None:
    """UUAS and DSpr by layer."""
    _by_layer(figure, [("UUAS", found["views"], "uuas"), ("DSpr", found["views"], "dspr")],
              {"linear order": [found["linear_order"][name] for name in ("uuas", "dspr")]})  # fmt: skip


def _decoding(found: dict[str, Any], figure: Figure) -> None:
    """Selectivity by layer, task by task."""
    tasks = [(TASKS.get(name, name), task) for name, task in found["tasks"].items() if not task.get("left_out")]
    _by_layer(figure, [(f"selectivity: {name}", task["views"], "selectivity") for name, task in tasks], {})


def _by_layer(
    figure: Figure, panels: list[tuple[str, list[dict[str, Any]], str]], lines: dict[str, list[dict[str, Any]]]
) -> None:
    """A curve for each tower over its layers, trained and untrained, and the shared embedding as a line.

    `panels`: for each its label, its views and the measure; `lines`: further controls, a figure for each panel.
    """
    columns = 1 if figure.get_figwidth() < NARROW else 2
    rows = -(-len(panels) // columns)
    figure.set_size_inches(figure.get_figwidth(), 2.5 * rows + 0.5)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in grid[len(panels) :]:
        unused.remove()
    for place, (axes, (label, views, measure)) in enumerate(zip(grid, panels, strict=False)):
        for tower in sorted({view["tower"] for view in views if view["tower"]}):
            for trained in (True, False):
                mine = [view for view in views if view["tower"] == tower and view["trained"] == trained]
                x = [view["layer"] for view in mine]
                low, middle, high = ([_nan(view[measure][key]) for view in mine] for key in ("low", "estimate", "high"))
                name, style = (f"tower {tower}", "-") if trained else (f"tower {tower}, untrained", ":")
                axes.plot(x, middle, style, marker="o", markersize=3, color=TOWER_COLORS[tower - 1], label=name)
                if trained:
                    axes.fill_between(x, low, high, color=TOWER_COLORS[tower - 1], alpha=0.15, linewidth=0)
        shared = [view for view in views if not view["tower"] and view["trained"]]
        levels = [("shared embedding", view[measure]) for view in shared[:1]]
        levels += [(name, figures[place]) for name, figures in lines.items()]
        for (name, values), style in zip(levels, ("--", "-."), strict=False):
            axes.axhline(_nan(values["estimate"]), color=LINE, linewidth=0.9, linestyle=style, label=name)
        axes.set(xlabel="layer", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(figure)


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _words(found: dict[str, Any], figure: Figure) -> None:
    """Word similarity and norms: the last layers of the towers beside what knows nothing of meaning."""
    similarity = [one for one in found["similarity"] if one["views"]]
    norms = [one for one in (found.get("norms") or {"norms": []})["norms"] if one["views"]]
    panels: list[tuple[str, list[tuple[str, dict[str, Any]]]]] = []
    if similarity:
        panels.append(("rank correlation with ratings", [
            (one["set"], _series(one["views"]) | {"floor": one["views"][0]["null"] | {"estimate": None}})
            for one in similarity
        ]))  # fmt: skip
    if norms:
        panels.append(("R² of the norm", [
            (one["norm"].replace("_", " "), _series(one["views"]) | {"floor": one["baseline"]}) for one in norms
        ]))  # fmt: skip
    narrow = figure.get_figwidth() < NARROW
    longest = max(len(rows) for _, rows in panels)
    _tall(figure, sum(len(rows) for _, rows in panels) + 3 if narrow else longest)
    shape = (len(panels), 1) if narrow else (1, len(panels))
    towers = [view["tower"] for view in last_views((similarity or norms)[0]["views"])]
    for axes, (label, rows) in zip(figure.subplots(*shape, squeeze=False).ravel(), panels, strict=True):
        axes.axvline(0.0, color=LINE, linewidth=0.8, linestyle="--")
        marks = {f"tower {k}": (f"tower {k}", TOWER_COLORS[k - 1], "o") for k in towers}
        marks |= {f"untrained {k}": ("untrained", FLOOR, "x") for k in towers}
        if label.startswith("R²"):
            marks["floor"] = ("frequency and length", JOINT, "s")
        _dots(axes, rows, marks)
        axes.set_xlabel(label)
    _legend(figure)


def _series(views: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    named = {f"tower {view['tower']}": view for view in last_views(views)}
    return named | {f"untrained {view['tower']}": view for view in last_views(views, trained=False)}


def _similarity(found: dict[str, Any], figure: Figure) -> None:
    """CKA of all layers with each other, of the trained and of the untrained towers."""
    names = [f"{view['tower']}.{view['layer']}" for view in found["views"]]
    narrow = figure.get_figwidth() < NARROW
    figure.set_size_inches(figure.get_figwidth(), 5.6 if narrow else 3.4)
    panels = [("trained", found["cka"]["estimate"]), ("untrained", found["untrained"]["cka"]["estimate"])]
    shape = (2, 1) if narrow else (1, 2)
    size = 7 if len(names) <= 12 else 5
    for axes, (label, matrix) in zip(figure.subplots(*shape).ravel(), panels, strict=True):
        values = np.array([[np.nan if one is None else one for one in row] for row in matrix], dtype=float)
        drawn = axes.imshow(values, vmin=0, vmax=1, cmap="viridis")
        axes.set(title=label, xticks=range(len(names)), yticks=range(len(names)))
        axes.set_xticklabels(names, fontsize=size, rotation=90)
        axes.set_yticklabels(names, fontsize=size)
        axes.spines[:].set_visible(False)
        if len(names) <= 12:
            for row, column in np.ndindex(values.shape):
                value = values[row, column]
                text = "" if np.isnan(value) else f"{value:.2f}".replace("0.", ".", 1)
                axes.text(
                    column,
                    row,
                    text,
                    ha="center",
                    va="center",
                    fontsize=5,
                    color="#1d2330" if value > 0.6 else "#ffffff",
                )
    figure.colorbar(drawn, ax=figure.axes, label="CKA (tower.layer)", shrink=0.8)


def _lesions(found: dict[str, Any], figure: Figure) -> None:
    """Nats lost by word class without each tower."""
    means = [row for row in found["upos"]["lesions"] if row["way"] == "mean"]
    by_tower = {f"tower {row['tower']}": {one["class"]: one["loss"] for one in row["classes"]} for row in means}
    first = next(iter(by_tower.values()))
    order = sorted(first, key=lambda name: -(first[name]["estimate"] or 0))
    rows = [(name, {tower: losses[name] for tower, losses in by_tower.items() if name in losses}) for name in order]
    _tall(figure, len(rows))
    axes = figure.add_subplot()
    axes.axvline(0.0, color=LINE, linewidth=0.8, linestyle="--")
    _dots(axes, rows, {tower: (f"without {tower}", _color(tower), "o") for tower in by_tower})
    axes.set_xlabel("nats lost per token")
    _legend(figure)


def _has_words(found: dict[str, Any]) -> bool:
    rows = [*found["similarity"], *(found.get("norms") or {"norms": []})["norms"]]
    return any(last_views(one["views"]) for one in rows)


def _has_lesions(found: dict[str, Any]) -> bool:
    rows = (found.get("upos") or {}).get("lesions", [])
    return any(row["way"] == "mean" and row["classes"] for row in rows)


Draw = Callable[[dict[str, Any], Figure], None]
FIGURES: dict[str, tuple[Callable[[dict[str, Any]], bool], Draw]] = {
    "pairs": (lambda found: bool(found["paradigms"]), _pairs),
    "probe": (lambda found: bool(found["views"]), _probe),
    "decoding": (lambda found: any(not task.get("left_out") for task in found["tasks"].values()), _decoding),
    "words": (_has_words, _words),
    "lesions": (_has_lesions, _lesions),
    "similarity": (lambda found: bool(found["views"]), _similarity),
}
"""For each instrument whether there is anything to draw, and what draws it."""
LABELS = {
    "knowledge_pairs": "Accuracy on minimal pairs by paradigm, of all towers together and of each",
    "knowledge_probe": "How much of dependency trees each layer of each tower holds",
    "knowledge_decoding": "Selectivity of linear classifiers on each layer of each tower",
    "knowledge_words": "Word similarity and norms of words as each tower sees them",
    "knowledge_lesions": "Nats lost by word class without each tower",
    "knowledge_similarity": "CKA of every layer with every other, trained and untrained",
}
"""What each figure shows, for those who cannot see it."""
