"""Lesions: what the page shows of this instrument."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from .marks import LINE, color_of, dots, legend, tall
from .record import Instrument, Picture, Table, figure


def _has_lesions(found: dict[str, Any]) -> bool:
    rows = (found.get("upos") or {}).get("lesions", [])
    return any(row["way"] == "mean" and row["classes"] for row in rows)


def _sentences(found: dict[str, Any]) -> list[str]:
    said = []
    upos = found.get("upos") or {}
    means = [row for row in upos.get("lesions", []) if row["way"] == "mean"]
    if means:
        losses = " and ".join(f"{figure(row['loss'])} nats without tower {row['tower']}" for row in means)
        said.append(f"All towers together lose {losses} per token (the tower's part replaced by its mean).")
    apart = upos.get("apart")
    if apart:
        said.append(
            f"The losses by word class are {figure(apart)} nats apart between the towers; random halves of the units "
            f"reach {apart['null']['high']:.2f} (p = {apart['p_value']:.2g})."
        )
    interaction = (found.get("pairs") or {}).get("interaction")
    if interaction:
        verdict = "a double dissociation" if interaction["crossover"] else "no double dissociation"
        said.append(
            f"Syntax against meaning: lesions of the two towers differ by {figure(interaction)} standard deviations "
            f"(p = {interaction['p_value']:.2g} against random halves of the units); this is {verdict} in this run."
        )
    return said


def _tables(found: dict[str, Any]) -> list[Table]:
    tables = []
    for key, label in (("upos", "word class"), ("relations", "dependency relation")):
        means = [row for row in (found.get(key) or {}).get("lesions", []) if row["way"] == "mean"]
        if means:
            head = [label, "tokens", *(f"without tower {row['tower']}" for row in means)]
            losses = [{one["class"]: one for one in row["classes"]} for row in means]
            rows = [
                [name, f"{one['occurrences']:,}", *(figure(classes[name]["loss"]) for classes in losses)]
                for name, one in losses[0].items()
                if all(name in classes for classes in losses)
            ]
            tables.append(Table(f"Nats lost by {label}", head, rows))
    pairs = found.get("pairs") or {}
    if pairs.get("losses"):
        rows = [
            [f"tower {row['tower']}", row["way"], row["kind"], figure(row["accuracy"]), figure(row["margin"])]
            for row in pairs["losses"]
        ]
        head = ["lesion of", "replaced by", "kind of pair", "accuracy lost", "margin lost (nats)"]
        tables.append(Table("What lesions cost on minimal pairs", head, rows, 3))
    return tables


def _draw(found: dict[str, Any], figure: Figure) -> None:
    """Nats lost by word class without each tower."""
    means = [row for row in found["upos"]["lesions"] if row["way"] == "mean"]
    by_tower = {f"tower {row['tower']}": {one["class"]: one["loss"] for one in row["classes"]} for row in means}
    first = next(iter(by_tower.values()))
    order = sorted(first, key=lambda name: -(first[name]["estimate"] or 0))
    rows = [(name, {tower: losses[name] for tower, losses in by_tower.items() if name in losses}) for name in order]
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
