"""What minimal pairs and suites find."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...config.conversion import OMITTED
from ...statistics.intervals import Estimate


@dataclass(frozen=True)
class DifferenceOfTowers(Estimate):
    """By how much two towers differ in accuracy, each the mean over the sets of readouts."""

    of: list[int]
    """Which towers: the first minus the second."""
    p_value: float
    """Two-sided: the towers of each cluster change places at random."""
    null_high: float


@dataclass(frozen=True)
class PredictionOfSuite:
    """How often a prediction holds."""

    formula: str
    accuracy: dict[str, Estimate]
    """Share of the items, by head."""


@dataclass(frozen=True)
class ScoredSuite:
    """How far the predictions of a suite hold."""

    suite: str
    items: int
    covered: int
    """Items whose words are frequent enough, and which fit the window."""
    predictions: list[PredictionOfSuite]
    """None where no item is covered."""


@dataclass(frozen=True)
class FileOfPairs:
    """A file of ready pairs, as it was read."""

    file: str
    better: str
    """The column or line of the better sentence."""
    worse: str
    pairs: int
    replaced: int
    """Pairs in which signs that the text never has were replaced."""


@dataclass(frozen=True)
class SetOfPairs:
    """How many pairs of a set were read, left out and scored."""

    set: str
    pairs: int
    covered: int
    """Pairs whose words are frequent enough, and which fit the window."""
    scored: int
    left_out: dict[str, int]
    """By reason."""


@dataclass(frozen=True)
class GeneratedPairs:
    """Pairs that a treebank gave; empty without one."""

    sentences: int | None = field(default=None, metadata=OMITTED)
    available: dict[str, int] | None = field(default=None, metadata=OMITTED)
    """By kind of violation."""
    used: dict[str, int] | None = field(default=None, metadata=OMITTED)


@dataclass(frozen=True)
class Paradigm:
    """Accuracy on the pairs of one paradigm."""

    set: str
    paradigm: str
    kind: str
    """`syntax`, `meaning` or `other`."""
    pairs: int
    accuracy: dict[str, Estimate]
    """By head."""
    per_word: dict[str, float]
    """The same of log-probabilities divided by the number of words."""
    difference: DifferenceOfTowers | None
    """None for a single tower."""


@dataclass(frozen=True)
class KindOfPairs:
    """Mean accuracy over the paradigms of a kind that have enough pairs."""

    set: str
    kind: str
    paradigms: int
    pairs: int
    accuracy: dict[str, Estimate]
    """By head; pairs and paradigms are resampled."""
    difference: DifferenceOfTowers | None


@dataclass(frozen=True)
class Pairs:
    """Accuracy on minimal pairs."""

    heads: list[str]
    files: list[FileOfPairs]
    sets: list[SetOfPairs]
    left_out: dict[str, list[str]]
    """Pairs that are identical or broken, by reason."""
    generated: GeneratedPairs
    suites: list[ScoredSuite]
    """Of SyntaxGym."""
    paradigms: list[Paradigm]
    kinds: list[KindOfPairs]
