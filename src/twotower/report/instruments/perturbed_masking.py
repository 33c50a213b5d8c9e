"""Perturbed masking: what the page shows of this instrument."""

from __future__ import annotations

from typing import Any

from .record import Instrument, Table, difference_told, differences_between, each, figure


def _sentences(found: dict[str, Any]) -> list[str]:
    if found.get("left_out"):
        return [f"{found['left_out'][0].upper()}{found['left_out'][1:]}."]
    mine = [view["uuas"] for view in found["views"] if view["tower"]]
    right = figure(found["baselines"]["right_branching"]["uuas"])
    return [
        f"Perturbed masking: trees from the impact of words on each other have {each(mine)} of the gold edges; those "
        f"of untrained towers {each([one['null'] for one in mine])}, right-branching trees {right}."
        + difference_told(found, "uuas")
    ]


def _tables(found: dict[str, Any]) -> list[Table]:
    if found.get("left_out"):
        return []
    measures = {"uuas": "UUAS", "uas": "UAS"}
    rows = [
        ["all towers together" if view["view"] == "joint" else view["view"],
         *(text for name in measures for text in (figure(view[name]), figure(view[name]["null"])))]
        for view in found["views"]
    ]  # fmt: skip
    rows += [
        [f"{name.replace('_', '-')} trees", *(text for one in measures for text in (figure(values[one]), "–"))]
        for name, values in found["baselines"].items()
    ]
    head = ["states of", *(text for name in measures.values() for text in (name, f"{name}, untrained"))]
    return [Table("Trees from the impact of words on each other", head, rows), *differences_between(found, measures)]


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
