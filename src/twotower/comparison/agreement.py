"""Whether runs agree in what their towers prefer, without asking which tower is the first.

Which tower is called the first means nothing, so a run's preferences may be turned around at will. The headline is
therefore free of signs: the mean squared correlation between runs, taken across halves of the documents so that what is
measured badly adds nothing. Several divisions of labour may be possible, and then no single one is shared by all runs:
the spectrum says how many axes are, and a leave-one-out test whether the axes of some runs hold another's preference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, stats

from ..statistics.intervals import centred_interval
from ..statistics.strata import smooth_basis
from ..statistics.tallies import Floats, Tallies, halves, resample

Pair = tuple[int, int]
SPLITS = 10
EXEMPLARS = 12
AT_A_TIME = 20
"""Halves of draws for which the sums of all runs are read once; an even number."""
FEWEST_FOR_SUBSPACE, FEW_PERMUTATIONS = 4, 99
LEFT_OUT = 30
"""Runs that are left out at most; finding the axes of the others takes time for each, in the null as well."""


def align(r: Floats) -> NDArray[np.int64]:
    """Signs (runs,) with the largest sum of aligned correlations found, for correlations (runs, runs); the first is 1.

    From the signs of the leading eigenvector, runs are turned around one at a time as long as that helps.
    """
    off = r - np.diag(np.diag(r))
    signs = np.where(np.linalg.eigh(off)[1][:, -1] >= 0, 1, -1)
    while True:
        gain = -signs * (off @ signs)  # of turning each run around, up to a factor
        worst = int(np.argmax(gain))
        if gain[worst] <= 1e-12:
            return np.asarray(signs * signs[0], dtype=np.int64)
        signs[worst] *= -1


def agreement(
    preferences: Sequence[Tallies],
    frequency: NDArray[np.integer] | Floats,
    groups: Mapping[str, Sequence[Pair]],
    draws: int,
    permutations: int,
    confidence: float,
    generator: np.random.Generator,
    axes: bool = True,
    seeds: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Agreement of type preferences between runs, whatever their signs.

    Args:
        preferences: one per run, over the same documents and the same types, each type frequent in all.
        frequency: training frequency of each type, (types,).
        groups: by name, the pairs of runs that are asked for.
        draws, permutations, confidence: of the bootstrap over documents, of the null, of the intervals.
        axes: whether to look for axes that runs share, `spectrum` and `subspace`.
        seeds: of the runs; two of one seed count as unrelated wherever signs and axes are sought (see `family_groups`).

    Returns:
        `types`; `r`, correlations (runs, runs) of all documents, turned by `signs` (runs,) for display; and `groups`,
        for each: `pairs`; `squared`, the mean over pairs and halves of r(one run in one half, the other in the other)
        times the same with the halves exchanged, which noise leaves at 0; `estimate`, its signed root, with an interval
        over documents (`low`, `high`) and one over runs (`runs_low`, `runs_high`, jackknife, from three runs on);
        `chance` and `null_high` of the null (see `_Parts`), and `p_value`; and `aligned`, the mean correlation
        with signs chosen to make it large, `aligned_chance` (the null repeats the choice) and `aligned_p_value`.
        `spectrum` and `subspace`: see `_spectrum` and `_subspace`.
    """
    documents, runs = preferences[0].documents, len(preferences)
    values = _means(preferences, np.ones((1, documents)))[0]
    first = halves(documents, SPLITS, generator)
    rows = _standardized(values)
    one, other = (_standardized(_means(preferences, half)) for half in (first, 1 - first))
    related = _related(runs, seeds)
    r, crossed = _correlations(rows), _crossed(one, other)
    signs = align(r * related)
    drawn = _drawn(preferences, draws, generator)
    basis = np.linalg.qr(smooth_basis(frequency))[0]
    whole, sides = _Parts.of(rows[None], basis), (_Parts.of(one, basis), _Parts.of(other, basis))
    null_crossed, null_r = list[Floats](), list[Floats]()
    for _ in range(permutations):
        turns = generator.choice(np.array([-1, 1], dtype=np.float32), (runs, values.shape[1]))
        null_r.append(next(_correlated(whole, whole, turns)))
        null_crossed.append(np.mean([across * across.T for across in _correlated(*sides, turns)], axis=0))
    null_signs = [align(one * related) for one in null_r]
    found = {}
    for name, listed in groups.items():
        pairs = np.asarray(listed)
        squared = _over(crossed, pairs)
        low, high = centred_interval(squared, np.array([_over(one, pairs) for one in drawn]), confidence)
        null = np.array([_over(one, pairs) for one in null_crossed])
        aligned = _over(_turned(r, signs), pairs)
        aligned_null = np.array([
            _over(_turned(one, those), pairs) for one, those in zip(null_r, null_signs, strict=True)
        ])  # fmt: skip
        runs_low, runs_high = jackknife(crossed, pairs, confidence)
        found[name] = {
            "pairs": len(pairs), "squared": squared, "estimate": _root(squared), "low": _root(low), "high": _root(high),
            "runs_low": _root(runs_low), "runs_high": _root(runs_high),
            "chance": _root(float(null.mean())), "null_high": _root(float(np.quantile(null, confidence))),
            "p_value": _beyond(null, squared),
            "aligned": aligned, "aligned_chance": float(aligned_null.mean()),
            "aligned_p_value": _beyond(aligned_null, aligned),
        }  # fmt: skip
    distinct, null_distinct = r * related, [one * related for one in null_r]
    shared = {
        "spectrum": _spectrum(values, distinct, null_distinct, confidence),
        "subspace": _subspace(distinct, null_distinct[:FEW_PERMUTATIONS]),
    } if axes else {}  # fmt: skip
    return {
        "types": values.shape[1], "r": _turned(r, signs).tolist(), "signs": signs.tolist(), "groups": found, **shared,
    }  # fmt: skip


