"""How much of preference word class explains beyond frequency: a mixed-effects model over several runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from ..config.conversion import keyed
from ..data.tagging import CONTENT, FUNCTION
from ..statistics.intervals import Estimate, symmetric_interval
from ..statistics.mixed_effects import MixedFit, fit_runs
from ..statistics.ranking import stratified_auroc
from ..statistics.strata import frequency_bins
from ..statistics.tallies import Floats

TYPES = 1_500
"""Types that enter, drawn at random from those that are frequent enough: the fit takes the cube of their number."""
FEWEST_TYPES = 10
"""Of either class, in each half of the types, from which the function tower is chosen."""
FEWEST_RUNS = 3
"""With two runs the interval of a class effect is dozens of times as wide as its standard error."""
SAME = 1e-12
"""Nats up to which runs are of the same quality."""


@dataclass(frozen=True)
class Observed:
    """The occurrences of a text that several runs measured."""

    occurrences: pd.DataFrame
    """`document`, `piece_id`, `begins` and `upos`, one row per occurrence."""
    training_count: NDArray[np.int64]
    """By piece id."""
    differences: Sequence[NDArray[np.floating]]
    """For each run, tower 1 minus tower 2, in nats, under either half of its sets of readouts, (2, occurrences)."""


@dataclass(frozen=True)
class EffectOfClass(Estimate):
    """By how many nats the tower of the first class is better there than at the second."""

    degrees_of_freedom: int
    p_value: float


@dataclass(frozen=True)
class FixedEffect:
    """A coefficient, and its standard error."""

    estimate: float
    error: float


@dataclass(frozen=True)
class MarginalR2:
    """Share of the variance that the fixed effects explain."""

    with_class: float
    without_class: float


@dataclass(frozen=True)
class ClassEffect:
    """A linear mixed-effects model over the runs of one group."""

    effect: EffectOfClass = field(metadata=keyed("class"))
    fixed: dict[str, FixedEffect]
    """All coefficients."""
    components: dict[str, float]
    """Variances of the random effects and the residual."""
    marginal_r2: MarginalR2
    between_types: float | None
    """Share of the variance between types that class explains; None where there is none."""
    runs: int
    types: int
    documents: int
    occurrences: int


def class_effect(
    observed: Observed,
    min_count: int,
    ratio: float,
    confidence: float,
    generator: np.random.Generator,
    classes: tuple[Collection[str], Collection[str]] = (FUNCTION, CONTENT),
) -> ClassEffect | None:
    """A linear mixed-effects model of the log-probability difference between towers, over the runs of one group.

    Fixed effects: class of the word (1 the first of `classes`, 0 the second), log training frequency of the type
    (standardized) and its square, length of the word in pieces, and by how much the tower is the better one in its run.
    Random effects: run, run x class, run x document, type, run x type.

    Which tower is the one of the first class is chosen for each run on one half of the documents and one half of the
    types, under one half of the sets of readouts; the model is fitted to the others. So neither the choice nor what is
    peculiar to a type or to readouts makes an effect where there is none. The halves of types and of sets change
    places, which gives two fits; coefficients are averaged, and their standard errors take into account that the fits
    share their runs. The interval and the p-value of the class effect are those of Student's t with as many degrees of
    freedom as there are runs, less one: runs are what it is generalized over.

    Args:
        observed: what the runs measured.
        min_count: a type enters if it occurs twice as often as this.
        ratio: of the training frequencies of types that are compared for the choice of the tower.
        confidence: of the interval.
        generator: halves documents and types, and draws the types.
        classes: two sets of parts of speech.

    Returns None for fewer than three runs, or too few types of either class.
    """
    runs = len(observed.differences)
    if runs < FEWEST_RUNS:
        return None
    parts = _parts(observed, min_count, ratio, generator, classes)
    if parts is None:
        return None
    fits = [(part.fit(with_class=True), part.fit(with_class=False)) for part in parts]
    whole = [fit for fit, _ in fits]
    names = [name for name in whole[0].coefficients if name in whole[1].coefficients]
    fixed = {
        name: FixedEffect(float(np.mean([fit.coefficients[name] for fit in whole])), _error_of_mean(whole, name, runs))
        for name in names
    }
    freedom = runs - 1
    estimate, error = fixed["class"].estimate, fixed["class"].error
    explained = [share for fit, without in fits if (share := _explained(fit, without)) is not None]
    table = pd.concat([part.table for part in parts])
    return ClassEffect(
        effect=EffectOfClass(
            **vars(symmetric_interval(estimate, error, confidence, freedom)), degrees_of_freedom=freedom,
            p_value=float(2 * stats.t.sf(abs(estimate / error), freedom)),
        ),
        fixed=fixed,
        components={
            **{name: float(np.mean([fit.components[name] for fit in whole])) for name in whole[0].components},
            "residual": float(np.mean([fit.residual for fit in whole])),
        },
        marginal_r2=MarginalR2(
            with_class=float(np.mean([fit.marginal_r2 for fit, _ in fits])),
            without_class=float(np.mean([without.marginal_r2 for _, without in fits])),
        ),
        between_types=float(np.mean(explained)) if explained else None,
        runs=runs,
        types=int(table["piece_id"].nunique()),
        documents=int(table["document"].nunique()),
        occurrences=len(table) * runs,
    )  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """The documents and types of one fit, which did not choose the tower."""

    table: pd.DataFrame
    """`document`, `piece_id`, `first`, `length` and `log_frequency`, one row per occurrence."""
    aligned: list[NDArray[np.floating]]
    """For each run, the difference in favour of the tower of the first class, (occurrences,)."""
    quality: Floats
    """For each run, by how much that tower is the better one on what chose it, (runs,)."""

    def fit(self, with_class: bool) -> MixedFit:
        fixed = _fixed_effects(self.table)
        if not with_class:
            del fixed["class"]
        factors = {"class": self.table["first"], "document": pd.factorize(self.table["document"])[0]}
        types = pd.factorize(self.table["piece_id"])[0]
        codes = {name: np.asarray(levels, dtype=np.int64) for name, levels in factors.items()}
        # Copies of one run have the same quality, which cannot be told from the intercept.
        of_runs = {"tower quality": self.quality} if np.ptp(self.quality) > SAME else {}
        return fit_runs(self.aligned, fixed, of_runs, codes, types)


def word_lengths(document: NDArray[np.integer], begins: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each occurrence, in the order of the text, the number of pieces of the word that it is a part of.

    `begins` says where a word begins, (occurrences,).
    """
    begins = begins.copy()
    begins[1:] |= document[1:] != document[:-1]
    begins[:1] = True
    word = np.cumsum(begins) - 1
    lengths: NDArray[np.int64] = np.bincount(word)[word]
    return lengths


