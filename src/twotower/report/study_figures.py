"""The figures of a study, for its page and for papers alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import Any, Literal, TypeVar

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ..comparison.figures import Dose, RunOfStudy
from ..comparison.profiles import Profiles
from ..comparison.study import AgreementOfText, Study
from ..preference.division import CLASS, TOPIC, row_of
from ..preference.emergence import Evaluation
from .division_figure import NAME_WIDTH
from .finding import row_name
from .numbers import figure, fixed
from .sheet import Draw, Sheet, interval, zero
from .style import CONTEXT_AXES, PREFERENCE_COLOR, SOFT, TOWER_COLORS, ZERO_COLOR, class_name

Point = TypeVar("Point")
DIVERGING = LinearSegmentedColormap.from_list("towers", ["#b3500f", "#ffffff", "#306db3"])
"""Of every matrix: white at 0, at the ends nearly the colours of the two towers. Those have other values on a dark
page, where the ends alone would then be paler than what lies before them."""
Dash = Literal["-", ":"]
LEVELS = 21
"""Shades of a matrix: more cannot be told apart, and each is a path of the figure."""
MOST_NAMED = 60
"""The most runs whose names stand at a matrix; more could not be read."""


def drawings(study: Study) -> dict[str, Draw]:
    """By name, the figures that the study has data for."""
    figures: dict[str, Draw] = {"emergence": partial(_emergence, study)}
    if any(row.size for row in study.runs):
        figures["division"] = partial(_division, study)
    if shown := _shown_labels(study):
        figures["labels"] = partial(_labels, study, shown)
    if study.profiles:
        figures["profiles"] = partial(_profiles, study.profiles)
    if any(study.context.values()):
        figures["context"] = partial(_context, study)
    for number, agreement in enumerate(study.agreement):
        figures[f"agreement-{number}"] = partial(_matrix, agreement)
    if study.doses:
        figures["doses"] = partial(_doses, study.doses)
    return figures


LABELS = {
    "division": "How far the towers of each run differ, and what they gain together: pairs, planted and strangers",
    "labels": "What each label of the tokens holds of the difference, in each run: pairs, planted and strangers",
    "emergence": "How good the towers of each run are, together and alone, during training",
    "profiles": "Mean preference of each word class in each run",
    "context": "What each tower of each run gains as its context grows",
    "doses": "D and the surplus against the setting that varies",
}
"""What each figure shows, for those who cannot see it; the others are matrices of agreement."""


def _cells(
    sheet: Sheet, values: NDArray[np.float64], limit: float, across: Sequence[str], down: Sequence[str],
    tip: Callable[[int, int], str], label: str,
) -> None:  # fmt: skip
    """A matrix of coloured cells, row 0 on top.

    Sides of more than `MOST_NAMED` have no names, and their matrix is an image: its cells say nothing.
    """
    across_names, down_names = (names if len(names) <= MOST_NAMED else [] for names in (across, down))
    rows = (0.17 if sheet.narrow else 0.2) * max(3, len(down)) if down_names else sheet.get_figwidth()
    sheet.height(1.1 + 0.065 * max(map(len, across_names), default=0) + rows)
    axes = sheet.add_subplot()
    shades = ScalarMappable(Normalize(-limit, limit), DIVERGING.resampled(LEVELS))
    if across_names and down_names:
        places = [(row, column) for row in range(len(down)) for column in range(len(across))]
        corners = [[(c, r), (c + 1, r), (c + 1, r + 1), (c, r + 1)] for r, c in places]
        colors = shades.to_rgba(np.array([values[place] for place in places]))
        cells = axes.add_collection(PolyCollection(corners, facecolors=colors, edgecolors="none"))
        sheet.tell(cells, [tip(row, column) for row, column in places])
    else:
        extent = (0, len(across), len(down), 0)
        axes.imshow(shades.to_rgba(values), aspect="auto", interpolation="nearest", extent=extent)
    axes.set(xlim=(0, len(across)), ylim=(len(down), 0))
    size = 7 if sheet.narrow or len(down) > 30 else 8
    axes.set_xticks(np.arange(len(across_names)) + 0.5, across_names, rotation=90, fontsize=size)
    axes.set_yticks(np.arange(len(down_names)) + 0.5, down_names, fontsize=size)
    axes.tick_params(length=0)
    if not down_names:
        axes.set_ylabel(f"{len(down)} runs, in the order of the table")
    bar = sheet.colorbar(shades, ax=axes, location="top", aspect=40, shrink=0.6, anchor=(0.0, 0.0), pad=0.02)
    bar.set_label(label, fontsize=8)
    bar.outline.set_visible(False)


def _division(study: Study, sheet: Sheet) -> None:
    """D and the surplus of every run, each with its interval: pairs above, then planted, strangers below."""
    rows = sorted((row for row in study.runs if row.size), key=_place, reverse=True)
    styles, named = _styles(study), len(rows) <= MOST_NAMED
    panels = sheet.panels(2, 0.9 + (0.19 if named else 0.06) * max(3, len(rows)))
    for axes, kind, title in zip(panels, ("size", "surplus"), ("D (nats)", "surplus (nats per token)"), strict=True):
        zero(axes)
        for runs in ("natural", "planted", "strangers"):
            known = [(y, row, value) for y, row in enumerate(rows) if _runs_of(row) == runs
                     and (value := getattr(row, kind)) is not None]  # fmt: skip
            if not known:
                continue
            heights = [y for y, _, _ in known]
            colors = [styles[row.group, False][1] if runs == "natural" else MARKS[runs][1] for _, row, _ in known]
            interval(axes, heights, [value.low for *_, value in known], [value.high for *_, value in known], colors)
            dots = axes.scatter(
                [value.estimate for *_, value in known], heights, s=24, zorder=3, linewidths=1.1,
                marker=MARKS[runs][0], facecolors="none" if runs == "strangers" else colors, edgecolors=colors,
            )  # fmt: skip
            sheet.tell(dots, [
                f"{row.name}, {'D' if kind == 'size' else kind}: {figure(value, 3)} nats"
                for _, row, value in known
            ])  # fmt: skip
        axes.set(ylim=(-0.7, len(rows) - 0.3))
        axes.set_xlabel(title, loc="right" if sheet.narrow else "center")  # a narrow axis is shorter than its label
        axes.locator_params(axis="x", nbins=4)
        beside = axes is panels[0] or sheet.narrow  # two panels of a wide figure have the same rows
        names = [row.name if beside else "" for row in rows]
        axes.set_yticks(range(len(rows)) if named else [], names if named else [], fontsize=7)
        axes.tick_params(axis="y", length=0)
    groups = dict.fromkeys(row.group for row in rows if _runs_of(row) == "natural")
    handles = [_mark("natural", group if len(groups) > 1 else "pairs", styles[group, False][1]) for group in groups]
    sheet.key(columns=3, handles=[*handles, *_controls_key(rows)])


MARKS = {"natural": ("o", TOWER_COLORS[0]), "planted": ("D", PREFERENCE_COLOR), "strangers": ("o", ZERO_COLOR)}
"""Of pairs, of pairs in which a division was planted, and of strangers (open): the mark and its colour."""


def _runs_of(row: RunOfStudy) -> str:
    return "strangers" if row.stranger else "natural" if row.natural else "planted"


def _place(row: RunOfStudy) -> int:
    return list(MARKS).index(_runs_of(row))


def _mark(runs: str, label: str, color: str | None = None) -> Line2D:
    marker, usual = MARKS[runs]
    ink = color or usual
    face = "none" if runs == "strangers" else ink
    return Line2D([], [], marker=marker, linestyle="", color=ink, markerfacecolor=face, markersize=5, label=label)


def _controls_key(rows: Sequence[RunOfStudy]) -> list[Line2D]:
    present = {_runs_of(row) for row in rows}
    return [_mark(runs, runs) for runs in ("planted", "strangers") if runs in present]


def _shown_labels(study: Study) -> list[tuple[str, str]]:
    """The labels that are shown, the one that holds most of the pairs' differences last."""
    pairs = [row for row in study.runs if row.natural]
    names = dict.fromkeys((division.label, division.given) for row in pairs for division in row.labels)
    held = {
        name: [division.held.estimate for row in pairs if (division := row_of(row.labels, *name))]
        for name in names if not name[1] or name in (CLASS, TOPIC)
    }  # fmt: skip
    return sorted((name for name in held if held[name]), key=lambda name: float(np.median(held[name])))


