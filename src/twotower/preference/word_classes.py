"""What each class of words prefers beyond frequency: profile, share of variance, planned contrasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from ..config.conversion import OMITTED, keyed
from ..statistics.intervals import percentile_interval
from ..statistics.regression import residuals
from ..statistics.strata import smooth_basis
from ..statistics.tallies import Floats, Tallies, halves, mean_of, resample, resample_within
from .class_contrasts import ContrastOfClasses, contrast_classes
from .class_variance import FEW_TYPES, Explained, explained, mean_explained
from .labelled import LEXICAL_AND_GRAMMATICAL, Units, annotated_labels, one_hot, units_of
from .measured import Measured

CHUNK = 100
"""Draws at a time."""


@dataclass(frozen=True)
class Adjusted:
    """What the words of a class prefer beyond their frequency, in nats."""

    mean: float
    """Mean over frequent words, each counted once, of what a spline of log frequency leaves of their preference."""
    low: float
    """The interval resamples documents and words."""
    high: float
    sets: list[float]
    """The mean under each set of readouts."""
    p_value: float | None
    """Student's, with words less one as degrees of freedom; None for a class that is not compared."""
    q_value: float | None
    """The false-discovery rate over the compared classes."""
    sure: bool
    """Whether q is up to 1 - confidence and all sets agree in the sign."""


@dataclass(frozen=True)
class ClassForTower:
    """What a class prefers of a tower, in nats."""

    tower: int
    mean: float
    """Mean preference of its occurrences minus that of the compared classes."""
    adjusted: Adjusted | None
    """Beyond frequency; None where too few words are frequent."""


@dataclass(frozen=True)
class ClassOfWords:
    """One class of words."""

    name: str = field(metadata=keyed("class"))
    types: int
    """Words that have the label."""
    occurrences: int
    compared: bool
    """Whether it is among the classes that are compared: lexical and grammatical ones with enough words."""


@dataclass(frozen=True)
class ClassOfPair(ClassOfWords):
    """One class of words, and what it prefers of two towers: positive for tower 1."""

    mean: float
    """Mean preference of its occurrences minus that of the compared classes."""
    adjusted: Adjusted | None
    """Beyond frequency; None where too few words are frequent."""

    @property
    def each(self) -> list[ClassForTower]:
        """The same in the form for more than two towers."""
        return [ClassForTower(1, self.mean, self.adjusted)]


@dataclass(frozen=True)
class ClassOfSeveral(ClassOfWords):
    """One class of words, and what it prefers of each of several towers."""

    towers: list[ClassForTower]
    tower: int
    """The tower that takes it: the one whose preference for it lies furthest above the mean."""

    @property
    def each(self) -> list[ClassForTower]:
        """What it prefers of each tower."""
        return self.towers


@dataclass(frozen=True)
class Labelling:
    """What the classes of one labelling prefer."""

    classes: list[str]
    """Those that are compared."""
    profile: list[ClassOfPair | ClassOfSeveral]
    explained: Explained | None
    """For more than two towers the mean over towers; None where too few words are frequent."""


@dataclass(frozen=True)
class WordClasses:
    """What each class of words prefers beyond frequency; a labelling is None where fewer than two have enough words."""

    upos: Labelling | None
    """By part of speech."""
    contrasts: list[ContrastOfClasses]
    """Of parts of speech; only for two towers."""
    deprel: Labelling | None = field(default=None, metadata=OMITTED)
    """By dependency relation, where the corpus is a treebank."""
    features: dict[str, Labelling | None] | None = field(default=None, metadata=OMITTED)
    """By morphological feature, where the corpus is a treebank."""


def word_classes(measured: Measured) -> WordClasses | None:
    """Profiles by part of speech and, where the corpus has them, by dependency relation and morphological feature.

    None for a single tower.
    """
    if measured.towers == 1:
        return None
    units = _units(measured, measured.upos)
    upos = _of_labels(measured, units, LEXICAL_AND_GRAMMATICAL, "upos")
    contrasts = contrast_classes(measured, units, mean_of(units.tallies[: len(measured.sets)]))
    deprel: Labelling | None = None
    features: dict[str, Labelling | None] = {}
    for name, labels in annotated_labels(measured.annotations):
        kind, _, feature = name.partition(" ")
        if kind not in ("deprel", "feature"):
            continue
        labelled = _units(measured, labels)
        labelling = _of_labels(measured, labelled, labelled.classes, name)
        if kind == "deprel":
            deprel = labelling
        else:
            features[feature] = labelling
    return WordClasses(upos, contrasts, deprel, features or None)


def _units(measured: Measured, labels: pd.Categorical) -> Units:
    """Words with their preference under each set of readouts, contrast by contrast."""
    signals = [
        partial(measured.difference, contrast, readouts=name) for contrast in measured.contrasts
        for name in measured.sets
    ]  # fmt: skip
    return units_of(measured, labels, signals)


def _of_labels(measured: Measured, units: Units, compared: Sequence[str], name: str) -> Labelling | None:
    """What the classes of one labelling prefer; None where fewer than two classes have enough words."""
    settings = measured.settings
    counts = np.bincount(units.label, minlength=len(units.classes))
    enough = [label for label in compared if label in units.classes and counts[units.classes.index(label)] >= FEW_TYPES]
    if len(enough) < 2:
        return None
    inner = units.only(enough)
    generator = measured.generator(f"word classes, {name}")
    first = halves(inner.tallies[0].documents, settings.splits, generator)
    documents = resample(inner.tallies[0].documents, settings.bootstrap, generator)
    words = resample_within(units.label, settings.bootstrap, generator)
    inner_words = words[:, np.isin(np.asarray(units.classes)[units.label], enough)]
    frequent = inner.counts >= 2 * settings.min_count
    shares = [
        explained(
            mean_of(sets), sets, inner, frequent, first, settings.permutations, documents, inner_words,
            settings.confidence,
        )
        for sets in _by_contrast(measured, inner.tallies)
    ]  # fmt: skip
    explained_shares = [share for share in shares if share is not None]
    profile = _profile(measured, units, documents, words, enough)
    return Labelling(enough, profile, mean_explained(explained_shares) if explained_shares else None)


