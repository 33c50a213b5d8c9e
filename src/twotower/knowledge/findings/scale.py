"""What a scale of instruments finds: whether each sees a division that was planted."""

from __future__ import annotations

from dataclasses import dataclass

from ...statistics.intervals import Estimate
from ...statistics.verdicts import Verdict


@dataclass(frozen=True)
class InstrumentOnScale:
    """One figure of an instrument: of the run, of its strangers, and of a pair that was planted by texts."""

    name: str
    """Of the instrument."""
    instrument: str
    """What is measured, in words."""
    of: str
    """`syntax`, `meaning`, `both`, or "" for an instrument that cannot tell."""
    pair: Estimate
    """Tower 1 minus tower 2; of `both` and of "" a figure that does not depend on which tower is called 1."""
    strangers: Estimate
    planted: Estimate
    """The tower of syntax minus the tower of topics."""
    sees: Verdict
    """Whether the planted pair exceeds strangers, in the direction that was planted; unless *yes*, the instrument is
    blind at this size."""
    share: Estimate | None
    """Where the run lies between strangers (0) and the planted pair (1), in squares of the difference less its sampling
    variance. None where the instrument is blind."""


@dataclass(frozen=True)
class Scale:
    """Each instrument on a scale from strangers to a pair that was planted by texts."""

    instruments: list[InstrumentOnScale]
