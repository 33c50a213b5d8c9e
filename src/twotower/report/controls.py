"""The page of a run's controls: what the ruler says of each, beside what it says of the run."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Literal

from ..comparison.controls import Control
from ..data.tagging import NONE
from ..statistics.gains import Surplus
from ..statistics.intervals import Estimate
from .finding import UNTAGGED
from .numbers import figure, fixed
from .sheet import Sheet, interval, plate, zero
from .study_figures import MARKS
from .style import in_words
from .templating import fill

Kind = Literal["size", "surplus"]
TITLES: dict[Kind, str] = {"size": "D (nats)", "surplus": "surplus (nats per token)"}
CONTROLS = {
    "half-trained": "a tower and itself half-trained", "strangers": "strangers",
    "shuffled": "a pair on shuffled text", "unigram": "a pair on text of frequencies alone",
    "forwards": "a pair that reads in one direction",
}  # fmt: skip
"""Those that have no division to find, and what a sentence calls them."""
PLANTED = ("planted-classes", "planted-texts", "planted-reach")
IDLE = ("idle-zero", "idle-copy", "idle-frozen")
ANSWERS = {
    "yes": "the ruler finds that they divide the work", "no": "the ruler finds no division of the work",
    "undecided": "whether they divide the work is undecided", "not measurable": "a division cannot be measured",
}  # fmt: skip


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
        found={"summary": _summary(rows), "figures": _figures(rows)},
        headings=list[tuple[str, str]](),
        figure=figure,
        forest=forest.inline("How far the towers of the run and of each control differ, and what they gain together"),
    )


def _forest(rows: list[Control], sheet: Sheet) -> None:
    """D and the surplus of the run and of its controls, with intervals."""
    names = [row.name for row in rows if row.size][::-1]
    panels = sheet.panels(2, 1.0 + 0.3 * max(3, len(names)))
    kinds = {"run": ("run",), "planted or idle": (*PLANTED, *IDLE), "control": tuple(CONTROLS)}
    marks = dict(zip(kinds, MARKS.values(), strict=True))
    for axes, (kind, title) in zip(panels, TITLES.items(), strict=True):
        zero(axes)
        for label, of_kind in kinds.items():
            chosen = [(row.name, values) for row in rows if row.name in of_kind and (values := _measured(row, kind))]
            if not chosen:
                continue
            marker, color = marks[label]
            heights = [names.index(name) for name, _ in chosen]
            interval(axes, heights, [values.low for _, values in chosen], [values.high for _, values in chosen], color)
            dots = axes.scatter(
                [values.estimate for _, values in chosen], heights, s=28, marker=marker, zorder=3, label=label,
                facecolors="none" if label == "control" else color, edgecolors=color,
            )  # fmt: skip
            sheet.tell(dots, [f"{name}, {title}: {figure(values, 3)}" for name, values in chosen])
        axes.set(ylim=(-0.6, len(names) - 0.4))
        axes.set_xlabel(title, loc="right" if sheet.narrow else "center")
        axes.set_yticks(range(len(names)), names if axes is panels[0] or sheet.narrow else [""] * len(names))
        axes.tick_params(axis="y", length=0)
        axes.locator_params(axis="x", nbins=5)
    sheet.key()


def finding(rows: list[Control]) -> str:
    """The page's finding in one sentence."""
    run, *others = rows
    controls = [row for row in others if row.name in CONTROLS]
    differ, gain = (_beside(run, controls, kind) for kind in TITLES)
    if differ is None:
        return "There is too little text to compare this run with its controls."
    text = f"These towers differ {differ}"
    return f"{text}." if gain is None else f"{text}. Together they gain {gain}."


