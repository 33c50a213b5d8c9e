"""What word similarity and norms of words find."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...config.conversion import OMITTED
from ...statistics.intervals import Estimate
from .views import LayerDifference, OfView


@dataclass(frozen=True)
class NormOfView(OfView):
    """Out-of-fold R² of a norm from one view; its interval resamples words."""

    estimate: float
    low: float
    high: float
    null: Estimate
    """Of shuffled words: mean and range."""
    beyond_baseline: Estimate
    """What the view adds to the baseline."""


@dataclass(frozen=True)
class NormOfWords:
    """How well one norm is predicted; without a baseline where too few words have it."""

    norm: str
    words: int
    baseline: Estimate | None = field(default=None, metadata=OMITTED)
    """R² of log frequency, letters and pieces."""
    views: list[NormOfView] = field(default_factory=list)
    differences: list[LayerDifference] | None = field(default=None, metadata=OMITTED)
    """Between towers, first minus second, at each layer."""


@dataclass(frozen=True)
class NormsOfWords:
    """How well norms of words are predicted."""

    total: int
    """Words of the table."""
    columns: dict[str, str]
    """The heading of each norm."""
    words: int
    """Those that are covered."""
    norms: list[NormOfWords]


@dataclass(frozen=True)
class WordsAsked:
    """How many words there are views of."""

    asked: int
    covered: int
    """Words that are frequent enough in the training text."""
    one_piece: int
    several_pieces: int
    least_occurrences: int
    """`know.frequent`"""
    occurrences: int
    """Read of each word, at most."""
    read: float
    """Their mean."""


@dataclass(frozen=True)
class SimilarityOfView(OfView):
    """Spearman's correlation of the cosines of a view with people's ratings."""

    estimate: float
    low: float
    high: float
    null: Estimate
    """Of shuffled words."""
    p_value: float


@dataclass(frozen=True)
class SetOfWords:
    """Word similarity, measured on one set of rated pairs."""

    set: str
    column: str
    """Of the ratings."""
    total: int
    covered: int
    """Pairs of covered words."""
    one_piece: int
    several_pieces: int
    identical: int
    """Pairs of a word with itself, which are left out."""
    views: list[SimilarityOfView]
    """None with too few pairs."""
    differences: list[LayerDifference]
    """Between towers, first minus second, at each layer."""


@dataclass(frozen=True)
class Words:
    """What each tower makes of a word, with and without context."""

    words: WordsAsked
    similarity: list[SetOfWords]
    norms: NormsOfWords | None
    """None where no norms were given."""
