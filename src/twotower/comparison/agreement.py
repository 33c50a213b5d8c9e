"""Whether runs agree in what their towers prefer, without asking which tower is the first.

Which tower is called the first means nothing, so a run's preferences may be turned around at will. The headline is
therefore free of signs: the mean squared correlation between runs. What is measured badly neither adds to it, since
products are taken across halves of the documents, nor takes from it, since each run's variance is taken across halves
and sets of readouts (Spearman 1904). Several divisions of labour may be possible, and then no single one is shared by
all runs: the spectrum says how many axes are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import eigsh

from ..config.schema import AnalyzeConfig
from ..statistics.intervals import (
    GROUPS,
    exceedance,
    grouped,
    jackknife_error,
    jackknife_interval,
    log_interval,
    without_each,
)
from ..statistics.strata import smooth_basis
from ..statistics.tallies import Floats, Tallies, halves

Pair = tuple[int, int]
SPLITS, FEWEST_SPLITS = 10, 2
RUNS_OF_SPLITS = 1_000
"""So many runs, each split once, are enough: of more than 100 runs fewer splits are made."""
RUNS_AT_ONCE = 32
"""Of which the halves are freed of frequency together: more of them do not fit into the processor's cache."""
RUNS_OF_LANCZOS = 150
ROUNDING = 1e-9
"""By how much sums of correlations may be wrong that are kept up to date and not added up again."""
EXEMPLARS = 12


@dataclass(frozen=True)
class AgreementOfPairs:
    """How well the preferences of types agree in a group of pairs of runs, whatever their signs."""

    pairs: int
    squared: float
    """The mean over pairs and halves of c(one run in one half, the other in the other) times the same with the halves
    exchanged, over the mean of v(one) v(other), where c is a covariance over types and v a run's own across halves and
    sets of readouts."""
    estimate: float
    """Its signed root: the root mean square correlation."""
    low: float
    """The interval over documents: the jackknife's, over groups of them."""
    high: float
    runs_low: float
    """The interval over runs: jackknife on the log scale, from three runs on."""
    runs_high: float
    chance: float
    """The null turns the preference of each run and type around at random, alike in both halves and all sets, before
    frequency is taken out. So every type keeps the size of its preference: types that are large in all runs have larger
    products by chance."""
    null_high: float
    p_value: float


@dataclass(frozen=True)
class AxisOfTypes:
    """A pattern of preferences that several runs share."""

    share: float
    null_high: float
    p_value: float
    loadings: list[float]
    """On the runs."""
    highest: list[str]
    """The types at its ends."""
    lowest: list[str]


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of the runs' correlations against those of the null."""

    eigenvalues: list[float]
    null_high: list[float]
    p_value: float
    """Of the first."""
    axes: list[AxisOfTypes]
    """As many in a row as are beyond the null."""


@dataclass(frozen=True)
class Agreement:
    """Agreement of the preferences of types between runs beyond frequency."""

    types: int
    r: list[list[float]]
    """Correlations (runs, runs) of all documents, turned by `signs` for display."""
    signs: list[int]
    """(runs,)"""
    groups: dict[str, AgreementOfPairs]
    spectrum: Spectrum


def align(r: Floats) -> NDArray[np.int64]:
    """Signs (runs,) with the largest sum of aligned correlations found, for correlations (runs, runs); the first is 1.

    From the signs of the leading eigenvector, runs are turned around one at a time as long as that helps.
    """
    off = r - np.diag(np.diag(r))
    signs = np.where(_leading_eigenvector(off) >= 0, 1, -1)
    product = off @ signs
    while (gain := -signs * product)[worst := int(np.argmax(gain))] > ROUNDING:
        signs[worst] *= -1
        product += 2 * signs[worst] * off[:, worst]
    while True:
        gain = -signs * (off @ signs)  # of turning each run around, up to a factor
        worst = int(np.argmax(gain))
        if gain[worst] <= 1e-12:
            return np.asarray(signs * signs[0], dtype=np.int64)
        signs[worst] *= -1


def _leading_eigenvector(symmetric: Floats) -> Floats:
    """(runs,); of many runs by Lanczos' method, which needs no other eigenvectors."""
    if len(symmetric) < RUNS_OF_LANCZOS:
        vectors: Floats = np.linalg.eigh(symmetric)[1]
        return vectors[:, -1]
    start = np.random.default_rng(0).normal(size=len(symmetric))
    leading: Floats = eigsh(symmetric, k=1, which="LA", v0=start)[1][:, 0]
    return leading


