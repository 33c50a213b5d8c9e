"""The section "What each tower knows": a part for each instrument that was used. A new one is a module and a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ...config.conversion import converted
from . import decoding, lesions, pairs, perturbed_masking, probe, similarity, words
from .record import Instrument, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Known = Mapping[str, Any] | None
"""What instruments found, by their names: `knowledge` of a run's results."""
SHOWN: tuple[Instrument, ...] = (
    pairs.SHOWN, probe.SHOWN, decoding.SHOWN, perturbed_masking.SHOWN, words.SHOWN, lesions.SHOWN, similarity.SHOWN,
)  # fmt: skip
"""In the order of the page."""
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


def _used(known: Known) -> list[tuple[Instrument, Any]]:
    """The instruments that were used, each with its record."""
    return [
        (one, converted(known[one.name], one.record, f"knowledge.{one.name}", nan=True))
        for one in SHOWN if known and known.get(one.name)
    ]  # fmt: skip


def what_is_known(known: Known) -> list[str]:
    """A sentence or two for each instrument that was used."""
    return [sentence for one, found in _used(known) for sentence in one.sentences(found)]


def parts(known: Known) -> list[Part]:
    """A part for each instrument that was used, in a fixed order; none for a run that was asked nothing."""
    return [Part(one.name, one.title, one.how, one.sentences(found), one.tables(found)) for one, found in _used(known)]


def figures_of(known: Known) -> dict[str, Callable[[Figure], None]]:
    """By name, what draws each figure that the results have data for."""
    return {
        f"knowledge_{one.name}": partial(one.picture.draw, found)
        for one, found in _used(known)
        if one.picture and one.picture.has_data(found)
    }
