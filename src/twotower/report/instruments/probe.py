"""The structural probe: what the page shows of this instrument."""

from __future__ import annotations

from matplotlib.figure import Figure

from ...knowledge.findings.probe import DifferenceInTrees, Probe, ProbedView, TreeFigures
from ...statistics.intervals import Estimate
from ..numbers import figure
from .marks import by_layer
from .record import Instrument, Picture, Table, difference_told, differences_between, view_name

MEASURES = ("UUAS", "DSpr", "root", "NSpr")


def _figures(row: ProbedView | TreeFigures | DifferenceInTrees) -> tuple[Estimate, ...]:
    return row.uuas, row.dspr, row.root, row.nspr


def _sentences(probe: Probe) -> list[str]:
    best = [row.uuas for row in probe.found.chosen]
    nulls = best[0].null if best else {}
    rows = [row for row in probe.found.differences if row.layer == "chosen"]
    difference = "".join(difference_told(row.towers, row.uuas) for row in rows[:1])
    controls = "; ".join(
        f"{name.replace('_', ' ')} {figure(nulls[name])}"
        for name in ("untrained", "embedding", "linear_order")
        if name in nulls
    )
    layers = " and ".join(f"{figure(uuas)} (layer {uuas.layer})" for uuas in best)
    return [
        f"Structural probe: the towers' states give {layers} of the edges of gold trees (UUAS), controls of the first: "
        f"{controls}.{difference}"
    ]


def _tables(probe: Probe) -> list[Table]:
    rows = [[view_name(view), *map(figure, _figures(view))] for view in probe.found.views]
    rows.append(["each word linked to the next", *map(figure, _figures(probe.found.linear_order))])
    apart = [(row.towers, row.layer, _figures(row)) for row in probe.found.differences]
    return [
        Table("Trees in the states, by layer", ["states of", *MEASURES], rows), *differences_between(apart, MEASURES)
    ]  # fmt: skip


def _draw(probe: Probe, figure: Figure) -> None:
    """UUAS and DSpr by layer."""
    views, linear = probe.found.views, probe.found.linear_order
    by_layer(
        figure, [("UUAS", views, lambda view: view.uuas), ("DSpr", views, lambda view: view.dspr)],
        {"linear order": [linear.uuas, linear.dspr]},
    )  # fmt: skip


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
        "How much of dependency trees each layer of each tower holds", _draw, lambda probe: bool(probe.found.views)
    ),
)