def _beside(run: Control, controls: list[Control], kind: Kind) -> str | None:
    """`clearly more than strangers`, intervals apart; None where nothing can be compared."""
    mine, known = _measured(run, kind), [(row.name, other) for row in controls if (other := _measured(row, kind))]
    if not known or mine is None:
        return None
    beaten = [CONTROLS[name] for name, other in known if mine.low > other.high]
    rest = [CONTROLS[name] for name, other in known if mine.low <= other.high]
    clauses = [f"clearly more than {in_words(beaten)}"] if beaten else []
    return ", but ".join([*clauses, *([f"not clearly more than {in_words(rest)}"] if rest else [])])


def _measured(row: Control, kind: Kind) -> Estimate | Surplus | None:
    return row.size if kind == "size" else row.surplus


def _summary(rows: list[Control]) -> str:
    """A heading: D of the run and of its controls."""
    run, *others = rows
    sizes = [row.size.estimate for row in others if row.name in CONTROLS and row.size]
    if run.size is None or not sizes:
        return "What the controls show cannot be measured"
    between = " to ".join(dict.fromkeys((fixed(min(sizes)), fixed(max(sizes)))))
    return f"D of the run is {fixed(run.size.estimate)} nats, of its controls {between}"


def _figures(rows: list[Control]) -> str:
    """A heading: what the ruler says of planted divisions and of idle towers."""
    clauses = []
    for names, kind in ((PLANTED, "planted divisions"), (IDLE, "pairs with an idle tower")):
        answers = Counter(row.divides for row in rows if row.name in names)
        if answers:
            clauses.append(f"a division in {answers['yes']} of {answers.total()} {kind}")
    return f"The ruler finds {' and '.join(clauses)}" if clauses else "The run and its controls in figures"


def conclusions(rows: list[Control]) -> list[str]:
    """What the controls say, in plain language, each sentence with its figures."""
    by_name = {row.name: row for row in rows}
    run = by_name["run"]
    sentences = [_against(run, by_name[name]) for name in CONTROLS if name in by_name]
    sentences += [
        f"{row.name.capitalize()} ({row.meaning}): {ANSWERS[row.divides or 'not measurable']}."
        for name in (*PLANTED, *IDLE) if (row := by_name.get(name))
    ]  # fmt: skip
    if "single" in by_name:
        sentences.append(_single(run, by_name["single"]))
    return sentences


def _against(run: Control, control: Control) -> str:
    head = f"{control.name.capitalize()} ({control.meaning}): "
    if run.size is None or control.size is None:
        return head + "D cannot be compared, because the text is too short."
    clauses = []
    named: dict[Kind, str] = {"size": "D", "surplus": "the surplus"}
    for kind, measured in named.items():
        mine, other = _measured(run, kind), _measured(control, kind)
        if mine and other:
            verdict = "clearly lower" if other.high < mine.low else "not clearly lower"
            digits = 2 if kind == "size" else 3
            clauses.append(f"{measured} is {verdict} ({figure(other, digits)}; run: {figure(mine, digits)})")
    return f"{head}{', and '.join(clauses)}. {_class(run, control)}"


def _class(run: Control, control: Control) -> str:
    if run.of_class is None or control.of_class is None:
        why = UNTAGGED if NONE in (run.tagger, control.tagger) else "too few words are tagged"
        return f"What word class holds beyond frequency cannot be compared: {why}."
    mine, theirs = (fixed(row.held.estimate, 4) for row in (run.of_class, control.of_class))
    return f"Word class beyond frequency holds {theirs} nats squared (run: {mine})."


def _single(run: Control, control: Control) -> str:
    pair, alone = run.perplexity, control.perplexity
    perplexities = " and ".join(", ".join(f"{value:.0f}" for value in pair.towers).rsplit(", ", 1))
    return (
        f"Single ({control.meaning}; {control.parameters:,} parameters against {run.parameters:,}): its "
        f"perplexity is {alone.joint:.0f}, that of the run {pair.joint:.0f}. Under a readout of its own it is "
        f"{alone.towers[0]:.0f}; the towers of the run, each alone, have {perplexities}."
    )
