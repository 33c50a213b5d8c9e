"""What the instruments have found of a run, read from its folder."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ..config.conversion import hints_of
from ..config.instruments import INSTRUMENTS
from ..runs.records import read_record
from ..runs.stages import STAGES
from .findings.knowledge import Knowledge


def knowledge_of(run: Path, artifacts: Collection[str] | None = None) -> Knowledge | None:
    """What the instruments of `twotower know` have found; None if none was used.

    `artifacts`: those that are up to date; the others are left out. None: all that are there.
    """
    kinds, records = hints_of(Knowledge), {}
    for name in INSTRUMENTS:
        artifact = f"knowledge/{name}"
        place = run / artifact / "results.json"
        if artifact in artifacts if artifacts is not None else place.exists():
            records[name] = read_record(kinds[name], place, f"redo it with `{STAGES[name].command(run)}`")
    return Knowledge(**records) if records else None
