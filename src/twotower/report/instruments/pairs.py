"""Minimal pairs: what the page shows of this instrument."""

from __future__ import annotations

from matplotlib.figure import Figure

from ...knowledge.findings.pairs import KindOfPairs, Pairs, Paradigm
from ..numbers import figure
from .marks import LINE, ROWS, color_of, dots, legend, tall
from .record import Instrument, Picture, Table, each


def _sentences(pairs: Pairs) -> list[str]:
    sentences = []
    for row in pairs.kinds:
        towers = [row.accuracy[head] for head in pairs.heads if head.startswith("tower")]
        chance = row.accuracy.get("frequency")
        sentences.append(
            f"Minimal pairs of {row.kind} ({row.set}, {row.pairs:,} pairs): all towers together find the "
            f"better sentence in {figure(row.accuracy['joint'])} of them, the towers alone in {each(towers)}; "
            "guessing gives 0.50" + (f" and the frequency of the pieces alone {figure(chance)}." if chance else ".")
        )
        if apart := row.difference:
            sentences.append(
                f"On these the towers differ by {figure(apart)} (tower {apart.of[0]} minus tower {apart.of[1]}; "
                f"p = {apart.p_value:.2g})."
            )
    return sentences


def _tables(pairs: Pairs) -> list[Table]:
    heads = pairs.heads

    def row(group: Paradigm | KindOfPairs, *named: str) -> list[str]:
        return [*named, f"{group.pairs:,}", *(figure(group.accuracy[head]) for head in heads),
                figure(group.difference) if group.difference else "–"]  # fmt: skip

    heads_shown = ["together" if head == "joint" else "frequencies" if head == "frequency" else head for head in heads]
    head = ["pairs", *heads_shown, "difference"]
    kinds = [row(kind, kind.set, kind.kind) for kind in pairs.kinds]
    paradigms = [row(paradigm, paradigm.paradigm.replace("_", " "), paradigm.kind) for paradigm in pairs.paradigms]
    tables = [Table("Accuracy by kind of pair", ["set", "kind", *head], kinds, 2)] if kinds else []
    if paradigms:
        tables.append(Table("Accuracy by paradigm", ["paradigm", "kind", *head], paradigms, 2))
    return tables


def _draw(pairs: Pairs, figure: Figure) -> None:
    """Accuracy by paradigm: syntax first, best on top."""
    listed = sorted(
        pairs.paradigms, key=lambda paradigm: (paradigm.kind != "syntax", -paradigm.accuracy["joint"].estimate)
    )
    rows = [
        (f"{paradigm.paradigm.replace('_', ' ')} ({paradigm.kind})", paradigm.accuracy) for paradigm in listed[:ROWS]
    ]  # fmt: skip
    tall(figure, len(rows))
    axes = figure.add_subplot()
    axes.axvline(0.5, color=LINE, linewidth=0.8, linestyle="--")
    names = {"joint": "all towers together", "frequency": "frequencies alone"}
    dots(axes, rows, {
        head: (names.get(head, head), color_of(head), "x" if head == "frequency" else "o") for head in pairs.heads
    })  # fmt: skip
    axes.set_xlabel("accuracy (dashed: chance)")
    legend(figure)


SHOWN = Instrument(
    name="pairs",
    title="Minimal pairs",
    how=(
        "Two sentences differ in one place, which makes one of them ungrammatical (syntax) or implausible (meaning). "
        "Accuracy is the share of pairs in which the better sentence has the higher log-probability."
    ),
    sentences=_sentences,
    tables=_tables,
    picture=Picture(
        "Accuracy on minimal pairs by paradigm, of all towers together and of each",
        _draw,
        lambda pairs: bool(pairs.paradigms),
    ),
)
