"""The scale of instruments: what the page shows of it."""

from __future__ import annotations

from collections.abc import Sequence

from ...knowledge.findings.scale import InstrumentOnScale, Scale
from ..numbers import figure, percent
from .record import Instrument, Table

OF = {"both": "syntax against meaning", "": "–"}


def blind(rows: Sequence[InstrumentOnScale]) -> list[str]:
    """A sentence about the figures of an instrument that do not tell a planted pair from strangers; none if all do."""
    unseeing = [row for row in rows if row.sees != "yes"]
    if not unseeing:
        return []
    seeing = len(rows) - len(unseeing)
    which, verb = f"only {seeing}" if seeing else "none", "tells" if seeing < 2 else "tell"
    return [
        f"Blind at this size: {which} of the {len(rows)} figures that compare the towers {verb} a tower of syntax and "
        "a tower of topics from strangers."
    ]


def _sentences(scale: Scale) -> list[str]:
    rows = scale.instruments
    seeing = [row for row in rows if row.sees == "yes"]
    return [
        f"{len(seeing)} of {len(rows)} figures of instruments tell a pair that was planted by texts from strangers.",
        *(
            f"{row.instrument} ({OF.get(row.of, row.of)}): the run lies at {percent(row.share, 0)} of the "
            f"way from strangers to the planted pair."
            for row in seeing if row.share
        ),
    ]  # fmt: skip


def _tables(scale: Scale) -> list[Table]:
    rows = [
        [row.instrument, OF.get(row.of, row.of), figure(row.pair), figure(row.strangers), figure(row.planted), row.sees]
        for row in scale.instruments
    ]
    head = ["instrument", "of", "this pair", "strangers", "planted by texts", "sees what was planted"]
    return [Table("Differences between towers, beside strangers and a planted pair", head, rows, 2)] if rows else []


SHOWN = Instrument(
    name="scale",
    title="Which instruments see a division",
    how=(
        "The same instruments ask strangers, and a pair with a tower of syntax and a tower of topics. An instrument "
        "that does not tell that pair from strangers is blind at this size: what it says of the run is no evidence."
    ),
    sentences=_sentences,
    tables=_tables,
)
