"""The ruler on one run, with the fitted rule and the words in context that explain its division."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..config.conversion import OMITTED
from .along_texts import AlongTexts
from .contexts import ContextOfType, contexts_of
from .division import Division, division_of
from .measured import Measured
from .router import Router, router_of
from .scale import ScaleRow


@dataclass(frozen=True)
class DivisionOfRun(Division):
    """How the towers of a run divide the work, and where that comes from."""

    router: Router | None
    """How much of the difference a rule fitted to all labels predicts; None where nothing can be measured."""
    contexts: list[ContextOfType]
    """The words in context that divide most."""
    scale: list[ScaleRow] | None = field(default=None, metadata=OMITTED)
    """Where each label lies between strangers and a planted division; left out where none was planted."""
    along_texts: AlongTexts | None = field(default=None, metadata=OMITTED)
    """How far the division runs along one of syntax and topics; left out where no texts were planted."""


@dataclass(frozen=True)
class Planted:
    """What the scale of a run is made of (`planted.json`)."""

    divisions: dict[str, DivisionOfRun]
    """Of the planted pairs, by their kind (`model.planted`)."""
    along_texts: AlongTexts | None
    """The run beside the pair that was planted by texts; None where there is none, or no difference."""


def division_of_run(measured: Measured) -> DivisionOfRun | None:
    """The ruler on a scored text, with its router and its contexts; None for a single tower."""
    division = division_of(measured)
    if division is None:
        return None
    return DivisionOfRun(**vars(division), router=router_of(measured), contexts=contexts_of(measured))
