"""What all instruments have found of one run."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...config.conversion import OMITTED
from .decoding import Decoding
from .lesions import Lesions
from .pairs import Pairs
from .perturbed_masking import NothingMasked, PerturbedMasking
from .probe import Probe
from .scale import Scale
from .similarity import Similarity
from .words import Words


@dataclass(frozen=True)
class Knowledge:
    """What each instrument of `twotower know` has found, in the order of the page; left out where it was not used."""

    pairs: Pairs | None = field(default=None, metadata=OMITTED)
    probe: Probe | None = field(default=None, metadata=OMITTED)
    decoding: Decoding | None = field(default=None, metadata=OMITTED)
    perturbed_masking: PerturbedMasking | NothingMasked | None = field(default=None, metadata=OMITTED)
    words: Words | None = field(default=None, metadata=OMITTED)
    lesions: Lesions | None = field(default=None, metadata=OMITTED)
    similarity: Similarity | None = field(default=None, metadata=OMITTED)
    scale: Scale | None = field(default=None, metadata=OMITTED)
