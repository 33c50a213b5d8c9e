"""Profiles of word classes over runs: whether runs agree, and which axes they share.

Classes are shared where types are not: runs of different corpora, tokenizers and families have profiles that compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..config.schema import AnalyzeConfig
from ..preference.labelled import Units, one_hot
from ..statistics.intervals import GROUPS, Estimate, exceedance, grouped, jackknife_interval, without_each
from ..statistics.strata import permuted_within
from ..statistics.tallies import Floats
from .agreement import Pair, align, jackknife

FEWEST_CLASSES = 4


@dataclass(frozen=True)
class ProfileOfRun:
    """The words of one run, by class."""

    name: str
    group: str
    corpus: str
    tagger: str
    words: SumsOfWords
    seed: int
    text: str
    """The digest of the prepared text: runs that share it measured the same words."""


@dataclass(frozen=True)
class ProfileInNats:
    """The profile of one run."""

    name: str
    group: str
    corpus: str
    profile: list[float]
    """Mean preference of each class minus that of all words, in nats."""


@dataclass(frozen=True)
class FigureOfProfiles(Estimate):
    """A figure of pairs of profiles, with its interval over documents and its null."""

    chance: float
    """Its mean with labels exchanged between words of similar frequency."""
    null_high: float
    p_value: float


@dataclass(frozen=True)
class AgreementOfProfiles:
    """How well the profiles of a group of pairs of runs agree."""

    pairs: int
    estimate: float
    """Root mean square correlation, free of signs."""
    low: float
    high: float
    chance: float
    null_high: float
    p_value: float
    runs_low: float
    """The interval over runs: the jackknife's (see `jackknife`), NaN for fewer than three."""
    runs_high: float
    shared: FigureOfProfiles
    """Mean correlation, signs aligned: the variance that all runs share (generalizability), 1 if all profiles are the
    same but for signs, 0 if they have nothing in common."""


@dataclass(frozen=True)
class AxisOfProfiles:
    """A pattern that several profiles share."""

    share: float
    """Of the squares of all profiles."""
    null_high: float
    p_value: float
    classes: dict[str, float]
    """Coordinates of the classes, turned so that NOUN is positive."""
    loadings: dict[str, float]
    """Cosines of the runs with the axis."""
    stability: float | None
    """Smallest cosine of the axis with itself when a run is left out; None for too few runs."""


@dataclass(frozen=True)
class Profiles:
    """Agreement of the profiles of runs, and their shared axes."""

    classes: list[str]
    """That every run has."""
    runs: list[ProfileInNats]
    mixed_tags: bool
    """Whether runs were tagged in different ways: their classes differ in part for that reason."""
    agreement: dict[str, AgreementOfProfiles]
    """By group of pairs (see `_groups`)."""
    axes: list[AxisOfProfiles]


@dataclass(frozen=True)
class AgreementOfSigns:
    """In how many runs two signed figures have the same sign."""

    agree: int
    runs: int
    p_value: float | None
    """Exact one-sided sign test; None without runs."""


def shared_classes(runs: Sequence[ProfileOfRun]) -> list[str]:
    """The classes that every run has, in the order of the first."""
    return [name for name in runs[0].words.classes if all(name in run.words.classes for run in runs)]


def compare_profiles(
    runs: Sequence[ProfileOfRun], settings: AnalyzeConfig, generator: np.random.Generator
) -> Profiles | None:
    """Agreement of the profiles of runs, and their shared axes.

    None for fewer than two runs, for runs of one seed on one text (see `_groups`), and for fewer than four shared
    classes.

    A profile is the mean preference of each class over occurrences minus that over all occurrences of these classes.
    Every class counts once in what follows. The null gives the labels of words to other words of the same bin of
    frequency and repeats everything after it, the alignment of signs included. Runs of one text exchange the same
    labels: what they agree on word by word stays in the null, and only what classes add is beyond it.
    """
    if len(runs) < 2 or len(classes := shared_classes(runs)) < FEWEST_CLASSES:
        return None
    alike = [(run.text, run.seed) for run in runs]
    groups = _groups([(run.group, run.corpus) for run in runs], alike)
    if not groups:
        return None
    parts = [run.words.only(classes) for run in runs]
    observed = np.stack([part.profile(None) for part in parts])
    null = _permuted(parts, [run.text for run in runs], settings.permutations, generator)
    number_of_groups = min(GROUPS, *(len(part.by_document) for part in parts))
    group_of_document: dict[str, NDArray[np.int64]] = {}  # runs of one text lack the same documents at a time
    without = []
    for run, part in zip(runs, parts, strict=True):
        if run.text not in group_of_document:
            group_of_document[run.text] = grouped(len(part.by_document), number_of_groups, generator)
        without.append(part.profile(without_each(group_of_document[run.text])))
    left_out = np.stack(without, axis=1)
    return Profiles(
        classes=classes,
        runs=[
            ProfileInNats(run.name, run.group, run.corpus, row.tolist())
            for run, row in zip(runs, observed, strict=True)
        ],
        mixed_tags=len({run.tagger for run in runs}) > 1,
        agreement={
            name: _agreement(observed, left_out, null, pairs, settings.confidence) for name, pairs in groups.items()
        },
        axes=_axes(observed, null, classes, [run.name for run in runs], settings.confidence),
    )


