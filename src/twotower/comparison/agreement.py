"""Whether runs agree in what their towers prefer, without asking which tower is the first.

Which tower is called the first means nothing, so a run's preferences may be turned around at will. The headline is
therefore free of signs: the mean squared correlation between runs, taken across halves of the documents so that what is
measured badly adds nothing. Several divisions of labour may be possible, and then no single one is shared by all runs:
the spectrum says how many axes are, and a leave-one-out test whether the axes of some runs hold another's preference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..statistics.intervals import centred_interval
from ..statistics.strata import permutations_within
from ..statistics.tallies import Floats, Tallies, halves, resample

Pair = tuple[int, int]
SPLITS = 10
EXEMPLARS = 12
AT_A_TIME = 20
"""Halves of draws for which the sums of all runs are read once; an even number."""
FEWEST_FOR_SUBSPACE = 4


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
    bins: NDArray[np.int64],
    groups: Mapping[str, Sequence[Pair]],
    draws: int,
    permutations: int,
    confidence: float,
    generator: np.random.Generator,
    axes: bool = True,
) -> dict[str, Any]:
    """Agreement of type preferences between runs, whatever their signs.

    Args:
        preferences: one per run, over the same documents and the same types, each type frequent in all.
        bins: bin of training frequency of each type (see `frequency_bins`), (types,).
        groups: by name, the pairs of runs that are asked for.
        draws, permutations, confidence: of the bootstrap over documents, of the null, of the intervals.
        axes: whether to look for axes that runs share, `spectrum` and `subspace`.

    Returns:
        `types`; `r`, correlations (runs, runs) of all documents, turned by `signs` (runs,) for display; and `groups`,
        for each: `pairs`; `squared`, the mean over pairs and halves of r(one run in one half, the other in the other)
        times the same with the halves exchanged, which noise leaves at 0; `estimate`, its signed root, with an interval
        over documents (`low`, `high`) and one over runs (`runs_low`, `runs_high`, jackknife, from three runs on);
        `chance` and `null_high` with types permuted within bins of frequency, each run's in an order of its own, and
        `p_value` (unrelated preferences make about one over the number of types); and `aligned`, the mean correlation
        with signs chosen to make it large, `aligned_chance` (the null repeats the choice) and `aligned_p_value`.
        `spectrum` and `subspace`: see `_spectrum` and `_subspace`.
    """
    documents, runs = preferences[0].documents, len(preferences)
    values = _means(preferences, np.ones((1, documents)))[0]
    first = halves(documents, SPLITS, generator)
    rows = _standardized(values)
    one, other = (_standardized(_means(preferences, half)) for half in (first, 1 - first))
    r, crossed = _correlations(rows), _crossed(one, other)
    signs = align(r)
    drawn = _drawn(preferences, draws, generator)
    null_crossed, null_r = [], []
    single = one.astype(np.float32), other.astype(np.float32)  # half the time, and a null needs no more digits
    for _ in range(permutations):
        places = _places(permutations_within(bins, runs, generator))
        null_r.append(_correlations(rows.ravel()[places]))
        null_crossed.append(_crossed(*single, places))
    null_signs = [align(one) for one in null_r]
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
        runs_low, runs_high = _jackknife(crossed, pairs, confidence)
        found[name] = {
            "pairs": len(pairs), "squared": squared, "estimate": _root(squared), "low": _root(low), "high": _root(high),
            "runs_low": _root(runs_low), "runs_high": _root(runs_high),
            "chance": _root(float(null.mean())), "null_high": _root(float(np.quantile(null, confidence))),
            "p_value": _beyond(null, squared),
            "aligned": aligned, "aligned_chance": float(aligned_null.mean()),
            "aligned_p_value": _beyond(aligned_null, aligned),
        }  # fmt: skip
    shared = {
        "spectrum": _spectrum(values, r, null_r, confidence),
        "subspace": _subspace(values, bins, min(permutations, 99), generator),
    } if axes else {}  # fmt: skip
    return {
        "types": values.shape[1], "r": _turned(r, signs).tolist(), "signs": signs.tolist(), "groups": found, **shared,
    }  # fmt: skip


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


def _crossed(one: NDArray[np.floating], other: NDArray[np.floating], places: NDArray[np.int64] | None = None) -> Floats:
    """Mean over splits of r(i in one half, j in the other) r(i in the other, j in the one); (runs, runs).

    `one`, `other` (splits, runs, types), standardized; if `places` (see `_places`) are given, their types are put in
    that order first. A type that a half lacks is 0 there, the mean of its row, and keeps that value wherever it goes.
    """
    found = np.zeros(2 * one.shape[1:2])
    ordered = np.empty((2, *one.shape[1:]), one.dtype)  # used again: fresh memory would cost more than the products
    for first, second in zip(one, other, strict=True):
        if places is not None:
            for half, into in zip((first, second), ordered, strict=True):
                np.take(half.ravel(), places, out=into, mode="clip")  # any other mode makes a copy
            first, second = ordered
        across = first @ second.T
        found += across * across.T
    return found / len(one)


def _places(orders: NDArray[np.int64]) -> NDArray[np.int64]:
    """From an order of the types for each run to places in the flat array of all runs, (runs, types)."""
    runs, types = orders.shape
    found: NDArray[np.int64] = np.arange(runs)[:, None] * types + orders
    return found


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


def _jackknife(matrix: Floats, pairs: NDArray[np.int64], confidence: float) -> tuple[float, float]:
    """Interval over runs by leaving out one at a time (Efron and Tibshirani 1993, ch. 11); NaN for two runs."""
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
    """Eigenvalues of the runs' correlations against those of permuted types (parallel analysis, Horn 1965).

    `axes`: how many in a row lie beyond the null; each has its `loadings` on the runs and, as `highest` and `lowest`,
    the types (by number) at its ends.
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
    return {"eigenvalues": eigenvalues.tolist(), "null_high": bound.tolist(), "axes": described}


def _subspace(
    values: Floats, bins: NDArray[np.int64], permutations: int, generator: np.random.Generator
) -> dict[str, float] | None:
    """Share of a run's variance that lies in the span of the others' two first axes, mean over runs left out in turn.

    The null permutes the types of the run that is left out within bins. None for fewer than four runs.
    """
    if len(values) < FEWEST_FOR_SUBSPACE:
        return None
    rows = _standardized(values)
    spans = np.stack([_span(np.delete(rows, run, axis=0)) for run in range(len(rows))])

    def share(these: Floats) -> float:
        return float((np.einsum("rat,rt->ra", spans, these) ** 2).sum() / len(these))

    null = np.array([
        share(rows.ravel()[_places(permutations_within(bins, len(rows), generator))])
        for _ in range(permutations)
    ])  # fmt: skip
    estimate = share(rows)
    return {"estimate": estimate, "chance": float(null.mean()), "p_value": _beyond(null, estimate)}


def _span(rows: Floats) -> Floats:
    """The two first axes of standardized rows (runs, types), (2, types), from the products of the rows."""
    squares, vectors = np.linalg.eigh(rows @ rows.T)
    lengths = np.sqrt(np.maximum(squares[-2:, None], np.finfo(float).tiny))
    axes: Floats = vectors[:, -2:].T @ rows / lengths
    return axes
