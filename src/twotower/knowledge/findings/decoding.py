"""What linear decoding finds."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...config.conversion import OMITTED
from ...statistics.intervals import Estimate
from .views import Counts, OfView


@dataclass(frozen=True)
class DecodingFigures:
    """How well a task is decoded from one view."""

    accuracy: Estimate
    control: Estimate
    """Accuracy on random labels of word types."""
    selectivity: Estimate
    """Accuracy on the task minus that on the control."""
    compression: Estimate
    """Length of the labels in a uniform code over that of their online code."""


@dataclass(frozen=True)
class DecodedView(OfView):
    """The same, with what the choice of a layer rests on."""

    dev: float
    """Accuracy on the dev sentences."""
    codelength: float
    """In bits."""
    accuracy: Estimate
    control: Estimate
    selectivity: Estimate
    compression: Estimate


@dataclass(frozen=True)
class Majority:
    """What knowing the frequencies of labels gives."""

    accuracy: Estimate
    """Of the most common label."""
    compression: Estimate
    """Of a code that knows the labels' frequencies so far: the null of compression."""


@dataclass(frozen=True)
class ChosenDecoding:
    """The layer of a tower that the dev sentences choose, beside its controls."""

    tower: int
    layer: int | None
    accuracy: Estimate
    control: Estimate
    selectivity: Estimate
    compression: Estimate
    null: dict[str, DecodingFigures | Majority]
    """Of the untrained tower's layer, of the shared embedding, and of the `majority`."""
    over_embedding: DecodingFigures | None = field(default=None, metadata=OMITTED)


@dataclass(frozen=True)
class DifferenceInDecoding:
    """By how much the first of two towers exceeds the second."""

    towers: list[int]
    layer: int | str
    """Or `chosen`: each tower's own."""
    accuracy: Estimate
    control: Estimate
    selectivity: Estimate
    compression: Estimate


@dataclass(frozen=True)
class WordsOfTask:
    """Words that have one of the labels."""

    train: int
    dev: int
    test: int
    test_of_seen_types: int
    """Test words whose type occurs in training: the control and selectivity are of these."""


@dataclass(frozen=True)
class DecodedTask:
    """One task, decoded from every view."""

    labels: int
    words: WordsOfTask
    unconverged: int
    """Classifiers that stopped before they had converged."""
    views: list[DecodedView]
    majority: Majority
    chosen: list[ChosenDecoding]
    differences: list[DifferenceInDecoding]


@dataclass(frozen=True)
class TaskLeftOut:
    """Why a task is left out."""

    left_out: str


@dataclass(frozen=True)
class Decoding:
    """Linear decoding from every layer of every tower."""

    sentences: Counts
    words: dict[str, int]
    tasks: dict[str, DecodedTask | TaskLeftOut]
