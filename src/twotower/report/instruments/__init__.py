"""The section "What each tower knows": a part for each instrument that was used. A new one is a module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...knowledge.findings.knowledge import Knowledge
from .record import Instrument, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN: tuple[Instrument, ...] = tuple(
    import_module(f".{instrument.name}", __package__).SHOWN for instrument in fields(Knowledge)
)
"""In the order of the page; each is `SHOWN` of the module of its name."""
LABELS = {f"knowledge_{one.name}": one.picture.label for one in SHOWN if one.picture}
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
    return [(one, found) for one in SHOWN if (found := getattr(known, one.name, None))]


def what_is_known(known: Knowledge | None) -> list[str]:
    """A sentence or two for each instrument that was used."""
    return [sentence for one, found in _used(known) for sentence in one.sentences(found)]


def parts(known: Knowledge | None) -> list[Part]:
    """A part for each instrument that was used, in a fixed order; none for a run that was asked nothing."""
    return [Part(one.name, one.title, one.how, one.sentences(found), one.tables(found)) for one, found in _used(known)]


def figures_of(known: Knowledge | None) -> dict[str, Callable[[Figure], None]]:
    """By name, what draws each figure that the results have data for."""
    return {
        f"knowledge_{one.name}": partial(one.picture.draw, found)
        for one, found in _used(known)
        if one.picture and one.picture.has_data(found)
    }
