"""Perturbed masking: what the page shows of this instrument."""

from __future__ import annotations

from ...knowledge.findings.perturbed_masking import NothingMasked, PerturbedMasking
from ..numbers import figure
from .record import Instrument, Table, difference_told, differences_between, each


def _sentences(masking: PerturbedMasking | NothingMasked) -> list[str]:
    if isinstance(masking, NothingMasked):
        return [f"{masking.left_out[0].upper()}{masking.left_out[1:]}."]
    mine = [view.uuas for view in masking.found.views if view.tower]
    right = figure(masking.found.baselines["right_branching"].uuas)
    difference = "".join(difference_told(row.towers, row.uuas) for row in masking.found.differences[:1])
    return [
        f"Perturbed masking: trees from the impact of words on each other have {each(mine)} of the gold edges; those "
        f"of untrained towers {each(uuas.null for uuas in mine)}, right-branching trees {right}." + difference
    ]


def _tables(masking: PerturbedMasking | NothingMasked) -> list[Table]:
    if isinstance(masking, NothingMasked):
        return []
    measures = ("UUAS", "UAS")
    rows = [
        ["all towers together" if view.view == "joint" else view.view,
         *map(figure, (view.uuas, view.uuas.null, view.uas, view.uas.null))]
        for view in masking.found.views
    ]  # fmt: skip
    rows += [
        [f"{name.replace('_', '-')} trees", figure(values.uuas), "–", figure(values.uas), "–"]
        for name, values in masking.found.baselines.items()
    ]
    head = ["states of", *(text for name in measures for text in (name, f"{name}, untrained"))]
    apart = [(row.towers, "output", (row.uuas, row.uas)) for row in masking.found.differences]
    return [Table("Trees from the impact of words on each other", head, rows), *differences_between(apart, measures)]


SHOWN = Instrument(
    name="perturbed_masking",
    title="Perturbed masking",
    how=(
        "The impact of one word on another is how far the state of the other, hidden, moves when the first is hidden "
        "as well. Trees of the greatest impact are compared with gold trees; nothing is trained."
    ),
    sentences=_sentences,
    tables=_tables,
)