def agreement(
    preferences: Sequence[Sequence[Tallies]],
    frequency: NDArray[np.integer] | Floats,
    names: Sequence[str],
    groups: Mapping[str, Sequence[Pair]],
    settings: AnalyzeConfig,
    generator: np.random.Generator,
    seeds: Sequence[int] | None = None,
) -> Agreement:
    """Agreement of type preferences between runs beyond frequency, whatever their signs; with what several runs share.

    Args:
        preferences: see `agreement_of_pairs`, as for all that is not said here.
        names: of the types.
        seeds: of the runs; two of one seed count as unrelated where signs and axes are sought (see `family_groups`).
    """
    documents, runs = preferences[0][0].documents, len(preferences)
    basis = np.linalg.qr(smooth_basis(frequency))[0]
    values = np.nan_to_num(np.mean([_means([sets[number] for sets in preferences], np.ones((1, documents)))[0]
                                    for number in range(len(preferences[0]))], axis=0))  # fmt: skip
    related = _related(runs, seeds)
    rows = _standardized(beyond_frequency(values, basis))
    r = rows @ rows.T
    signs = align(r * related)
    null_eigenvalues: list[NDArray[np.floating]] = []
    values, basis = values.astype(np.float32), basis.astype(np.float32)

    def spectrum_of(turns: Floats) -> None:
        turned = _standardized(beyond_frequency(values * turns, basis))
        null_eigenvalues.append(np.linalg.eigvalsh((turned @ turned.T) * related)[::-1])

    agreements = agreement_of_pairs(preferences, frequency, groups, settings, generator, spectrum_of)
    return Agreement(
        values.shape[1], (r * np.outer(signs, signs)).tolist(), signs.tolist(), agreements,
        _spectrum(rows, r * related, np.array(null_eigenvalues), names, settings.confidence),
    )  # fmt: skip