def _related(runs: int, seeds: Sequence[int] | None) -> Floats:
    """1 for two runs that may be asked whether they are related, 0 for two of one seed; (runs, runs)."""
    if seeds is None:
        return np.ones((runs, runs))
    of = np.asarray(seeds)
    found: Floats = np.where((of[:, None] == of) & ~np.eye(runs, dtype=bool), 0.0, 1.0)
    return found


@dataclass(frozen=True)
class _Parts:
    """What frequency says of the types' preferences, and what it leaves.

    The null turns what frequency leaves around, for each run and type at random, alike in both halves of the documents.
    So every type keeps the size of its preference in each run, as well as its noise: types that are large in all runs
    (rare ones, say) have larger correlations by chance than types in a random order would have.
    """

    trend: NDArray[np.float32]
    """(splits, runs, types)"""
    rest: NDArray[np.float32]
    """(splits, runs, types)"""
    types: NDArray[np.int64]
    """How many types a split has, (splits,); the others are 0 in all runs and stay so."""

    @classmethod
    def of(cls, rows: Floats, basis: Floats) -> _Parts:
        """Of standardized `rows` (splits, runs, types) and an orthonormal `basis` (types, columns) of frequency."""
        present = (rows != 0).any(axis=1, keepdims=True)
        trend = np.where(present, rows @ basis @ basis.T, 0.0)
        return cls(trend.astype(np.float32), (rows - trend).astype(np.float32), present.sum(axis=(1, 2)))


def _correlated(one: _Parts, other: _Parts, turns: NDArray[np.float32]) -> Iterator[Floats]:
    """Correlations between the runs of two sides of each split once their types are turned, (runs, runs) each."""
    x, y = np.empty_like(turns), np.empty_like(turns)  # used again: fresh memory would cost more than the products
    for split, types in enumerate(one.types):
        sides = []
        for part, into in ((one, x), (other, y)):
            np.multiply(part.rest[split], turns, out=into)
            into += part.trend[split]
            mean = into.sum(axis=1, dtype=np.float64) / types
            variance = np.einsum("rt,rt->r", into, into).astype(np.float64) / types - mean**2
            sides.append((mean, np.sqrt(np.maximum(variance, np.finfo(np.float32).tiny))))
        (mean_x, sd_x), (mean_y, sd_y) = sides
        yield ((x @ y.T).astype(np.float64) / types - np.outer(mean_x, mean_y)) / np.outer(sd_x, sd_y)