@dataclass(frozen=True)
class SumsOfWords:
    """What a profile is made of: a run's differences and its occurrences, by word, and by document and class."""

    classes: tuple[str, ...]
    label: NDArray[np.int64]
    """Class of each word, (words,)."""
    strata: NDArray[np.int64]
    """Bin of frequency of each word, (words,)."""
    sums: Floats
    """(words,)"""
    counts: Floats
    """(words,)"""
    by_document: Floats
    """(documents, 2, classes): sums and counts."""

    @classmethod
    def of(cls, units: Units) -> SumsOfWords:
        """Of words with one signal, the difference between the towers."""
        tallies, hot = units.tallies[0], one_hot(units.label, len(units.classes))
        by_document = np.stack([np.asarray(tallies.sums @ hot), np.asarray(tallies.counts @ hot)], axis=1)
        sums, counts = (np.asarray(cells.sum(axis=0)).ravel() for cells in (tallies.sums, tallies.counts))
        return cls(units.classes, units.label, units.strata, sums, counts, by_document)

    def only(self, classes: Sequence[str]) -> SumsOfWords:
        """Only the words of these classes, numbered in this order."""
        places = [self.classes.index(name) for name in classes]
        numbers = np.full(len(self.classes), -1)
        numbers[places] = np.arange(len(classes))
        label = numbers[self.label]
        kept = label >= 0
        return SumsOfWords(
            tuple(classes), label[kept], self.strata[kept], self.sums[kept], self.counts[kept],
            self.by_document[:, :, places],
        )  # fmt: skip

    def profile(self, weights: Floats | None) -> Floats:
        """(classes,), or (weights, classes) for weights of the documents (weights, documents)."""
        if weights is None:
            return _profile(*self.by_document.sum(axis=0))
        added = np.einsum("wd,dkc->kwc", weights, self.by_document)
        return _profile(added[0], added[1])


def _permuted(
    parts: Sequence[SumsOfWords], alike: Sequence[object], permutations: int, generator: np.random.Generator
) -> Floats:
    """Profiles with labels given to other words of the same stratum, (permutations, runs, classes).

    Runs that are `alike` in their text, and in the words that they measured, exchange the same labels.
    """
    members: dict[tuple[object, bytes, bytes], list[int]] = {}
    for number, (text, part) in enumerate(zip(alike, parts, strict=True)):
        members.setdefault((text, part.label.tobytes(), part.strata.tobytes()), []).append(number)
    classes = len(parts[0].classes)
    null = np.empty((permutations, len(parts), classes))
    for mine in members.values():
        labels, words = permuted_within(parts[mine[0]].label, parts[mine[0]].strata, permutations, generator)
        sums, counts = (
            np.stack([getattr(parts[number], name) for number in mine])[:, words] for name in ("sums", "counts")
        )
        for row, classes_drawn in zip(null, labels, strict=True):
            hot = one_hot(classes_drawn, classes)
            row[mine] = _profile(sums @ hot, counts @ hot)
    return null


def _profile(sums: Floats, counts: Floats) -> Floats:
    whole = sums.sum(axis=-1, keepdims=True) / counts.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        profile: Floats = np.where(counts > 0, sums / counts - whole, 0.0)
    return profile


def _groups(kinds: Sequence[tuple[str, str]], alike: Sequence[tuple[str, int]]) -> dict[str, list[Pair]]:
    """All pairs of runs; those within and between groups, and within and between corpora, if there are several.

    Two runs of one text and seed (`alike`) make no pair: their weights start alike (see `family_groups`).
    """
    pairs = [(i, j) for j in range(len(kinds)) for i in range(j) if alike[i] != alike[j]]
    groups = {"all": pairs}
    for place, name in enumerate(("groups", "corpora")):
        if len({kind[place] for kind in kinds}) > 1:
            for where, alike_kinds in ((f"within {name}", True), (f"between {name}", False)):
                groups[where] = [(i, j) for i, j in pairs if (kinds[i][place] == kinds[j][place]) == alike_kinds]
    return {name: members for name, members in groups.items() if members}


