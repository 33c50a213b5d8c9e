"""Meanings of words: what the page shows of this instrument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite, nan

from matplotlib.figure import Figure

from ...knowledge.findings.views import LayerDifference
from ...knowledge.findings.words import NormOfView, NormOfWords, SetOfWords, SimilarityOfView, Words
from ...statistics.intervals import Interval
from ..numbers import figure, fixed
from ..style import TOWER_COLORS
from .marks import FLOOR, JOINT, LINE, NARROW, dots, legend, tall
from .record import Instrument, Picture, Table, each, last_views


def _norm(name: str) -> str:
    return name.replace("_", " ")


def _difference(rows: Sequence[LayerDifference] | None) -> str:
    """The difference of the first two towers in the last layer."""
    return figure(max(rows, key=lambda row: row.layer)) if rows else "–"


def _series(rated: SetOfWords | NormOfWords) -> dict[str, Interval]:
    """The last layers of the towers, trained and untrained, by what the figure calls them."""
    named: dict[str, Interval] = {f"tower {view.tower}": view for view in _last(rated)}
    return named | {f"untrained {view.tower}": view for view in _last(rated, trained=False)}


def _last(rated: SetOfWords | NormOfWords, trained: bool = True) -> list[SimilarityOfView | NormOfView]:
    views: Sequence[SimilarityOfView | NormOfView] = rated.views
    return last_views(views, trained)


def _norms(words: Words) -> list[NormOfWords]:
    """The norms that could be predicted."""
    return [norm for norm in words.norms.norms if norm.views] if words.norms else []


def _has_words(words: Words) -> bool:
    return any(map(_last, words.similarity)) or any(map(_last, _norms(words)))


def _sentences(words: Words) -> list[str]:
    counts = words.words
    lines = [
        f"{counts.covered:,} of the {counts.asked:,} words that were asked for occur at least "
        f"{counts.least_occurrences} times in the training text."
    ]
    for rated in words.similarity:
        views = last_views(rated.views)
        if not views:
            lines.append(f"{rated.set}: only {rated.covered} of {rated.total} pairs are covered, too few to measure.")
            continue
        if not all(isfinite(view.null.high) for view in views):
            lines.append(f"{rated.set}: its ratings are all alike, so there is nothing to measure.")
            continue
        bound = max(view.null.high for view in views)
        lines.append(
            f"Word similarity, {rated.set} ({rated.covered} of {rated.total} pairs): the rank correlation with "
            f"people's ratings is {each(views)} in the last layers of the towers; shuffled words reach {fixed(bound)}."
        )
    for norm in _norms(words):
        if norm.norm in ("concreteness", "age_of_acquisition"):
            lines.append(
                f"{_norm(norm.norm).capitalize()} of {norm.words:,} words: the last layers of the towers explain "
                f"{each(last_views(norm.views))} of its variance; frequency and length explain {figure(norm.baseline)}."
            )
    return lines


def _tables(words: Words) -> list[Table]:
    tables = []
    sets = [rated for rated in words.similarity if rated.views]
    if sets:
        towers = [view.tower for view in last_views(sets[0].views)]
        head = ["set", "pairs", "shared embedding", *(f"tower {k}" for k in towers), "difference", "untrained"]
        rows = []
        for rated in sets:
            shared = next(view for view in rated.views if view.tower == 0 and view.trained)
            floor = ", ".join(fixed(view.estimate) for view in last_views(rated.views, trained=False))
            rows.append([rated.set, f"{rated.covered} of {rated.total}", figure(shared),
                         *map(figure, last_views(rated.views)), _difference(rated.differences), floor])  # fmt: skip
        tables.append(Table("Correlation with people's ratings of similarity, last layers", head, rows))
    norms = _norms(words)
    if norms:
        towers = [view.tower for view in last_views(norms[0].views)]
        head = ["norm", "words", "frequency and length", *(f"tower {k}" for k in towers),
                *(f"tower {k} beyond these" for k in towers), "difference"]  # fmt: skip
        rows = [
            [_norm(norm.norm), f"{norm.words:,}", figure(norm.baseline), *map(figure, last_views(norm.views)),
             *(figure(view.beyond_baseline) for view in last_views(norm.views)), _difference(norm.differences)]
            for norm in norms
        ]  # fmt: skip
        tables.append(Table("Share of the variance of norms that is predicted (R²), last layers", head, rows))
    return tables


def _draw(words: Words, figure: Figure) -> None:
    """Word similarity and norms: the last layers of the towers beside what knows nothing of meaning."""
    similarity = [rated for rated in words.similarity if rated.views]
    norms = _norms(words)
    panels: list[tuple[str, list[tuple[str, dict[str, Interval]]]]] = []
    if similarity:
        panels.append(("rank correlation with ratings", [
            (rated.set, _series(rated) | {"floor": replace(rated.views[0].null, estimate=nan)}) for rated in similarity
        ]))  # fmt: skip
    if norms:
        panels.append(("R² of the norm", [
            (_norm(norm.norm), _series(norm) | ({"floor": norm.baseline} if norm.baseline else {})) for norm in norms
        ]))  # fmt: skip
    narrow = figure.get_figwidth() < NARROW
    longest = max(len(rows) for _, rows in panels)
    tall(figure, sum(len(rows) for _, rows in panels) + 3 if narrow else longest)
    shape = (len(panels), 1) if narrow else (1, len(panels))
    towers = [view.tower for view in (_last(similarity[0]) if similarity else _last(norms[0]))]
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
