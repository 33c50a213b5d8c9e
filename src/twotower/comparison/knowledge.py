"""What the towers of many runs know: instruments of syntax against instruments of meaning, with runs as the unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..config.conversion import INLINED
from ..knowledge.findings.decoding import DecodedTask, Decoding
from ..knowledge.findings.knowledge import Knowledge
from ..knowledge.findings.lesions import Lesions, LesionsOnPairs
from ..knowledge.findings.pairs import Pairs
from ..knowledge.findings.probe import Probe
from ..knowledge.findings.words import Words
from ..statistics.intervals import exceedance, percentile_interval
from ..statistics.tallies import Floats

SYNTAX, MEANING, FREQUENCY = "syntax", "meaning", "frequency"
DRAWS = 9999
FEWEST = 5
"""Runs from which two instruments are compared."""


@dataclass(frozen=True)
class Difference:
    """By how much the first tower of a run exceeds the second by one instrument."""

    instrument: str
    of: str
    """`syntax`, `meaning` or `frequency`."""
    estimate: float
    """Tower 1 minus tower 2."""
    p_value: float | None
    """None where the instrument has no test within a run."""


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


def differences(known: Knowledge) -> list[Difference]:
    """By how much the first tower of a run exceeds the second, by instrument."""
    return [
        difference
        for name, differences_in in READERS.items()
        if (findings := getattr(known, name))
        for difference in differences_in(findings)
    ]


def _pairs(found: Pairs) -> Iterable[Difference]:
    for kind in found.kinds:
        if kind.difference and kind.kind in (SYNTAX, MEANING):
            yield Difference(f"minimal pairs, {kind.set}", kind.kind, kind.difference.estimate, kind.difference.p_value)


def _lesions(found: Lesions) -> Iterable[Difference]:
    if slope := found.upos.by_frequency:
        yield Difference("lesions, by frequency", FREQUENCY, slope.estimate, slope.p_value)
    if isinstance(found.pairs, LesionsOnPairs) and found.pairs.found.interaction:
        means = [loss for loss in found.pairs.found.losses if loss.way == "mean"]
        cost = {(mean.tower, mean.kind): mean.margin.estimate for mean in means}
        for kind in (SYNTAX, MEANING):
            yield Difference("lesions, minimal pairs", kind, cost[1, kind] - cost[2, kind], None)


def _probe(found: Probe) -> Iterable[Difference]:
    for row in found.found.differences:
        if row.layer == "chosen":
            yield Difference("structural probe, UUAS", SYNTAX, row.uuas.estimate, None)


def _decoding(found: Decoding) -> Iterable[Difference]:
    for name, kind in (("upos", SYNTAX), ("deprel", SYNTAX), ("lemma", MEANING), ("topic", MEANING)):
        task = found.tasks[name]
        for row in task.differences if isinstance(task, DecodedTask) else []:
            if row.layer == "chosen":
                yield Difference(f"decoding of {name}", kind, row.accuracy.estimate, None)


def _words(found: Words) -> Iterable[Difference]:
    for similarity in found.similarity:
        if similarity.differences:
            yield Difference(f"word similarity, {similarity.set}", MEANING, similarity.differences[-1].estimate, None)
    for norm in found.norms.norms if found.norms else []:
        if norm.differences:
            yield Difference(f"norms, {norm.norm}", MEANING, norm.differences[-1].estimate, None)


READERS: dict[str, Callable[[Any], Iterable[Difference]]] = {
    "pairs": _pairs, "probe": _probe, "decoding": _decoding, "words": _words, "lesions": _lesions,
}  # fmt: skip
"""For each instrument whose towers are compared over runs, what it says of them."""


def knowledge_of_runs(runs: Sequence[tuple[str, bool, Knowledge]], confidence: float = 0.95) -> KnowledgeOfRuns | None:
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
                both = np.array([[of_run[key].estimate for key in (first, second)] for of_run in having])
                if first.of != second.of and len(both) >= FEWEST:
                    found_together = association(both[:, 0], both[:, 1], np.random.default_rng(0), confidence)
                    table.append(AssociationOfInstruments(first, second, stranger, found_together))
    return KnowledgeOfRuns(instruments, table, rows)


def association(first: Floats, second: Floats, generator: np.random.Generator, confidence: float = 0.95) -> Association:
    """Whether the tower that is ahead by one instrument is ahead by another, over runs; each of shape (runs,).

    The cosine of the two instruments' differences: +1 where the same tower is ahead by both, -1 where each has its own
    (a double dissociation). It stays the same when the towers of a run change places. The interval is a bootstrap over
    runs; the p-value, two-sided, changes the sign of one instrument's difference in each run at random. `agree`: in how
    many of the runs the signs do. Where all differences of an instrument are 0 there is no cosine: it and its interval
    are NaN, and `p_value` is None, so that it counts in no family of tests.
    """

    def cosine(a: Floats, b: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            cosines: Floats = (a * b).sum(axis=-1) / np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
        return cosines

    agree = int((np.sign(first) == np.sign(second)).sum())
    estimate = float(cosine(first, second))
    if not np.isfinite(estimate):
        return Association(len(first), agree, np.nan, np.nan, np.nan, None)
    signs = generator.choice([-1.0, 1.0], size=(DRAWS, len(first)))
    chance = np.abs(cosine(signs * first, second))
    drawn = generator.integers(len(first), size=(DRAWS, len(first)))
    interval = percentile_interval(estimate, cosine(first[drawn], second[drawn]), confidence)
    return Association(len(first), agree, **vars(interval), p_value=exceedance(abs(estimate), chance))