def _unit(profiles: Floats) -> Floats:
    """Rows with mean 0 over classes and length 1."""
    centred = profiles - profiles.mean(axis=-1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=-1, keepdims=True)
    unit: Floats = centred / np.where(lengths > 0, lengths, 1.0)
    return unit


def _figures(rows: Floats, pairs: NDArray[np.int64]) -> tuple[float, float]:
    """Root mean square correlation of the pairs, free of signs; their mean correlation, signs aligned over all runs."""
    r = rows @ rows.T
    signs = align(r)
    i, j = pairs.T
    return float(np.sqrt((r[i, j] ** 2).mean())), float((r[i, j] * signs[i] * signs[j]).mean())


def _agreement(
    observed: Floats, left_out: Floats, null: Floats, pairs: Sequence[Pair], confidence: float
) -> AgreementOfProfiles:
    """Figures of a group of pairs.

    With rows of length 1, the mean aligned correlation is the variance component of the class in runs x classes.
    """
    members, places = np.unique(np.asarray(pairs), return_inverse=True)
    numbered = places.reshape(len(pairs), 2)
    rows = _unit(observed[members])
    values = _figures(rows, numbered)
    without = np.array([_figures(_unit(profiles[members]), numbered) for profiles in left_out])
    chance = np.array([_figures(_unit(profiles[members]), numbered) for profiles in null])
    figures = []
    for place, value in enumerate(values):
        figures.append(FigureOfProfiles(
            **vars(jackknife_interval(np.append(value, without[:, place]), confidence)),
            chance=float(chance[:, place].mean()),
            null_high=float(np.quantile(chance[:, place], confidence)),
            p_value=exceedance(value, chance[:, place]),
        ))  # fmt: skip
    i, j = numbered.T
    over_runs = jackknife((rows @ rows.T)[i, j] ** 2, np.ones(len(numbered)), numbered, confidence)
    runs_low, runs_high = np.sqrt(np.clip(over_runs, 0.0, 1.0)).tolist()
    rms, shared = figures
    return AgreementOfProfiles(len(pairs), **vars(rms), runs_low=runs_low, runs_high=runs_high, shared=shared)


def _axes(
    observed: Floats, null: Floats, classes: Sequence[str], names: Sequence[str], confidence: float
) -> list[AxisOfProfiles]:
    """Axes of the runs x classes matrix of profiles of length 1, against permuted labels (Horn 1965).

    Turning a run around changes no axis. The first is always given, the others as long as they lie beyond their null.
    """
    rows = _unit(observed)
    _, scales, axes = np.linalg.svd(rows, full_matrices=False)
    shares = scales**2 / (scales**2).sum()
    under = np.stack([np.linalg.svd(_unit(profiles), compute_uv=False) ** 2 for profiles in null]) / len(rows)
    described: list[AxisOfProfiles] = []
    for number, axis in enumerate(axes):
        bound = float(np.quantile(under[:, number], confidence))
        if number and shares[number] <= bound:
            break
        sign = 1 if axis[classes.index("NOUN") if "NOUN" in classes else 0] >= 0 else -1
        without = [np.linalg.svd(np.delete(rows, run, axis=0), full_matrices=False)[2] for run in range(len(rows))]
        stable = min(abs(float(refitted[number] @ axis)) for refitted in without) if len(rows) > 2 + number else None
        described.append(AxisOfProfiles(
            share=float(shares[number]), null_high=bound,
            p_value=exceedance(shares[number], under[:, number]),
            classes=dict(zip(classes, (sign * axis).tolist(), strict=True)),
            loadings=dict(zip(names, (sign * rows @ axis).tolist(), strict=True)),
            stability=stable,
        ))  # fmt: skip
        if shares[number] <= bound:
            break
    return described


def signs_agree(signs: Sequence[float | None], other_signs: Sequence[float | None]) -> AgreementOfSigns:
    """In how many runs two signed figures have the same sign, against a half by chance (exact one-sided sign test).

    Which tower is the first means nothing, and turns both: whether they agree does not depend on it.
    """
    known = [(a, b) for a, b in zip(signs, other_signs, strict=True) if a is not None and b is not None and a * b != 0]
    agree = sum(a * b > 0 for a, b in known)
    p_value = float(stats.binomtest(agree, len(known), 0.5, alternative="greater").pvalue) if known else None
    return AgreementOfSigns(agree, len(known), p_value)