def _drawn(preferences: Sequence[Tallies], draws: int, generator: np.random.Generator) -> list[Floats]:
    """`_crossed` of one split of the documents under each bootstrap draw, each (runs, runs)."""
    documents = preferences[0].documents
    sides = []
    for weights in resample(documents, draws, generator):
        half = halves(documents, 1, generator)[0] * weights
        sides += [half, weights - half]
    found = []
    for start in range(0, len(sides), AT_A_TIME):
        rows = _standardized(_means(preferences, np.stack(sides[start : start + AT_A_TIME])))
        found += [_crossed(rows[place, None], rows[place + 1, None]) for place in range(0, len(rows), 2)]
    return found


def _means(preferences: Sequence[Tallies], weights: Floats) -> Floats:
    """Mean preference of each run's types under weights of the documents (draws, documents); (draws, runs, types)."""
    found = np.empty((len(weights), len(preferences), preferences[0].sums.shape[1]))
    counts, of = np.empty(0), None
    for run, tallies in enumerate(preferences):
        if tallies.counts is not of:  # runs of one text share the array
            of = tallies.counts
            counts = np.asarray(weights @ of)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[:, run] = np.where(counts > 0, np.asarray(weights @ tallies.sums) / counts, np.nan)
    return found


def family_groups(families: Sequence[str], seeds: Sequence[int] | None = None) -> dict[str, list[Pair]]:
    """All pairs of runs; the pairs within each family that has several; those between each two families.

    Runs with the same of the `seeds` make no pair: their readouts start from the same weights, and what these do to a
    type would be taken for agreement.
    """
    pairs = list(combinations(range(len(families)), 2))
    if seeds is not None:
        pairs = [(one, other) for one, other in pairs if seeds[one] != seeds[other]]
    groups: dict[str, list[Pair]] = {"all": pairs} if pairs else {}
    for one, other in pairs:
        a, b = sorted((families[one], families[other]))
        name = f"within {a}" if a == b else f"between {a} and {b}"
        groups.setdefault(name, []).append((one, other))
    return groups


def _standardized(values: Floats) -> Floats:
    """Rows (..., runs, types) with mean 0 and length 1 over the types that all of them have."""
    present = np.isfinite(values).all(axis=-2, keepdims=True)
    filled = np.where(present, values, 0.0)
    count = np.maximum(present.sum(axis=-1, keepdims=True), 1)
    centred = np.where(present, filled - filled.sum(axis=-1, keepdims=True) / count, 0.0)
    lengths = np.linalg.norm(centred, axis=-1, keepdims=True)
    found: Floats = centred / np.where(lengths > 0, lengths, 1.0)
    return found


def _correlations(rows: Floats) -> Floats:
    """Of standardized rows (runs, types); (runs, runs)."""
    found: Floats = rows @ rows.T
    return found


def _crossed(one: Floats, other: Floats) -> Floats:
    """Mean over splits of r(i in one half, j in the other) r(i in the other, j in the one); (runs, runs).

    `one`, `other` (splits, runs, types), standardized. A type that a half lacks is 0 there, the mean of its row.
    """
    found = np.zeros(2 * one.shape[1:2])
    for first, second in zip(one, other, strict=True):
        across = first @ second.T
        found += across * across.T
    return found / len(one)


def _over(matrix: Floats, pairs: NDArray[np.int64]) -> float:
    rows, columns = pairs.T
    return float(matrix[rows, columns].mean())