def _labels(study: Study, shown: Sequence[tuple[str, str]], sheet: Sheet) -> None:
    """What each label holds in every run: a row for each label, a mark for each run."""
    rows = [row for row in study.runs if row.labels]
    sheet.height(1.0 + 0.23 * max(3, len(shown)))
    axes = sheet.add_subplot()
    zero(axes)
    for runs in ("strangers", "planted", "natural"):
        known = [(y, row, division) for y, name in enumerate(shown) for row in rows
                 if _runs_of(row) == runs and (division := row_of(row.labels, *name))]  # fmt: skip
        if not known:
            continue
        marker, color = MARKS[runs]
        dots = axes.scatter(
            [division.held.estimate for *_, division in known], [y for y, _, _ in known], s=20, marker=marker,
            linewidths=1.0, facecolors="none" if runs == "strangers" else color, edgecolors=color, alpha=0.75, zorder=3,
        )  # fmt: skip
        sheet.tell(dots, [
            f"{row.name}, {row_name(division.label, division.given)}: {fixed(division.held.estimate, 4)} nats², "
            f"{fixed(100 * division.share.estimate, 1)} % of its difference: {division.verdict}"
            for _, row, division in known
        ])  # fmt: skip
    axes.set(ylim=(-0.7, len(shown) - 0.3))
    axes.set_xlabel(sheet.wrap("held of the squared difference between towers (nats²)"), loc="right")
    axes.set_yticks(
        range(len(shown)), [sheet.wrap(row_name(*name), NAME_WIDTH) for name in shown], fontsize=sheet.row_size
    )
    axes.tick_params(axis="y", length=0)
    sheet.key(columns=3, handles=[_mark("natural", "pairs"), *_controls_key(rows)])


