"""By how much the towers of a run differ, by each instrument that compares them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import nan
from typing import Any

from ...statistics.intervals import Estimate, Interval
from .decoding import DecodedTask, Decoding
from .knowledge import Knowledge
from .lesions import Lesions, LesionsOnPairs
from .pairs import Pairs
from .perturbed_masking import NothingMasked, PerturbedMasking
from .probe import Probe
from .words import Words

SYNTAX, MEANING, FREQUENCY = "syntax", "meaning", "frequency"


@dataclass(frozen=True)
class Difference(Estimate):
    """By how much the first tower of a run exceeds the second by one instrument."""

    instrument: str
    of: str
    """`syntax`, `meaning` or `frequency`."""
    p_value: float | None
    """None where the instrument has no test within a run."""

    @classmethod
    def between(cls, instrument: str, subject: str, estimate: Interval, p_value: float | None = None) -> Difference:
        """From the estimate of the difference."""
        return cls(estimate.estimate, estimate.low, estimate.high, instrument, subject, p_value)


def differences(known: Knowledge) -> list[Difference]:
    """By how much the first tower of a run exceeds the second, by instrument."""
    return [difference for of_instrument in differences_of(known).values() for difference in of_instrument]


def differences_of(known: Knowledge) -> dict[str, list[Difference]]:
    """The same by the name of the instrument, for those that were used."""
    return {name: list(read(findings)) for name, read in READERS.items() if (findings := getattr(known, name))}


def _pairs(pairs: Pairs) -> Iterable[Difference]:
    for kind in pairs.kinds:
        if kind.difference and kind.kind in (SYNTAX, MEANING):
            name = f"minimal pairs, {kind.set}"
            yield Difference.between(name, kind.kind, kind.difference, kind.difference.p_value)


def _lesions(lesions: Lesions) -> Iterable[Difference]:
    if slope := lesions.upos.by_frequency:
        yield Difference.between("lesions, by frequency", FREQUENCY, slope, slope.p_value)
    if isinstance(lesions.pairs, LesionsOnPairs) and lesions.pairs.found.interaction:
        means = [loss for loss in lesions.pairs.found.losses if loss.way == "mean"]
        cost = {(mean.tower, mean.kind): mean.margin.estimate for mean in means}
        for kind in (SYNTAX, MEANING):
            yield Difference(cost[1, kind] - cost[2, kind], nan, nan, "lesions, minimal pairs", kind, None)


def _probe(probe: Probe) -> Iterable[Difference]:
    for row in probe.found.differences:
        if row.layer == "chosen":
            yield Difference.between("structural probe, UUAS", SYNTAX, row.uuas)


def _decoding(decoding: Decoding) -> Iterable[Difference]:
    for name, kind in (("upos", SYNTAX), ("deprel", SYNTAX), ("lemma", MEANING), ("topic", MEANING)):
        task = decoding.tasks[name]
        for row in task.differences if isinstance(task, DecodedTask) else []:
            if row.layer == "chosen":
                yield Difference.between(f"decoding of {name}", kind, row.accuracy)


def _masking(masking: PerturbedMasking | NothingMasked) -> Iterable[Difference]:
    for row in [] if isinstance(masking, NothingMasked) else masking.found.differences:
        yield Difference.between("perturbed masking, UUAS", SYNTAX, row.uuas)


def _words(words: Words) -> Iterable[Difference]:
    for similarity in words.similarity:
        if similarity.differences:
            yield Difference.between(f"word similarity, {similarity.set}", MEANING, similarity.differences[-1])
    for norm in words.norms.norms if words.norms else []:
        if norm.differences:
            yield Difference.between(f"norms, {norm.norm}", MEANING, norm.differences[-1])


READERS: dict[str, Callable[[Any], Iterable[Difference]]] = {
    "pairs": _pairs, "probe": _probe, "decoding": _decoding, "perturbed_masking": _masking, "words": _words,
    "lesions": _lesions,
}  # fmt: skip
"""For each instrument whose towers are compared, what it says of them."""
