"""The figures of findings.md, from the data beside it: `python research/figures.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from ruler import Ruled, earlier, label, size, surplus
from texts import DATA as TEXTS
from texts import NATURAL, REWRITTEN, OnText, held, known_and_new

from planted import PLANTED, Planted, known
from twotower.preference.division import CLASS, TOPIC
from twotower.report.finding import row_name
from twotower.report.style import PREFERENCE_COLOR, STYLE, TOWER_COLORS, WIDE, ZERO_COLOR

FOLDER = Path(__file__).parent / "figures"
INKS = {"pairs": TOWER_COLORS[0], "strangers": ZERO_COLOR}
SHARED = [
    ("type x previous type", ""), ("type", ""), ("previous type", ""), ("class x previous class", ""), ("class", ""),
    CLASS, ("previous class", ""), TOPIC, ("tag trigram or bag of words", ""), ("position in the sentence", ""),
]  # fmt: skip
SURVIVING = [("type x previous type", ""), ("type", ""), CLASS, ("class x previous class", ""), TOPIC]
"""Labels that are followed from text to text."""


def strip(axes: Axes, rows: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """One row for each name, the first on top; in it the figures of each kind of runs, side by side."""
    axes.axvline(0, color=ZERO_COLOR, linewidth=0.8)
    for height, kinds in enumerate(reversed(rows.values())):
        for place, (kind, figures) in enumerate(kinds.items()):
            open_mark = kind == "strangers"
            ink = INKS.get(kind, PREFERENCE_COLOR)
            axes.scatter(
                figures, [height + 0.18 * (len(kinds) / 2 - 0.5 - place)] * len(figures), s=22, linewidths=1.0,
                marker="D" if kind not in INKS else "o", facecolors="none" if open_mark else ink, edgecolors=ink,
            )  # fmt: skip
    axes.set_yticks(range(len(rows)), list(reversed(rows)))
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.6, len(rows) - 0.4)


def sizes(groups: Mapping[str, Sequence[Ruled]], figure: Figure) -> None:
    """D and surplus of every run."""
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, read, name in ((left, size, "D (nats)"), (right, surplus, "surplus (nats per token)")):
        strip(axes, {group: {group: [read(run).estimate for run in runs]} for group, runs in groups.items()})
        axes.set_xlabel(name)


def shares(groups: Mapping[str, Sequence[Ruled]], planted: Sequence[Planted], figure: Figure) -> None:
    """What each label holds in pairs, in strangers, and in the pair that is its 100 %."""
    axes, asked = figure.subplots(), {shown: kind for kind, shown in PLANTED.items()} | {TOPIC: "texts"}
    rows = {}
    for shown in SHARED:
        kinds = {kind: [label(run.division, *shown).held.estimate for run in runs] for kind, runs in groups.items()}
        if shown in asked:
            of_kind = [run for run in planted if run.kind == asked[shown]]
            kinds[f"planted, {asked[shown]}"] = [label(run.division, *shown).held.estimate for run in of_kind]
        rows[row_name(*shown)] = kinds
    strip(axes, rows)
    axes.set_xscale("symlog", linthresh=0.001)
    axes.set_xlim(left=-0.0003)
    axes.set_xlabel("held of the difference (D²·H, nats²; logarithmic above 0.001)")


def surviving(runs: Sequence[OnText], figure: Figure) -> None:
    """What labels hold of the difference on natural text, and on text without meaning or without order."""
    texts = [NATURAL, *REWRITTEN.values()]
    for axes, text in zip(figure.subplots(1, len(texts), sharey=True, sharex=True), texts, strict=True):
        of_text = {
            kind: [run for run in runs if run.text == text and run.strangers == apart]
            for kind, apart in (("pairs", False), ("strangers", True))
        }  # fmt: skip
        strip(axes, {
            row_name(*shown): {kind: [100 * held(run, *shown) for run in of_kind] for kind, of_kind in of_text.items()}
            for shown in SURVIVING
        })  # fmt: skip
        axes.set_title(text)
        axes.set_xlabel("share of D² (%)")


def main() -> None:
    """Draw and save."""
    FOLDER.mkdir(exist_ok=True)
    natural, (planted, tokens) = earlier(), known()
    by_kind = {f"planted, {kind}": [run for run in planted if run.kind == kind] for kind in PLANTED}
    named = {
        "pairs": "pairs beside planted texts", "strangers": "strangers beside planted texts",
        "each other": "pairs beside pairs", "planted": "planted texts beside each other",
    }  # fmt: skip
    correlations = {
        title: {kind: [row.along.correlation.estimate for row in tokens[kind]]} for kind, title in named.items()
    }
    with rc_context(STYLE):
        for name, height, draw in (
            ("sizes", 2.2, lambda figure: sizes({**natural, **by_kind}, figure)),
            ("shares", 3.6, lambda figure: shares(natural, planted, figure)),
            ("texts", 2.2, lambda figure: surviving(known_and_new(TEXTS, []), figure)),
            ("along", 1.9, lambda figure: strip(figure.subplots(), correlations)),
        ):
            figure = Figure(figsize=(WIDE, height), layout="constrained")
            draw(figure)
            if name == "along":
                figure.axes[0].set_xlabel("correlation of the differences at the same tokens")
            figure.savefig(FOLDER / f"{name}.png", dpi=130)


if __name__ == "__main__":
    main()