def _profiles(profiles: Profiles, sheet: Sheet) -> None:
    """Classes x runs; each run is turned so that it loads on the first axis positively, classes in the axis' order."""
    axis = profiles.axes[0]
    names = sorted(profiles.classes, key=lambda name: axis.classes[name])
    place = [profiles.classes.index(name) for name in names]
    rows = [np.asarray(run.profile) * (1 if axis.loadings[run.name] >= 0 else -1) for run in profiles.runs]
    values = np.stack(rows)[:, place]
    limit = float(np.quantile(np.abs(values), 0.98)) or 1.0
    runs = [run.name for run in profiles.runs]

    def tip(row: int, column: int) -> str:
        return f"{runs[row]}, {class_name(names[column])}: {fixed(values[row, column], signed=True)} nats"

    _cells(sheet, values, limit, [class_name(name) for name in names], runs, tip, "nats, relative to all words")


def _matrix(text: AgreementOfText, sheet: Sheet) -> None:
    names, values = text.names, np.asarray(text.agreement.r, dtype=np.float64)

    def tip(row: int, column: int) -> str:
        return f"{names[row]} and {names[column]}: r = {fixed(values[row, column])}"

    _cells(sheet, values, 1.0, names, names, tip, "correlation of preferences")


def _styles(study: Study) -> dict[tuple[str, bool], tuple[str, str, Dash]]:
    """From a group, and whether it is of strangers, to its label, colour and line style."""
    groups = list(dict.fromkeys(row.group for row in study.runs))
    styles: dict[tuple[str, bool], tuple[str, str, Dash]] = {}
    for number, group in enumerate(groups):
        color = TOWER_COLORS[number % len(TOWER_COLORS)]
        styles[group, False] = group, color, "-"
        styles[group, True] = f"{group}, strangers", color, ":"
    return styles


def _key(sheet: Sheet, study: Study) -> None:
    styles = _styles(study)
    used = dict.fromkeys((row.group, row.stranger) for row in study.runs)
    sheet.key(columns=2, handles=[
        Line2D([], [], color=color, linestyle=dash, label=label)
        for label, color, dash in (styles[key] for key in used)
    ])  # fmt: skip


@dataclass
class _Curves:
    """Curves of one colour and style, drawn as one: hundreds of runs would take minutes one by one."""

    lines: list[NDArray[np.float64]] = field(default_factory=list)
    """Of each curve its points, (points, 2)."""
    tips: list[str] = field(default_factory=list)

    def add(self, x: Sequence[float], y: Sequence[float], tips: Iterable[str] = ()) -> None:
        """A curve, and what its points say."""
        if len(x):
            self.lines.append(np.column_stack([x, y]))
            self.tips.extend(tips)

    def draw(
        self, sheet: Sheet, axes: Any, color: str, dash: Dash, width: float, size: float = 0, alpha: float = 1.0
    ) -> None:
        """The curves, with a dot at each point if these have a `size`."""
        if not self.lines:
            return
        axes.add_collection(LineCollection(self.lines, colors=color, linestyles=dash, linewidths=width, alpha=alpha))
        if size:
            sheet.tell(axes.scatter(*np.concatenate(self.lines).T, s=size, color=color), self.tips)
        axes.autoscale_view()


