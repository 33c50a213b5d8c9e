"""The section "What each tower knows": a part for each instrument that was used. A new one is a module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...knowledge.findings.knowledge import Knowledge
from .record import Instrument, Table
from .scale import blind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN: tuple[Instrument, ...] = tuple(
    import_module(f".{instrument.name}", __package__).SHOWN for instrument in fields(Knowledge)
)
"""In the order of the page; each is `SHOWN` of the module of its name."""
LABELS = {f"knowledge_{instrument.name}": instrument.picture.label for instrument in SHOWN if instrument.picture}
"""What each figure shows, for those who cannot see it."""


@dataclass(frozen=True)
class Part:
    """What one instrument found."""

    name: str
    title: str
    how: str
    sentences: list[str]
    tables: list[Table]


def _used(known: Knowledge | None) -> list[tuple[Instrument, Any]]:
    """The instruments that were used, each with what it found."""
    return [(instrument, findings) for instrument in SHOWN if (findings := getattr(known, instrument.name, None))]


def what_is_known(known: Knowledge | None) -> list[str]:
    """A sentence or two for each instrument that was used."""
    return [sentence for instrument, findings in _used(known) for sentence in _sentences(instrument, findings, known)]


def _sentences(instrument: Instrument, findings: Any, known: Knowledge | None) -> list[str]:
    """What an instrument found, and where it is blind, if that was measured."""
    scale = known.scale if known else None
    of_instrument = [row for row in scale.instruments if row.name == instrument.name] if scale else []
    return [*instrument.sentences(findings), *blind(of_instrument)]


def parts(known: Knowledge | None) -> list[Part]:
    """A part for each instrument that was used, in a fixed order; none for a run that was asked nothing."""
    return [
        Part(
            instrument.name,
            instrument.title,
            instrument.how,
            _sentences(instrument, findings, known),
            instrument.tables(findings),
        )
        for instrument, findings in _used(known)
    ]


def figures_of(known: Knowledge | None) -> dict[str, Callable[[Figure], None]]:
    """By name, what draws each figure that the results have data for."""
    return {
        f"knowledge_{instrument.name}": partial(instrument.picture.draw, findings)
        for instrument, findings in _used(known)
        if instrument.picture and instrument.picture.has_data(findings)
    }
