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
    units: Units
    """With one signal: the difference between the towers."""
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
    return [name for name in runs[0].units.classes if all(name in run.units.classes for run in runs)]


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
    parts = [_Sums.of(run, classes) for run in runs]
    observed = np.stack([part.profile(None) for part in parts])
    null = np.empty((settings.permutations, *observed.shape))
    orders: dict[tuple[str, bytes, bytes], tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
    for number, (run, part) in enumerate(zip(runs, parts, strict=True)):
        words = (run.text, part.label.tobytes(), part.strata.tobytes())
        if words not in orders:
            orders[words] = permuted_within(part.label, part.strata, settings.permutations, generator)
        null[:, number] = part.permuted(*orders[words])
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
class _Sums:
    """Sums and counts of one run's words: in all, and by document and class."""

    label: NDArray[np.int64]
    strata: NDArray[np.int64]
    sums: Floats
    counts: Floats
    by_document: Floats
    """(documents, 2, classes): sums and counts."""

    @classmethod
    def of(cls, run: ProfileOfRun, classes: Sequence[str]) -> _Sums:
        units = run.units.only(classes)
        tallies = units.tallies[0]
        hot = one_hot(units.label, len(classes))
        by_document = np.stack([np.asarray(tallies.sums @ hot), np.asarray(tallies.counts @ hot)], axis=1)
        sums, counts = (np.asarray(cells.sum(axis=0)).ravel() for cells in (tallies.sums, tallies.counts))
        return cls(units.label, units.strata, sums, counts, by_document)

    def profile(self, weights: Floats | None) -> Floats:
        """(classes,), or (weights, classes) for weights of the documents (weights, documents)."""
        if weights is None:
            return _profile(*self.by_document.sum(axis=0))
        added = np.einsum("wd,dkc->kwc", weights, self.by_document)
        return _profile(added[0], added[1])

    def permuted(self, labels: NDArray[np.int64], words: NDArray[np.int64]) -> Floats:
        """With labels given to other words of the same stratum (see `permuted_within`); (permutations, classes)."""
        permutations, classes = len(labels), self.by_document.shape[2]
        labels = labels + classes * np.arange(permutations)[:, None]
        added = [
            np.bincount(labels.ravel(), weights=np.tile(totals[words], permutations), minlength=permutations * classes)
            for totals in (self.sums, self.counts)
        ]
        sums, counts = (flat.reshape(permutations, classes).astype(np.float64) for flat in added)
        return _profile(sums, counts)


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
            same = [(i, j) for i, j in pairs if kinds[i][place] == kinds[j][place]]
            groups[f"within {name}"] = same
            groups[f"between {name}"] = [pair for pair in pairs if pair not in set(same)]
    return {name: some for name, some in groups.items() if some}


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
    squared = (rows @ rows.T) ** 2
    over_runs = jackknife(lambda some: float(squared[some[:, 0], some[:, 1]].mean()), numbered, confidence)
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


def signs_agree(one: Sequence[float | None], other: Sequence[float | None]) -> AgreementOfSigns:
    """In how many runs two signed figures have the same sign, against a half by chance (exact one-sided sign test).

    Which tower is the first means nothing, and turns both: whether they agree does not depend on it.
    """
    known = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None and a * b != 0]
    agree = sum(a * b > 0 for a, b in known)
    p_value = float(stats.binomtest(agree, len(known), 0.5, alternative="greater").pvalue) if known else None
    return AgreementOfSigns(agree, len(known), p_value)
