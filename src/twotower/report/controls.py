"""The page of a run's controls: the same statistics, drawn beside each other."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ..comparison.controls import Control
from ..data.tagging import NONE
from ..preference.class_variance import Explained
from ..statistics.intervals import Estimate, is_known
from .finding import UNTAGGED
from .sheet import Sheet, interval, plate, zero
from .style import ALL_COLOR, FLOOR_COLOR, PREFERENCE_COLOR
from .summary import figure
from .templating import fill

TITLES = {"reliability": "reliability of preferences", "explained": "share explained by word class"}


def render(title: str, rows: list[Control], figures: Path | None = None) -> str:
    """The page; `rows` as `comparison.controls.compare` gives them, the run first.

    Writes its figure, as SVG and PDF, into the folder `figures`.
    """
    forest = plate("controls", partial(_forest, rows))
    if figures is not None:
        forest.save(figures)
    return fill(
        "controls.html.j2",
        title=title,
        rows=rows,
        finding=finding(rows),
        sentences=conclusions(rows),
        figure=figure,
        forest=forest.inline(
            "Reliability of preferences, and the share that word class explains, of the run and of each control"
        ),
    )


def _forest(rows: list[Control], sheet: Sheet) -> None:
    """Reliability and share of class of the run and its controls, with intervals; beside a share its null's bound."""
    names = [row.name for row in rows][::-1]
    panels = sheet.panels(2, 1.0 + 0.3 * len(rows))
    for axes, (kind, title) in zip(panels, TITLES.items(), strict=True):
        shown = [(row.name, values) for row in rows if (values := _measured(row, kind))]
        for label, color in (("run", PREFERENCE_COLOR), ("control", ALL_COLOR)):
            chosen = [(name, values) for name, values in shown if (name == "run") == (label == "run")]
            if not chosen:
                continue
            heights = [names.index(name) for name, _ in chosen]
            interval(
                axes,
                heights,
                [measured.low for _, measured in chosen],
                [measured.high for _, measured in chosen],
                color,
            )
            dots = axes.scatter(
                [measured.estimate for _, measured in chosen], heights, s=28, color=color, label=label, zorder=3
            )
            sheet.tell(dots, [f"{name}: {figure(measured)}" for name, measured in chosen])
        bounds = [(name, measured.null.high) for name, measured in shown if isinstance(measured, Explained)]
        if bounds:
            dots = axes.scatter([bound for _, bound in bounds], [names.index(name) - 0.22 for name, _ in bounds], s=16,
                                color=FLOOR_COLOR, marker="s", label="bound of the null", zorder=3)  # fmt: skip
            sheet.tell(dots, [f"{name}, bound of the null: {bound:.3f}" for name, bound in bounds])
        axes.set(title=title, ylim=(-0.6, len(names) - 0.4))
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(axis="y", length=0)
        axes.locator_params(axis="x", nbins=5)
        zero(axes, 0.0)
    sheet.key()


CONTROLS = ("half-trained", "strangers", "shuffled", "unigram", "forwards")
PLANTED = ("planted-classes", "planted-texts", "planted-reach", "idle-zero", "idle-copy", "idle-frozen")
"""Those that have towers to compare with."""


def finding(rows: list[Control]) -> str:
    """The page's finding in one sentence."""
    run, *others = rows
    controls = [row for row in others if row.name in CONTROLS]
    reliable, explained = (_beaten(run, controls, kind) for kind in TITLES)
    if reliable is None:
        return "There is too little text to compare this run with its controls."
    text = f"In the reliability of preferences this run clearly exceeds {reliable}"
    if explained is not None:
        text += f", and in the share that word class explains {explained}"
    return text + "."


def _beaten(run: Control, controls: list[Control], kind: str) -> str | None:
    """How many controls lie below the run, intervals apart; None where nothing can be compared."""
    mine, known = _measured(run, kind), [other for row in controls if (other := _measured(row, kind))]
    if not known or mine is None:
        return None
    beaten = sum(mine.low > control.high for control in known)
    which = "none" if not beaten else "each" if beaten == len(known) else f"{beaten}"
    return f"{which} of its {len(known)} controls"


def _measured(row: Control, kind: str) -> Estimate | None:
    """One of the two figures of `TITLES`; None where it or its interval cannot be had."""
    figure = row.reliability if kind == "reliability" else row.explained
    return figure if is_known(figure) else None


def conclusions(rows: list[Control]) -> list[str]:
    """What the controls say, in plain language, each sentence with its figures."""
    by_name = {row.name: row for row in rows}
    run = by_name["run"]
    said = []
    for name in CONTROLS:
        if name in by_name:
            said.append(_against(run, by_name[name]))
    said += [_planted(by_name[name]) for name in PLANTED if name in by_name]
    if "single" in by_name:
        said.append(_single(run, by_name["single"]))
    return said


def _against(run: Control, control: Control) -> str:
    head = f"{control.name.capitalize()} ({control.meaning}): "
    if not is_known(run.reliability) or not is_known(control.reliability):
        return head + "reliability cannot be compared, because the text is too short."
    said = []
    for kind, what in (
        ("reliability", "the reliability of preferences"),
        ("explained", "the share that word class explains"),
    ):
        mine, other = _measured(run, kind), _measured(control, kind)
        if mine and other:
            verdict = "clearly lower" if other.high < mine.low else "not clearly lower"
            digits = 3 if kind == "explained" else 2
            said.append(f"{what} is {verdict} ({figure(other, digits=digits)}; run: {figure(mine, digits=digits)})")
        else:
            why = UNTAGGED if NONE in (run.tagger, control.tagger) else "too few words are tagged"
            said.append(f"{what} cannot be compared: {why}")
    text = f"The standard deviation of preferences is {control.sd:.2f} nats (run: {run.sd:.2f})."
    return f"{head}{', and '.join(said)}. {text}"


def _planted(control: Control) -> str:
    answers = {
        "yes": "the ruler finds that they divide the work", "no": "the ruler finds no division of the work",
        "undecided": "whether they divide the work is undecided", "not measurable": "a division cannot be measured",
    }  # fmt: skip
    return f"{control.name.capitalize()} ({control.meaning}): {answers[control.divides or 'not measurable']}."


def _single(run: Control, control: Control) -> str:
    pair, alone = run.perplexity, control.perplexity
    each = " and ".join(", ".join(f"{value:.0f}" for value in pair.towers).rsplit(", ", 1))
    return (
        f"Single ({control.meaning}; {control.parameters:,} parameters against {run.parameters:,}): its "
        f"perplexity is {alone.joint:.0f}, that of the run {pair.joint:.0f}. Under a readout of its own it is "
        f"{alone.towers[0]:.0f}; the towers of the run, each alone, have {each}."
    )