def _context(study: Study, sheet: Sheet) -> None:
    """What each tower of each run gains as its context grows; a line for each tower."""
    axes, styles, ticks = sheet.add_subplot(), _styles(study), set[int]()
    curves: defaultdict[tuple[str, bool], _Curves] = defaultdict(_Curves)
    for row in study.runs:
        context = study.context[row.name]
        for curve in context.curves if context else []:
            if curve.head == "joint":
                continue
            x, y = _points(curve.points, lambda point: point.context, lambda point: point.gain.estimate)
            ticks |= {int(tick) for tick in x}
            curves[row.group, row.stranger].add(x, y, [
                f"{row.name}, {curve.head}, {int(a)} tokens of context: {fixed(b, 3)} nats above one token"
                for a, b in zip(x, y, strict=True)
            ])  # fmt: skip
    for key, group_curve in curves.items():
        _, color, dash = styles[key]
        group_curve.draw(sheet, axes, color, dash, width=1.0, size=6, alpha=0.8)
    axes.set(xscale="log", xlabel=CONTEXT_AXES[0], ylabel=sheet.wrap(CONTEXT_AXES[1]))
    axes.set_xticks(sorted(ticks), [str(tick) for tick in sorted(ticks)])
    axes.minorticks_off()
    _key(sheet, study)


def _points(
    points: Sequence[Point], across: Callable[[Point], float], up: Callable[[Point], float | None]
) -> tuple[list[float], list[float]]:
    """The coordinates of the points whose value is known."""
    known = [(float(across(point)), y) for point in points if (y := up(point)) is not None and isfinite(y)]
    return [x for x, _ in known], [y for _, y in known]


def _emergence(study: Study, sheet: Sheet) -> None:
    """Held-out nats per token of each run, of all towers together and of the better one alone, against tokens."""
    panels, styles = sheet.panels(2, 2.4), _styles(study)
    values: tuple[Callable[[Evaluation], float], ...] = (
        lambda evaluation: evaluation.joint_nats,
        lambda evaluation: min(evaluation.tower_nats),
    )
    groups: dict[tuple[str, bool], list[RunOfStudy]] = {}
    for row in study.runs:
        groups.setdefault((row.group, row.stranger), []).append(row)
    for key, rows in groups.items():
        _, color, dash = styles[key]
        for axes, value in zip(panels, values, strict=True):
            curves = _Curves()
            for row in rows:
                _add(curves, study.emergence[row.name].evaluations, value, row.name)
            curves.draw(sheet, axes, color, dash, width=1.1, size=7)
    for axes, title in zip(panels, ("all towers together (nats)", "the better tower alone (nats)"), strict=True):
        axes.set(title=title)
        axes.set_xlabel("million tokens of training", color=SOFT)
    _key(sheet, study)


def _add(curves: _Curves, points: Sequence[Evaluation], value: Callable[[Evaluation], float], name: str) -> None:
    """A curve of what evaluations found, against millions of tokens."""
    x, y = _points(points, lambda evaluation: evaluation.tokens, value)
    tips = [f"{name}, after {int(a):,} tokens: {b:.2f}" for a, b in zip(x, y, strict=True)]
    curves.add([tokens / 1e6 for tokens in x], y, tips)


def _doses(doses: list[Dose], sheet: Sheet) -> None:
    """D and the surplus of each run against each setting that varies."""
    panels = sheet.panels(2 * len(doses), 2.5)
    for number, dose in enumerate(doses):
        for axes, kind in zip(panels[2 * number : 2 * number + 2], ("D", "surplus"), strict=True):
            known = [(point.run, point.dose, y) for point in dose.points if (y := point.figures[kind]) is not None]
            dots = axes.scatter(
                [x for _, x, _ in known], [y for *_, y in known], s=18, color=TOWER_COLORS[0], alpha=0.8
            )
            sheet.tell(dots, [f"{run}: {kind} {fixed(value)}" for run, _, value in known])
            axes.set(title=sheet.wrap(f"{dose.preset}: {kind}"), xlabel=dose.setting)