def _by_contrast(measured: Measured, tallies: Sequence[Tallies]) -> list[list[Tallies]]:
    """The preferences under each set of readouts, for each contrast."""
    sets = len(measured.sets)
    return [list(tallies[start : start + sets]) for start in range(0, len(tallies), sets)]


def _profile(
    measured: Measured, units: Units, documents: Floats, words: Floats, enough: Sequence[str]
) -> list[ClassOfPair | ClassOfSeveral]:
    """One row per class: its mean preference minus that of the compared classes, and that beyond frequency."""
    hot = one_hot(units.label, len(units.classes))
    compared = np.array([name in enough for name in units.classes])
    frequent = units.counts >= 2 * measured.settings.min_count
    counts, words_of = units.counts, np.bincount(units.label, minlength=len(units.classes))
    usable = np.bincount(units.label[frequent], minlength=len(units.classes))
    towers_of_classes: list[list[ClassForTower]] = [[] for _ in units.classes]
    base = smooth_basis(units.frequency[frequent]) if frequent.any() else None
    if base is not None and frequent.sum() <= base.shape[1]:
        base = None  # a spline through every word would leave nothing of them
    unweighted = np.ones((1, units.tallies[0].documents)), np.ones((1, len(units.label)))
    for contrast, sets in zip(measured.contrasts, _by_contrast(measured, units.tallies), strict=True):
        tallies = mean_of(sets)
        sums, occurrences = (np.asarray(table.sum(axis=0)).ravel() @ hot for table in (tallies.sums, tallies.counts))
        with np.errstate(invalid="ignore", divide="ignore"):
            means = sums / occurrences - sums[compared].sum() / occurrences[compared].sum()
        adjusted: list[Adjusted | None] = [None] * len(towers_of_classes)
        if base is not None:
            estimate, *under = (_adjusted(table, frequent, base, hot, *unweighted)[0] for table in (tallies, *sets))
            drawn = np.concatenate([
                _adjusted(tallies, frequent, base, hot, documents[start : start + CHUNK], words[start : start + CHUNK])
                for start in range(0, len(documents), CHUNK)
            ])  # fmt: skip
            adjusted = _tested(estimate, np.stack(under), drawn, usable, compared, measured.settings.confidence)
        for towers, mean, beyond in zip(towers_of_classes, means.tolist(), adjusted, strict=True):
            towers.append(ClassForTower(contrast.tower, mean, beyond))
    rows: list[ClassOfPair | ClassOfSeveral] = []
    for number, (name, towers) in enumerate(zip(units.classes, towers_of_classes, strict=True)):
        about = name, int(words_of[number]), int(counts[units.label == number].sum()), bool(compared[number])
        if len(towers) > 1:
            rows.append(ClassOfSeveral(*about, towers, max(towers, key=_preferred).tower))
        else:
            rows.append(ClassOfPair(*about, towers[0].mean, towers[0].adjusted))
    return rows


def _preferred(row: ClassForTower) -> float:
    return (row.adjusted or row).mean


def _tested(
    estimate: Floats, sets: Floats, drawn: Floats, words: NDArray[np.int64], compared: NDArray[np.bool_],
    confidence: float,
) -> list[Adjusted | None]:  # fmt: skip
    """The adjusted mean of each class with its test; None without a frequent word."""
    n = np.maximum(words, 2)
    deviations = np.array([finite.std() if len(finite := draws[np.isfinite(draws)]) else np.nan for draws in drawn.T])
    with np.errstate(invalid="ignore", divide="ignore"):
        # Words drawn from n vary by a factor of (n - 1) / n less than words do.
        error = deviations * np.sqrt(n / (n - 1))
        p_values = np.asarray(2 * stats.t.sf(np.abs(estimate / error), n - 1))
    tested = compared & (words > 1) & np.isfinite(p_values)
    q_values = np.full(len(estimate), np.nan)
    if tested.any():
        q_values[tested] = stats.false_discovery_control(p_values[tested], method="bh")
    rows: list[Adjusted | None] = []
    for number, value in enumerate(estimate.tolist()):
        if not np.isfinite(value):
            rows.append(None)
            continue
        interval = percentile_interval(value, drawn[:, number], confidence)
        agree = bool(abs(np.sign(sets[:, number]).sum()) == len(sets))
        rows.append(Adjusted(
            value, interval.low, interval.high, sets[:, number].tolist(),
            p_value=float(p_values[number]) if tested[number] else None,
            q_value=float(q_values[number]) if tested[number] else None,
            sure=bool(tested[number] and q_values[number] <= 1 - confidence and agree),
        ))  # fmt: skip
    return rows


def _adjusted(
    tallies: Tallies, frequent: NDArray[np.bool_], base: Floats, hot: Floats, documents: Floats, words: Floats
) -> Floats:
    """Mean residual of the frequent words of each class, (draws, classes); NaN for classes without any."""
    means, _ = tallies.select(frequent).means(documents)
    weights = words[:, frequent] * np.isfinite(means)
    left = residuals(means, weights, base)
    with np.errstate(invalid="ignore", divide="ignore"):
        class_means: Floats = ((weights * left) @ hot[frequent]) / (weights @ hot[frequent])
    return class_means
