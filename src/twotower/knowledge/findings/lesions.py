"""What lesions find."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...config.conversion import INLINED, keyed
from ...preference.class_variance import Null
from ...statistics.intervals import Estimate


@dataclass(frozen=True)
class LossOfClass:
    """What the occurrences of a class lose, in nats."""

    name: str = field(metadata=keyed("class"))
    occurrences: int
    loss: Estimate


@dataclass(frozen=True)
class LossOfLesion:
    """What is lost without a tower, in nats."""

    tower: int
    way: str
    """What replaces its contribution: its `mean`, `zero`, or `resampled` values at another position."""
    loss: Estimate
    """All over."""
    classes: list[LossOfClass]


@dataclass(frozen=True)
class ClassApart:
    """By how much the losses of two towers differ in a class, less their difference over all occurrences."""

    name: str = field(metadata=keyed("class"))
    occurrences: int
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Beyond(Estimate):
    """A difference between two towers, beside that of random parts of the units."""

    of: list[int]
    """Which towers."""
    null: Null
    p_value: float


@dataclass(frozen=True)
class ProfilesApart(Beyond):
    """The standard deviation over classes of the difference of two towers' losses, weighted by occurrences."""

    profile: list[ClassApart]


@dataclass(frozen=True)
class LossesByClass:
    """Losses by class of word, and how far the towers are apart; None there for one tower, or too few occurrences."""

    occurrences: int
    documents: int
    lesions: list[LossOfLesion]
    apart: ProfilesApart | None
    apart_beyond_frequency: ProfilesApart | None
    """The same less the mean of all occurrences of similar training frequency."""
    by_frequency: Beyond | None
    """By how many nats the difference changes for each e-fold of training frequency."""


@dataclass(frozen=True)
class LossOnPairs:
    """What a lesion costs on minimal pairs of one kind."""

    tower: int
    way: str
    kind: str
    accuracy: Estimate
    margin: Estimate
    """Log-probability of the better sentence minus that of the worse, in nats."""


@dataclass(frozen=True)
class Interaction(Estimate):
    """By how much more the lesion of one tower costs on syntax than on meaning than that of another does.

    In standard deviations of the intact margins of each kind. One half of the items says which tower is the one of
    syntax; the figures are of the other half.
    """

    tower_of_syntax: int
    tower_of_meaning: int
    null: Null
    p_value: float
    syntax: Estimate
    """By how much the lesion of the tower of syntax costs more than the other's there."""
    meaning: Estimate
    crossover: bool
    """Whether `syntax` is above and `meaning` below zero, each by its whole interval."""


@dataclass(frozen=True)
class Dissociation:
    """Whether lesions of two towers part syntax from meaning."""

    intact: dict[str, float]
    """Accuracy without a lesion, by kind of pair."""
    losses: list[LossOnPairs]
    interaction: Interaction | None
    """None for one tower, or too few pairs."""


@dataclass(frozen=True)
class LesionsOnPairs:
    """What lesions cost on minimal pairs."""

    pairs: dict[str, int]
    """By kind."""
    found: Dissociation = field(metadata=INLINED)


@dataclass(frozen=True)
class TooFewPairs:
    """Why lesions were not measured on minimal pairs."""

    pairs: dict[str, int]
    left_out: str


@dataclass(frozen=True)
class Lesions:
    """What the joint model loses without each tower."""

    halves: int
    """Random divisions of the units that make up the null."""
    upos: LossesByClass
    relations: LossesByClass | None
    """None without a treebank."""
    pairs: LesionsOnPairs | TooFewPairs | None
    """None where `twotower know --only pairs` has not been run."""