def _turned(r: Floats, signs: NDArray[np.int64]) -> Floats:
    found: Floats = r * np.outer(signs, signs)
    return found


def _root(squared: float) -> float:
    """The root, with the sign of what it is taken of."""
    return float(np.sign(squared) * np.sqrt(abs(squared)))


def _beyond(null: Floats, estimate: float) -> float:
    return float((1 + (null >= estimate).sum()) / (1 + len(null)))


def jackknife(matrix: Floats, pairs: NDArray[np.int64], confidence: float) -> tuple[float, float]:
    """Interval over runs of the mean of `matrix` (runs, runs) over pairs; NaN for two runs.

    Runs are left out one at a time (jackknife, Efron and Tibshirani 1993, ch. 11).
    """
    members = np.unique(pairs)
    left = [pairs[(pairs != run).all(axis=1)] for run in members]
    values = np.array([_over(matrix, some) for some in left if len(some)])
    if len(values) < 3 or len(values) < len(members):
        return np.nan, np.nan
    n, estimate = len(values), _over(matrix, pairs)
    error = np.sqrt((n - 1) / n * ((values - values.mean()) ** 2).sum())
    reach = float(stats.t.ppf((1 + confidence) / 2, n - 1) * error)
    return estimate - reach, estimate + reach


def _spectrum(values: Floats, r: Floats, null: Sequence[Floats], confidence: float) -> dict[str, Any]:
    """Eigenvalues of the runs' correlations against those of the null (parallel analysis, Horn 1965).

    `p_value`: of the first. `axes`: as many in a row as are beyond the null; each has its `loadings` on the runs and,
    as `highest` and `lowest`, the types (by number) at its ends.
    """
    eigenvalues, vectors = (one[..., ::-1] for one in np.linalg.eigh(r))
    under = np.stack([np.linalg.eigvalsh(one)[::-1] for one in null])
    bound = np.quantile(under, confidence, axis=0)
    beyond = eigenvalues > bound
    axes = len(beyond) if beyond.all() else int(np.argmin(beyond))
    rows = _standardized(values)
    described = []
    for number in range(axes):
        order = np.argsort(vectors[:, number] @ rows)
        described.append({
            "share": float(eigenvalues[number] / len(r)), "null_high": float(bound[number] / len(r)),
            "p_value": _beyond(under[:, number], float(eigenvalues[number])),
            "loadings": (vectors[:, number] * np.sqrt(eigenvalues[number])).tolist(),
            "highest": order[::-1][:EXEMPLARS].tolist(), "lowest": order[:EXEMPLARS].tolist(),
        })  # fmt: skip
    return {
        "eigenvalues": eigenvalues.tolist(), "null_high": bound.tolist(),
        "p_value": _beyond(under[:, 0], float(eigenvalues[0])), "axes": described,
    }  # fmt: skip


def _subspace(r: Floats, null: Sequence[Floats]) -> dict[str, float] | None:
    """Share of a run's variance that lies in the span of the others' two first axes, mean over runs left out in turn.

    The null finds the axes again. Of more than `LEFT_OUT` runs so many are left out, evenly spread. None for fewer than
    four runs.
    """
    if len(r) < FEWEST_FOR_SUBSPACE:
        return None
    estimate, under = _explained(r), np.array([_explained(one) for one in null])
    return {"estimate": estimate, "chance": float(under.mean()), "p_value": _beyond(under, estimate)}


def _explained(r: Floats) -> float:
    """The share of `_subspace`, from the correlations (runs, runs) alone: axes are sums of the others' rows."""
    shares = []
    for run in np.unique(np.linspace(0, len(r) - 1, min(len(r), LEFT_OUT)).astype(int)):
        others = np.delete(np.arange(len(r)), run)
        top = [len(others) - 2, len(others) - 1]
        squares, vectors = linalg.eigh(r[np.ix_(others, others)], subset_by_index=top)
        shares.append(((vectors.T @ r[others, run]) ** 2 / squares).sum())
    return float(np.mean(shares))