def agreement_of_pairs(
    preferences: Sequence[Sequence[Tallies]],
    frequency: NDArray[np.integer] | Floats,
    groups: Mapping[str, Sequence[Pair]],
    settings: AnalyzeConfig,
    generator: np.random.Generator,
    watch: Callable[[Floats], None] | None = None,
) -> dict[str, AgreementOfPairs]:
    """How well type preferences agree in groups of pairs of runs, by the name of the group.

    Args:
        preferences: for each run its preference under each set of readouts, over the same documents and the same types,
            each type frequent in all.
        frequency: training frequency of each type, (types,); a spline of its logarithm is taken out of everything.
        groups: by name, the pairs of runs that are asked for.
        settings: of all runs: permutations of the null, confidence of intervals.
        watch: is told how each permutation turns preferences around, (runs, types).
    """
    documents, runs, confidence = preferences[0][0].documents, len(preferences), settings.confidence
    basis = np.linalg.qr(smooth_basis(frequency))[0]
    splits = int(np.clip(RUNS_OF_SPLITS // runs, FEWEST_SPLITS, SPLITS))
    first = halves(documents, splits, generator)
    all_halves = np.concatenate([first, 1 - first])
    pairs_of = {name: np.asarray(pairs) for name, pairs in groups.items()}

    def squared_of(products: _Products) -> list[float]:
        return [products.squared(pairs) for pairs in pairs_of.values()]

    group = grouped(documents, min(GROUPS, documents), generator)
    without = np.array([
        squared_of(_Sides.of(preferences, all_halves * kept).products(basis)) for kept in without_each(group)
    ])  # fmt: skip
    sides = _Sides.of(preferences, all_halves)
    observed = sides.products(basis)
    # Seven digits are enough for a null, which takes nearly all of the time.
    sides, basis = replace(sides, means=sides.means.astype(np.float32)), basis.astype(np.float32)
    null = np.empty((settings.permutations, len(groups)))
    for number in range(settings.permutations):
        turns = generator.choice(np.array([-1.0, 1.0], dtype=np.float32), sides.means.shape[2:])
        null[number] = squared_of(sides.products(basis, turns))
        if watch:
            watch(turns)
    agreements = {}
    for (name, pairs), left_out, chance in zip(pairs_of.items(), without.T, null.T, strict=True):
        squared = observed.squared(pairs)
        over_documents = jackknife_interval(np.append(squared, left_out), confidence)
        runs_low, runs_high = jackknife(*observed.terms(pairs), pairs, confidence)
        known = chance[np.isfinite(chance)] if np.isfinite(chance).any() else np.array([np.nan])
        agreements[name] = AgreementOfPairs(
            len(pairs), squared, estimate=_root(squared),
            low=_root(over_documents.low), high=_root(over_documents.high),
            runs_low=_root(runs_low), runs_high=_root(runs_high),
            chance=_root(float(known.mean())), null_high=_root(float(np.quantile(known, confidence))),
            p_value=exceedance(squared, chance),
        )  # fmt: skip
    return agreements


@dataclass(frozen=True)
class _Products:
    """What agreement is made of."""

    crossed: Floats
    """Mean over splits of c(i in one half, j in the other) c(i in the other, j in the one), (runs, runs)."""
    own: Floats
    """Of each run the covariance of its preferences across halves and sets of readouts, (runs,)."""

    def terms(self, pairs: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Of each pair what is measured of both runs together, and of each alone; both (pairs,).

        A run that measures nothing has no product with another, whatever the sign of its covariance.
        """
        i, j = pairs.T
        own = np.maximum(self.own, 0.0)
        return self.crossed[i, j], own[i] * own[j]

    def squared(self, pairs: NDArray[np.int64]) -> float:
        """The squared correlation of the pairs, freed of errors of measurement; NaN where a run measures nothing."""
        crossed, own = (float(term.mean()) for term in self.terms(pairs))
        return crossed / own if own > 0 else np.nan


@dataclass(frozen=True)
class _Sides:
    """Preferences in either half of the documents, for several splits."""

    means: Floats
    """(sets, 2 splits, runs, types): first halves, then second halves; 0 where a half lacks a type."""
    present: NDArray[np.bool_]
    """Which types a half has, (2 splits, runs, types)."""

    @classmethod
    def of(cls, preferences: Sequence[Sequence[Tallies]], weights: Floats) -> _Sides:
        """Under `weights` of the documents, (2 splits, documents)."""
        means = np.empty((len(preferences[0]), len(weights), len(preferences), preferences[0][0].sums.shape[1]))
        for of_set, several in zip(means, zip(*preferences, strict=True), strict=True):
            of_set[:] = _means(several, weights)
        present = np.isfinite(means[0])
        return cls(np.nan_to_num(means, copy=False), present)

    def products(self, basis: Floats, turns: Floats | None = None) -> _Products:
        """Beyond frequency; with preferences turned around by `turns`, (runs, types)."""
        sets, both, runs, types = self.means.shape
        splits = both // 2
        crossed, same, different = np.zeros((runs, runs)), np.zeros(runs), np.zeros(runs)
        sums = np.empty((2, runs, types), self.means.dtype)
        for split in range(splits):
            for part in (slice(start, start + RUNS_AT_ONCE) for start in range(0, runs, RUNS_AT_ONCE)):
                means = self.means[:, split::splits, part]
                left = beyond_frequency(means if turns is None else means * turns[part], basis)
                left *= self.present[split::splits, part]
                sums[:, part] = left.sum(axis=0)
                same[part] += np.einsum("srt,srt->r", left[:, 0], left[:, 1])
            across = sums[0] @ sums[1].T
            crossed += across * across.T
            different += np.einsum("rt,rt->r", *sums)
        return _Products(crossed / sets**4 / splits, (different - same) / (sets * (sets - 1) * splits))


def beyond_frequency(values: Floats, basis: Floats) -> Floats:
    """What a spline of frequency, an orthonormal `basis` (types, columns), leaves of values (…, types)."""
    left: Floats = values - values @ basis @ basis.T
    return left


def _means(preferences: Sequence[Tallies], weights: Floats) -> Floats:
    """Mean preference of each run's types under weights of the documents (draws, documents); (draws, runs, types)."""
    means = np.empty((len(weights), len(preferences), preferences[0].sums.shape[1]))
    counts, by_document = np.empty(0), None
    for run, tallies in enumerate(preferences):
        if tallies.counts is not by_document:  # runs of one text share the array
            by_document = tallies.counts
            counts = np.asarray(weights @ by_document)
        with np.errstate(invalid="ignore", divide="ignore"):
            means[:, run] = np.where(counts > 0, np.asarray(weights @ tallies.sums) / counts, np.nan)
    return means


def _related(runs: int, seeds: Sequence[int] | None) -> Floats:
    """1 for two runs that may be asked whether they are related, 0 for two of one seed; (runs, runs)."""
    if seeds is None:
        return np.ones((runs, runs))
    seed_of_run = np.asarray(seeds)
    related: Floats = np.where((seed_of_run[:, None] == seed_of_run) & ~np.eye(runs, dtype=bool), 0.0, 1.0)
    return related


def family_groups(families: Sequence[str], seeds: Sequence[int] | None = None) -> dict[str, list[Pair]]:
    """All pairs of runs; the pairs within each family that has several; those between each two families.

    Runs with the same of the `seeds` make no pair: their readouts start from the same weights, and what these do to a
    type would be taken for agreement.
    """
    pairs = list(combinations(range(len(families)), 2))
    if seeds is not None:
        pairs = [(run, other) for run, other in pairs if seeds[run] != seeds[other]]
    groups: dict[str, list[Pair]] = {"all": pairs} if pairs else {}
    for run, other in pairs:
        a, b = sorted((families[run], families[other]))
        name = f"within {a}" if a == b else f"between {a} and {b}"
        groups.setdefault(name, []).append((run, other))
    return groups


def _standardized(rows: Floats) -> Floats:
    """Rows (runs, types) of length 1."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    standardized: Floats = rows / np.where(lengths > 0, lengths, 1.0)
    return standardized


def _root(squared: float) -> float:
    """The root, with the sign of what it is taken of."""
    return float(np.sign(squared) * np.sqrt(abs(squared)))


def jackknife(
    numerators: Floats, denominators: Floats, pairs: NDArray[np.int64], confidence: float
) -> tuple[float, float]:
    """Interval over runs of the ratio of two means over pairs of runs, on the log scale; NaN for two runs.

    Runs are left out one at a time (jackknife, Efron and Tibshirani 1993, ch. 11). The terms have shape (pairs,).
    """
    members, places = np.unique(pairs, return_inverse=True)
    ends = places.reshape(len(pairs), 2)

    def without(terms: Floats) -> Floats:
        """The sum of the pairs that each run is not in, (members,)."""
        first, second = (np.bincount(end, weights=terms, minlength=len(members)) for end in ends.T)
        left_out: Floats = terms.sum() - first - second
        return left_out

    left = without(np.ones(len(pairs)))
    if len(members) < 3 or (left < 0.5).any():
        return np.nan, np.nan
    divisors = without(denominators)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(divisors > 0, without(numerators) / divisors, np.nan)
    figure = float(numerators.sum() / denominators.sum()) if denominators.sum() > 0 else np.nan
    return log_interval(figure, jackknife_error(values), len(values) - 1, confidence)


def _spectrum(rows: Floats, r: Floats, under: Floats, names: Sequence[str], confidence: float) -> Spectrum:
    """Eigenvalues of the runs' correlations against those of the null, (permutations, runs) (parallel analysis, Horn
    1965)."""
    eigenvalues, vectors = (ascending[..., ::-1] for ascending in np.linalg.eigh(r))
    bound = np.quantile(under, confidence, axis=0)
    beyond = eigenvalues > bound
    axes = len(beyond) if beyond.all() else int(np.argmin(beyond))
    described = []
    for number in range(axes):
        order = np.argsort(vectors[:, number] @ rows)
        described.append(AxisOfTypes(
            share=float(eigenvalues[number] / len(r)), null_high=float(bound[number] / len(r)),
            p_value=exceedance(float(eigenvalues[number]), under[:, number]),
            loadings=(vectors[:, number] * np.sqrt(eigenvalues[number])).tolist(),
            highest=[names[place] for place in order[::-1][:EXEMPLARS]],
            lowest=[names[place] for place in order[:EXEMPLARS]],
        ))  # fmt: skip
    return Spectrum(
        eigenvalues.tolist(), bound.tolist(), p_value=exceedance(float(eigenvalues[0]), under[:, 0]), axes=described
    )
