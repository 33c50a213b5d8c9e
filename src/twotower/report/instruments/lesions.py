"""Lesions: what the page shows of this instrument."""

from __future__ import annotations

from math import isfinite

from matplotlib.figure import Figure

from ...knowledge.findings.lesions import Lesions, LesionsOnPairs, LossesByClass, LossOfLesion
from ..numbers import figure
from ..style import class_name
from .marks import LINE, color_of, dots, legend, tall
from .record import Instrument, Picture, Table


def _has_lesions(lesions: Lesions) -> bool:
    return any(row.classes for row in _means(lesions.upos))


def _means(losses: LossesByClass | None) -> list[LossOfLesion]:
    """The lesions that replace a tower's part by its mean."""
    return [row for row in losses.lesions if row.way == "mean"] if losses else []


def _sentences(lesions: Lesions) -> list[str]:
    sentences = []
    if means := _means(lesions.upos):
        losses = " and ".join(f"{figure(row.loss)} nats without tower {row.tower}" for row in means)
        sentences.append(f"All towers together lose {losses} per token (the tower's part replaced by its mean).")
    if apart := lesions.upos.apart:
        sentences.append(
            f"The losses by word class are {figure(apart)} nats apart between the towers; random halves of the units "
            f"reach {apart.null.high:.2f} (p = {apart.p_value:.2g})."
        )
    if isinstance(lesions.pairs, LesionsOnPairs) and (interaction := lesions.pairs.found.interaction):
        verdict = "a double dissociation" if interaction.crossover else "no double dissociation"
        sentences.append(
            f"Syntax against meaning: lesions of the two towers differ by {figure(interaction)} standard deviations "
            f"(p = {interaction.p_value:.2g} against random halves of the units); this is {verdict} in this run."
        )
    return sentences


def _tables(lesions: Lesions) -> list[Table]:
    tables = []
    for by_class, label in ((lesions.upos, "word class"), (lesions.relations, "dependency relation")):
        if means := _means(by_class):
            head = [label, "tokens", *(f"without tower {row.tower}" for row in means)]
            losses = [{class_row.name: class_row for class_row in row.classes} for row in means]
            rows = [
                [class_name(name), f"{class_row.occurrences:,}", *(figure(classes[name].loss) for classes in losses)]
                for name, class_row in losses[0].items()
                if all(name in classes for classes in losses)
            ]
            tables.append(Table(f"Nats lost by {label}", head, rows))
    if isinstance(lesions.pairs, LesionsOnPairs):
        rows = [
            [f"tower {row.tower}", row.way, row.kind, figure(row.accuracy), figure(row.margin)]
            for row in lesions.pairs.found.losses
        ]
        head = ["lesion of", "replaced by", "kind of pair", "accuracy lost", "margin lost (nats)"]
        tables.append(Table("What lesions cost on minimal pairs", head, rows, 3))
    return tables


def _draw(lesions: Lesions, figure: Figure) -> None:
    """Nats lost by word class without each tower."""
    by_tower = {
        f"tower {row.tower}": {class_row.name: class_row.loss for class_row in row.classes}
        for row in _means(lesions.upos)
    }
    first = next(iter(by_tower.values()))
    order = sorted(first, key=lambda name: -first[name].estimate if isfinite(first[name].estimate) else 0.0)
    rows = [
        (class_name(name), {tower: losses[name] for tower, losses in by_tower.items() if name in losses})
        for name in order
    ]
    tall(figure, len(rows))
    axes = figure.add_subplot()
    axes.axvline(0.0, color=LINE, linewidth=0.8, linestyle="--")
    dots(axes, rows, {tower: (f"without {tower}", color_of(tower), "o") for tower in by_tower})
    axes.set_xlabel("nats lost per token")
    legend(figure)


SHOWN = Instrument(
    name="lesions",
    title="Lesions",
    how=(
        "What a tower contributes to the joint prediction is replaced by its mean, by zero, or by its values at "
        "another position. What is lost shows what only this tower contributes."
    ),
    sentences=_sentences,
    tables=_tables,
    picture=Picture("Nats lost by word class without each tower", _draw, _has_lesions),
)