def _parts(
    observed: Observed,
    min_count: int,
    ratio: float,
    generator: np.random.Generator,
    classes: tuple[Collection[str], Collection[str]],
) -> list[_Part] | None:
    """For each half of the types, what is fitted to; None where a half has too few types of a class."""
    frame, training_count = _prepared(observed, classes), observed.training_count
    counts = np.bincount(frame["piece_id"], minlength=len(training_count))
    frequent = np.flatnonzero(counts >= 2 * min_count)
    chosen = np.sort(generator.permutation(frequent)[:TYPES])
    documents = np.unique(frame["document"])
    choosing = documents[np.isin(documents, generator.permutation(documents)[: len(documents) // 2])]
    half = np.full(len(training_count), -1)
    half[chosen] = generator.permutation(np.arange(len(chosen)) % 2)
    early, side = frame["document"].isin(choosing).to_numpy(), half[frame["piece_id"]]
    parts = []
    for fitted in (0, 1):
        decides, enters = frame[early & (side == 1 - fitted)], frame[~early & (side == fitted)]
        choice = _Choice.of(decides, training_count, ratio)
        if choice is None:
            return None
        signs, quality = choice.signs_and_quality(own[1 - fitted][decides["row"]] for own in observed.differences)
        aligned = [sign * own[fitted][enters["row"]] for sign, own in zip(signs, observed.differences, strict=True)]
        log_frequency = np.log(training_count[enters["piece_id"]] + 1.0)
        parts.append(_Part(enters.assign(log_frequency=log_frequency), aligned, quality))
    return parts


def _prepared(observed: Observed, classes: tuple[Collection[str], Collection[str]]) -> pd.DataFrame:
    """The occurrences in words of either class, with their `row`, `first` (1 for the first class) and `length`."""
    rows = observed.occurrences
    first, second = (rows["upos"].isin(list(tags)).to_numpy() for tags in classes)
    length = word_lengths(rows["document"].to_numpy(), rows["begins"].to_numpy())
    frame = rows[["document", "piece_id"]].assign(row=np.arange(len(rows)), first=first.astype(np.int64), length=length)
    return frame[first | second]


@dataclass(frozen=True)
class _Choice:
    """What chooses the tower of the first class in a run."""

    kind: NDArray[np.int64]
    """Type of each occurrence that decides, numbered from 0."""
    counts: NDArray[np.int64]
    """Occurrences of each type."""
    first: NDArray[np.bool_]
    """Which types are of the first class."""
    bins: NDArray[np.int64]
    """Bin of training frequency of each type."""

    @classmethod
    def of(cls, deciding: pd.DataFrame, training_count: NDArray[np.int64], ratio: float) -> _Choice | None:
        """None for too few types of a class."""
        types, kind, counts = np.unique(deciding["piece_id"], return_inverse=True, return_counts=True)
        first = np.bincount(kind, weights=deciding["first"], minlength=len(types)) / counts >= 0.5
        if min(first.sum(), (~first).sum()) < FEWEST_TYPES:
            return None
        return cls(kind, counts, first, frequency_bins(training_count[types], ratio))

    def signs_and_quality(self, differences: Iterable[NDArray[np.floating]]) -> tuple[list[int], Floats]:
        """For each run, 1 if tower 1 is the better one at the first class among types of similar frequency, else -1.

        And by how much the tower is the better one that this chooses.
        """
        sums = np.stack([np.bincount(self.kind, weights=difference) for difference in differences])
        aurocs = stratified_auroc(sums / self.counts, self.first, self.bins)
        signs = [-1 if auroc < 0.5 else 1 for auroc in aurocs]
        return signs, signs * sums.sum(axis=1) / len(self.kind)


def _error_of_mean(fits: Sequence[MixedFit], name: str, runs: int) -> float:
    """Standard error of a coefficient's mean over the two fits, which share runs but neither types nor occurrences.

    What runs do to a class (two levels in each run) is the same in both; the rest is independent.
    """
    between_runs = (
        2 * float(np.mean([fit.components["run x class"] for fit in fits])) / runs if name == "class" else 0.0
    )
    own = [max(fit.errors[name] ** 2 - between_runs, 0.0) for fit in fits]
    return float(np.sqrt(between_runs + sum(own) / len(fits) ** 2))


def _fixed_effects(table: pd.DataFrame) -> dict[str, Floats]:
    frequency = table["log_frequency"].to_numpy()
    frequency = (frequency - frequency.mean()) / frequency.std()
    effects = {
        "intercept": np.ones(len(table)),
        "class": table["first"].to_numpy(np.float64),
        "log frequency": frequency,
        "log frequency squared": frequency**2,
    }
    length = table["length"].to_numpy(np.float64)
    if np.ptp(length) > 0:  # otherwise it cannot be told from the intercept
        effects["length in pieces"] = length
    return effects


def _explained(whole: MixedFit, without: MixedFit) -> float | None:
    """Proportional reduction of the variance between types, within runs and over them, and between runs' classes."""

    def between(fit: MixedFit) -> float:
        return fit.components["type"] + fit.components["run x type"] + fit.components["run x class"]

    return 1 - between(whole) / between(without) if between(without) > 0 else None
