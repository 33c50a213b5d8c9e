"""The page of a run's controls: the same statistics, drawn beside each other."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from .sheet import Sheet, interval, plate, zero
from .style import ALL_COLOR, FLOOR_COLOR, PREFERENCE_COLOR
from .summary import figure
from .templating import fill

TITLES = (("reliability", "estimate", "reliability"), ("separation", "auroc", "function against content (AUROC)"))


def render(title: str, rows: list[dict[str, Any]], figures: Path | None = None) -> str:
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
        forest=forest.inline("Reliability and separation of the run and of each control, with their noise floors"),
    )


def _forest(rows: list[dict[str, Any]], sheet: Sheet) -> None:
    """Reliability and separation of the run and of each control, with intervals and noise floors."""
    names = [row["name"] for row in rows][::-1]
    panels = sheet.panels(2, 1.0 + 0.3 * len(rows))
    for axes, (kind, key, title) in zip(panels, TITLES, strict=True):
        shown = [row for row in rows if row[kind][key] is not None and row[kind]["low"] is not None]
        for label in ("noise floor: two readouts of one tower", "run", "control"):
            floor = label.startswith("noise")
            chosen = [row for row in shown if floor or (row["name"] == "run") == (label == "run")]
            values = [row[kind]["noise_floor"] if floor else row[kind] for row in chosen]
            known = [(row, value) for row, value in zip(chosen, values, strict=True) if value[key] is not None]
            if not known:
                continue
            color = FLOOR_COLOR if floor else PREFERENCE_COLOR if label == "run" else ALL_COLOR
            heights = [names.index(row["name"]) - (0.22 if floor else 0.0) for row, _ in known]
            ends = [(value["low"], value["high"]) for _, value in known]
            missing = float("nan")
            interval(axes, heights, [missing if low is None else low for low, _ in ends],
                     [missing if high is None else high for _, high in ends], color)  # fmt: skip
            dots = axes.scatter([value[key] for _, value in known], heights, s=16 if floor else 28, color=color,
                                marker="s" if floor else "o", label=label, zorder=3)  # fmt: skip
            sheet.tell(dots, [
                f"{row['name']}{', noise floor' if floor else ''}: {figure(value, key)}" for row, value in known
            ])  # fmt: skip
        axes.set(title=title, ylim=(-0.6, len(names) - 0.4))
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(axis="y", length=0)
    zero(panels[1], 0.5)
    sheet.key()


CONTROLS = ("half-trained", "strangers", "shuffled", "unigram", "forwards")
"""Those that have towers to compare with."""


def finding(rows: list[dict[str, Any]]) -> str:
    """The page's finding in one sentence."""
    by_name = {row["name"]: row for row in rows}
    mine = by_name["run"]["separation"]
    others = [by_name[name]["separation"] for name in CONTROLS if name in by_name]
    known = [one for one in others if None not in (mine["auroc"], mine["low"], one["auroc"], one["high"])]
    if not known:
        return "There is too little text to compare this run with its controls."
    beaten = sum(mine["low"] > one["high"] for one in known)
    which = "none" if not beaten else "each" if beaten == len(known) else f"{beaten}"
    return f"This run clearly separates function from content words further than {which} of its {len(known)} controls."


def conclusions(rows: list[dict[str, Any]]) -> list[str]:
    """What the controls say, in plain language, each sentence with its figures."""
    by_name = {row["name"]: row for row in rows}
    run = by_name["run"]
    said = []
    for name in CONTROLS:
        if name in by_name:
            said.append(_against(run, by_name[name]))
    if "single" in by_name:
        said.append(_single(run, by_name["single"]))
    return said


def _against(run: dict[str, Any], control: dict[str, Any]) -> str:
    mine, other = run["separation"], control["separation"]
    head = f"{control['name'].capitalize()} ({control['meaning']}): "
    if None in (mine["auroc"], other["auroc"], mine["low"], other["high"]):
        return (
            head + "separation cannot be compared, because the text is too short or has no words of one of the classes."
        )
    text = (
        f"separation is {figure(other, 'auroc')} (run: {figure(mine, 'auroc')}), reliability "
        f"{figure(control['reliability'])} (run: {figure(run['reliability'])}), and the standard deviation of "
        f"preferences {control['sd']:.2f} nats (run: {run['sd']:.2f})."
    )
    if mine["low"] > other["high"]:
        return f"{head}the run separates function from content words further. Here {text}"
    return f"{head}the run does not clearly separate function from content words further. Here {text}"


def _single(run: dict[str, Any], control: dict[str, Any]) -> str:
    pair, alone = run["perplexity"], control["perplexity"]
    each = ", ".join(f"{value:.0f}" for value in pair["towers"])
    return (
        f"Single ({control['meaning']}; {control['parameters']:,} parameters against {run['parameters']:,}): its "
        f"perplexity is {alone['joint']:.0f}, that of the run {pair['joint']:.0f}. Under a readout of its own it is "
        f"{alone['towers'][0]:.0f}; the towers of the run, each alone, have {each}."
    )
