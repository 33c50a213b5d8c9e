"""The structural probe: what the page shows of this instrument."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from .marks import by_layer
from .record import Instrument, Picture, Table, difference_told, differences_between, figure, view_name

MEASURES = {"uuas": "UUAS", "dspr": "DSpr", "root": "root", "nspr": "NSpr"}


def _sentences(found: dict[str, Any]) -> list[str]:
    best = [row["uuas"] for row in found["chosen"]]
    nulls = best[0]["null"] if best else {}
    controls = "; ".join(
        f"{name.replace('_', ' ')} {figure(nulls[name])}"
        for name in ("untrained", "embedding", "linear_order")
        if name in nulls
    )
    layers = " and ".join(f"{figure(one)} (layer {one['layer']})" for one in best)
    return [
        f"Structural probe: the towers' states give {layers} of the edges of gold trees (UUAS), controls of the first: "
        f"{controls}." + difference_told(found, "uuas")
    ]


def _tables(found: dict[str, Any]) -> list[Table]:
    rows = [[view_name(view), *(figure(view[name]) for name in MEASURES)] for view in found["views"]]
    rows.append(["each word linked to the next", *(figure(found["linear_order"][name]) for name in MEASURES)])
    return [
        Table("Trees in the states, by layer", ["states of", *MEASURES.values()], rows),
        *differences_between(found, MEASURES),
    ]


def _draw(found: dict[str, Any], figure: Figure) -> None:
    """UUAS and DSpr by layer."""
    by_layer(figure, [("UUAS", found["views"], "uuas"), ("DSpr", found["views"], "dspr")],
              {"linear order": [found["linear_order"][name] for name in ("uuas", "dspr")]})  # fmt: skip


SHOWN = Instrument(
    name="probe",
    title="Structural probe",
    how=(
        "A linear map of the states is trained so that distances between words are distances in the dependency tree. "
        "UUAS is the share of gold edges that it finds in sentences it was not trained on; DSpr and NSpr are rank "
        "correlations of distances and of depths."
    ),
    sentences=_sentences,
    tables=_tables,
    picture=Picture(
        "How much of dependency trees each layer of each tower holds", _draw, lambda found: bool(found["views"])
    ),
)
