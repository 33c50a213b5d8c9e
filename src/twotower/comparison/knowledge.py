"""What the towers of many runs know: instruments of syntax against instruments of meaning, with runs as the unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..config.conversion import INLINED
from ..knowledge.findings.differences import Difference, differences
from ..knowledge.findings.knowledge import Knowledge
from ..statistics.intervals import exceedance, jackknife_interval
from ..statistics.tallies import Floats
from .inference import ORDERS

FEWEST = 5
"""Runs from which two instruments are compared."""


@dataclass(frozen=True)
class DifferencesOfRun:
    """By how much the towers of one run differ, by instrument."""

    run: str
    stranger: bool
    differences: list[Difference]


@dataclass(frozen=True)
class InstrumentOverRuns:
    """In how many runs the towers differ by an instrument, and by how much."""

    instrument: str
    of: str
    stranger: bool
    runs: int
    size: float
    """Mean size of the difference, whichever is ahead."""
    tested: int
    """Runs in which it has a test."""
    passed: int
    """Runs in which the towers differ (p < 0.05, or what else `analyze.confidence` leaves)."""


@dataclass(frozen=True)
class Association:
    """Whether the tower that is ahead by one instrument is ahead by another, over runs."""

    runs: int
    agree: int
    """Runs in which the signs of both differences are the same."""
    estimate: float
    """The cosine of the two differences: 1 where the same tower is ahead by both, -1 where each has its own."""
    low: float
    high: float
    p_value: float | None


@dataclass(frozen=True)
class InstrumentOf:
    """An instrument, and what it is of."""

    instrument: str
    of: str


@dataclass(frozen=True)
class AssociationOfInstruments:
    """The association of two instruments of different things."""

    first: InstrumentOf
    second: InstrumentOf
    stranger: bool
    association: Association = field(metadata=INLINED)

    @property
    def name(self) -> str:
        """Both instruments in words."""
        return " and ".join(f"{side.instrument} ({side.of})" for side in (self.first, self.second))


@dataclass(frozen=True)
class KnowledgeOfRuns:
    """Instruments of syntax × instruments of meaning × towers, over runs of two towers."""

    instruments: list[InstrumentOverRuns]
    """Of pairs, then of strangers."""
    table: list[AssociationOfInstruments]
    """Of each two instruments of different things."""
    runs: list[DifferencesOfRun]


def knowledge_of_runs(runs: Sequence[tuple[str, bool, Knowledge]], confidence: float) -> KnowledgeOfRuns | None:
    """Instruments compared over runs; None without a run.

    A tower's number means nothing, so what is compared is whether the tower that is ahead by one instrument is ahead,
    or behind, by another. `runs`: name, whether its towers are strangers, and `knowledge` of its results, of each run
    that has it.
    """
    if not runs:
        return None
    rows = [DifferencesOfRun(name, stranger, differences(known)) for name, stranger, known in runs]
    by_run = [
        {InstrumentOf(difference.instrument, difference.of): difference for difference in row.differences}
        for row in rows
    ]
    order = list(dict.fromkeys(instrument for of_run in by_run for instrument in of_run))
    instruments, table = [], []
    for stranger in (False, True):
        mine = [of_run for row, of_run in zip(rows, by_run, strict=True) if row.stranger == stranger]
        for key in order:
            measured = [of_run[key] for of_run in mine if key in of_run]
            tested = [difference.p_value for difference in measured if difference.p_value is not None]
            if measured:
                instruments.append(InstrumentOverRuns(
                    key.instrument, key.of, stranger, len(measured),
                    size=float(np.mean([abs(difference.estimate) for difference in measured])),
                    tested=len(tested), passed=sum(p < 1 - confidence for p in tested),
                ))  # fmt: skip
        for number, first in enumerate(order):
            for second in order[number + 1 :]:
                having = [of_run for of_run in mine if first in of_run and second in of_run]
                pairs = np.array([[of_run[key].estimate for key in (first, second)] for of_run in having])
                if first.of != second.of and len(pairs) >= FEWEST:
                    found_together = association(pairs[:, 0], pairs[:, 1], np.random.default_rng(0), confidence)
                    table.append(AssociationOfInstruments(first, second, stranger, found_together))
    return KnowledgeOfRuns(instruments, table, rows)


def association(first: Floats, second: Floats, generator: np.random.Generator, confidence: float) -> Association:
    """Whether the tower that is ahead by one instrument is ahead by another, over runs; each of shape (runs,).

    The cosine of the two instruments' differences: +1 where the same tower is ahead by both, -1 where each has its own
    (a double dissociation). It stays the same when the towers of a run change places. The interval is the jackknife's
    over runs, on Fisher's scale; the p-value, two-sided, changes the sign of one instrument's difference in each run at
    random. `agree`: in how many of the runs the signs do. Where all differences of an instrument are 0 there is no
    cosine: it and its interval are NaN, and `p_value` is None, so that it counts in no family of tests.
    """

    def cosine(a: Floats, b: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            cosines: Floats = (a * b).sum(axis=-1) / np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
        return cosines

    agree = int((np.sign(first) == np.sign(second)).sum())
    estimate = float(cosine(first, second))
    if not np.isfinite(estimate):
        return Association(len(first), agree, np.nan, np.nan, np.nan, None)
    signs = generator.choice([-1.0, 1.0], size=(ORDERS, len(first)))
    chance = np.abs(cosine(signs * first, second))
    others = ~np.eye(len(first), dtype=bool)
    left_out = [float(cosine(first[kept], second[kept])) for kept in others]
    on_z = jackknife_interval(np.arctanh(np.clip([estimate, *left_out], -0.999999, 0.999999)), confidence)
    low, high = np.tanh([on_z.low, on_z.high]).tolist()
    return Association(len(first), agree, estimate, low, high, p_value=exceedance(abs(estimate), chance))
