"""Meanings of words: what the page shows of this instrument."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from ..style import TOWER_COLORS
from .marks import FLOOR, JOINT, LINE, NARROW, dots, legend, tall
from .record import Instrument, Picture, Table, each, figure, last_views


def _norm(name: str) -> str:
    return name.replace("_", " ")


def _difference(rows: list[dict[str, Any]]) -> str:
    """The difference of the first two towers in the last layer."""
    return figure(max(rows, key=lambda row: row["layer"])) if rows else "–"


def _series(views: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    named = {f"tower {view['tower']}": view for view in last_views(views)}
    return named | {f"untrained {view['tower']}": view for view in last_views(views, trained=False)}


def _has_words(found: dict[str, Any]) -> bool:
    rows = [*found["similarity"], *(found.get("norms") or {"norms": []})["norms"]]
    return any(last_views(one["views"]) for one in rows)


def _sentences(found: dict[str, Any]) -> list[str]:
    counts = found["words"]
    said = [
        f"{counts['covered']:,} of the {counts['asked']:,} words that were asked for occur at least "
        f"{counts['least_occurrences']} times in the training text."
    ]
    for one in found["similarity"]:
        views = last_views(one["views"])
        if not views:
            said.append(f"{one['set']}: only {one['covered']} of {one['total']} pairs are covered, too few to measure.")
            continue
        if any(view["null"]["high"] is None for view in views):
            said.append(f"{one['set']}: its ratings are all alike, so there is nothing to measure.")
            continue
        bound = max(view["null"]["high"] for view in views)
        said.append(
            f"Word similarity, {one['set']} ({one['covered']} of {one['total']} pairs): the rank correlation with "
            f"people's ratings is {each(views)} in the last layers of the towers; shuffled words reach {bound:.2f}."
        )
    for one in (found.get("norms") or {"norms": []})["norms"]:
        views = last_views(one["views"])
        if one["norm"] in ("concreteness", "age_of_acquisition") and views:
            said.append(
                f"{_norm(one['norm']).capitalize()} of {one['words']:,} words: the last layers of the towers explain "
                f"{each(views)} of its variance; frequency and length explain {figure(one['baseline'])}."
            )
    return said


def _tables(found: dict[str, Any]) -> list[Table]:
    tables = []
    sets = [one for one in found["similarity"] if one["views"]]
    if sets:
        towers = [view["tower"] for view in last_views(sets[0]["views"])]
        head = ["set", "pairs", "shared embedding", *(f"tower {k}" for k in towers), "difference", "untrained"]
        rows = []
        for one in sets:
            shared = next(view for view in one["views"] if view["tower"] == 0 and view["trained"])
            floor = ", ".join(f"{view['estimate']:.2f}" for view in last_views(one["views"], trained=False))
            rows.append([one["set"], f"{one['covered']} of {one['total']}", figure(shared),
                         *map(figure, last_views(one["views"])), _difference(one["differences"]), floor])  # fmt: skip
        tables.append(Table("Correlation with people's ratings of similarity, last layers", head, rows))
    norms = [one for one in (found.get("norms") or {"norms": []})["norms"] if one["views"]]
    if norms:
        towers = [view["tower"] for view in last_views(norms[0]["views"])]
        head = ["norm", "words", "frequency and length", *(f"tower {k}" for k in towers),
                *(f"tower {k} beyond these" for k in towers), "difference"]  # fmt: skip
        rows = [
            [one["norm"].replace("_", " "), f"{one['words']:,}", figure(one["baseline"]),
             *map(figure, last_views(one["views"])),
             *(figure(view["beyond_baseline"]) for view in last_views(one["views"])), _difference(one["differences"])]
            for one in norms
        ]  # fmt: skip
        tables.append(Table("Share of the variance of norms that is predicted (R²), last layers", head, rows))
    return tables


def _draw(found: dict[str, Any], figure: Figure) -> None:
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
    tall(figure, sum(len(rows) for _, rows in panels) + 3 if narrow else longest)
    shape = (len(panels), 1) if narrow else (1, len(panels))
    towers = [view["tower"] for view in last_views((similarity or norms)[0]["views"])]
    for axes, (label, rows) in zip(figure.subplots(*shape, squeeze=False).ravel(), panels, strict=True):
        axes.axvline(0.0, color=LINE, linewidth=0.8, linestyle="--")
        marks = {f"tower {k}": (f"tower {k}", TOWER_COLORS[k - 1], "o") for k in towers}
        marks |= {f"untrained {k}": ("untrained", FLOOR, "x") for k in towers}
        if label.startswith("R²"):
            marks["floor"] = ("frequency and length", JOINT, "s")
        dots(axes, rows, marks)
        axes.set_xlabel(label)
    legend(figure)


SHOWN = Instrument(
    name="words",
    title="Meanings of words",
    how=(
        "A word is the mean state of its occurrences in the last layer of a tower, or its vector in the shared "
        "embedding. Cosines of words are compared with people's ratings of similarity; ridge regression predicts "
        "norms such as concreteness for words that it was not fitted on. The difference is tower 1 minus tower 2."
    ),
    sentences=_sentences,
    tables=_tables,
    picture=Picture("Word similarity and norms of words as each tower sees them", _draw, _has_words),
)
