"""Whether each instrument sees a division of syntax and topics that was planted, and where the run lies beside it."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

from ..statistics.intervals import Estimate, negated
from ..statistics.ratios import share_between, variance_of
from ..statistics.verdicts import verdict
from .findings.differences import MEANING, SYNTAX, differences_of
from .findings.knowledge import Knowledge
from .findings.lesions import LesionsOnPairs
from .findings.scale import InstrumentOnScale, Scale
from .found import knowledge_of
from .subject import Subject

BESIDE = ("strangers", "controls/planted-texts")
"""Where the ends of the scale lie below a run folder: strangers, and the pair that was planted by texts."""
Figures = dict[tuple[str, str, str], Estimate]
"""By the name of the instrument, what is measured, and what it is of."""


def scale(subject: Subject) -> Scale:
    """Set what each instrument found of the run beside what it found of strangers and of a planted pair.

    Those must have been asked the same before.
    """
    confidence = subject.config.analyze.confidence
    beside = [knowledge_of(subject.run / folder) for folder in BESIDE]
    pair, strangers, planted = map(_figures, (knowledge_of(subject.run, subject.made), *beside))
    rows = [
        row_of(key, pair[key], strangers[key], planted[key], confidence)
        for key in pair if key in strangers and key in planted
    ]  # fmt: skip
    return Scale(rows)


def _figures(known: Knowledge | None) -> Figures:
    return dict(_each(known)) if known else {}


def _each(known: Knowledge) -> Iterable[tuple[tuple[str, str, str], Estimate]]:
    for name, measured in differences_of(known).items():
        for row in measured:
            if row.of in (SYNTAX, MEANING) and isfinite(row.low):
                yield (name, row.instrument, row.of), Estimate(row.estimate, row.low, row.high)
    on_pairs = known.lesions.pairs if known.lesions else None
    apart = on_pairs.found.interaction if isinstance(on_pairs, LesionsOnPairs) else None
    if apart:
        yield ("lesions", "lesions, syntax against meaning", "both"), Estimate(apart.estimate, apart.low, apart.high)
    layers = known.similarity.across if known.similarity else []
    for cka in [row.cka for row in layers if row.layer == max(row.layer for row in layers)]:
        yield ("similarity", "1 - CKA of the last layers", ""), Estimate(1 - cka.estimate, 1 - cka.high, 1 - cka.low)


def row_of(
    key: tuple[str, str, str], pair: Estimate, strangers: Estimate, planted: Estimate, confidence: float
) -> InstrumentOnScale:
    """One figure on the scale; `key` as in `Figures`. The interval of a share is Fieller's."""
    signed = key[2] in (SYNTAX, MEANING)
    expected = negated(planted) if key[2] == MEANING else planted
    ahead = negated(strangers) if signed and strangers.estimate < 0 else strangers
    sees = verdict(expected, None, ahead)
    share = None
    if sees == "yes":
        if signed:
            pair_size, nothing, whole = (_square(estimate, confidence) for estimate in (pair, strangers, planted))
            share = share_between(pair_size, nothing, whole, confidence)
        else:
            share = share_between(pair, strangers, planted, confidence)
    return InstrumentOnScale(*key, pair, strangers, planted, sees, share)


def _square(estimate: Estimate, confidence: float) -> Estimate:
    """The square less its bias, the sampling variance; its own variance is that of a squared normal variable."""
    variance = variance_of(estimate, confidence)
    square = estimate.estimate**2 - variance
    if variance == 0:
        return Estimate(square, square, square)
    error = (4 * estimate.estimate**2 * variance + 2 * variance**2) ** 0.5
    reach = (estimate.high - estimate.low) / 2 * error / variance**0.5
    return Estimate(square, square - reach, square + reach)
