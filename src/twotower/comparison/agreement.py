"""Whether runs agree in what their towers prefer, signs aligned, against a null that repeats the alignment.

Which tower is called the first means nothing, so each run's preferences may be turned around. Turned around at will,
even random preferences agree a little: the null permutes types within frequency strata and aligns again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..statistics.intervals import centred_interval
from ..statistics.tallies import Floats, Tallies, resample

Pair = tuple[int, int]


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
    strata: NDArray[np.int64],
    groups: Mapping[str, Sequence[Pair]],
    draws: int,
    permutations: int,
    confidence: float,
    generator: np.random.Generator,
) -> dict[str, Any]:
    """Aligned correlations of type preferences between runs.

    Args:
        preferences: one per run, over the same documents and the same types, each type frequent in all.
        strata: frequency stratum of each type, (types,).
        groups: by name, the pairs of runs whose mean correlation is asked for.
        draws, permutations, confidence: of the bootstrap over documents, of the null, of the intervals.

    Returns:
        `types`; `r`, aligned correlations (runs, runs); `signs` (runs,); and for each group its mean aligned
        correlation with its interval (centred, as for reliability) and `p_value`.
    """
    documents = preferences[0].documents
    everything = np.ones((1, documents))
    values = np.vstack([tallies.means(everything)[0] for tallies in preferences])
    r = _correlations(values)
    signs = align(r)
    found = {name: _mean(r, signs, pairs) for name, pairs in groups.items()}
    drawn: dict[str, list[float]] = {name: [] for name in groups}
    weights = resample(documents, draws, generator)
    means = np.stack([tallies.means(weights)[0] for tallies in preferences], axis=1)
    for one in means:
        other = _correlations(one)
        for name, pairs in groups.items():
            drawn[name].append(_mean(other, signs, pairs))
    null: dict[str, list[float]] = {name: [] for name in groups}
    for _ in range(permutations):
        other = _correlations(_permuted(values, strata, generator))
        its_signs = align(other)
        for name, pairs in groups.items():
            null[name].append(_mean(other, its_signs, pairs))
    results = {}
    for name, estimate in found.items():
        low, high = centred_interval(estimate, np.asarray(drawn[name]), confidence)
        beyond = int((np.asarray(null[name]) >= estimate).sum())
        results[name] = {
            "pairs": len(groups[name]), "estimate": estimate, "low": low, "high": high,
            "p_value": (1 + beyond) / (1 + permutations), "null_mean": float(np.mean(null[name])),
        }  # fmt: skip
    return {
        "types": values.shape[1],
        "r": (r * np.outer(signs, signs)).tolist(),
        "signs": signs.tolist(),
        "groups": results,
    }


def family_groups(families: Sequence[str]) -> dict[str, list[Pair]]:
    """All pairs of runs; the pairs within each family of which there are several; those between each two families."""
    pairs = list(combinations(range(len(families)), 2))
    groups: dict[str, list[Pair]] = {"all": pairs} if pairs else {}
    for one, other in pairs:
        a, b = sorted((families[one], families[other]))
        name = f"within {a}" if a == b else f"between {a} and {b}"
        groups.setdefault(name, []).append((one, other))
    return groups


def _correlations(values: Floats) -> Floats:
    """Correlations (runs, runs) of rows, over the types that are present in all (a resample may lack a rare one)."""
    present = np.isfinite(values).all(axis=0)
    result: Floats = np.atleast_2d(np.asarray(np.corrcoef(values[:, present]), dtype=np.float64))
    return result


def _mean(r: Floats, signs: NDArray[np.int64], pairs: Sequence[Pair]) -> float:
    return float(np.mean([signs[i] * signs[j] * r[i, j] for i, j in pairs]))


def _permuted(values: Floats, strata: NDArray[np.int64], generator: np.random.Generator) -> Floats:
    """Every run's types in a random order of their own, within strata."""
    shuffled: Floats = np.array(values)
    for stratum in np.unique(strata):
        inside = strata == stratum
        shuffled[:, inside] = generator.permuted(values[:, inside], axis=1)
    return shuffled
