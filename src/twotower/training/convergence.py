"""Whether readouts are trained: what the last doubling of their text has changed.

A preference is what a tower's states hold only if more training of the readouts does not change it; read too soon, it
is how soon a readout can be fitted. Perplexity goes on falling for long after preferences have settled, and is reported
but not required.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..runs.records import read_record
from ..runs.stages import STAGES
from ..statistics.contrasts import contrasts
from ..statistics.intervals import Estimate, jackknife_error
from ..statistics.tallies import Floats

Scores = Mapping[str, NDArray[np.float32]]
"""Log-probabilities in nats by head, each (tokens,)."""
AGREEMENT, LEAST_AGREEMENT = 0.95, 0.90
"""The agreement that preferences before and after a doubling must reach, and the lower end of its interval."""
ONE_TOWER = 0.01
"""A single tower has neither preference nor surplus: its nats per token must move by less than this."""
NORMAL = 1.959964
"""Quantile of the 95 % interval: how long readouts train does not depend on what the analysis is asked for."""
LENGTH = 512
"""Tokens of a stretch of text, which is a unit of resampling: the documents that are kept aside are few."""
FEWEST_STRETCHES = 10
"""With fewer, that types do not differ in preference says nothing: readouts of towers that differ pass as often as not
with two stretches, and in 2 of 100 simulated texts with six."""


READOUTS = "readout.json"


@dataclass(frozen=True)
class Surplus:
    """By how many nats per token all towers together are better than the best one, both read by the same family."""

    estimate: float
    standard_error: float
    """Of text and readouts together; NaN for a text of a single stretch."""
    change: float
    """Nats that the last doubling added."""


@dataclass(frozen=True)
class Doubling:
    """What a doubling of the readouts' text has changed, on text that nothing was trained on."""

    tokens: int
    """Text that the readouts had been trained on at its end."""
    perplexity: dict[str, float]
    """At its end, by what a readout reads; the geometric mean over sets."""
    agreement: Estimate | None
    """Correlation of the types' preferences before and after, freed of the noise of text and readouts; None where
    types differ too little in preference for that, and for one tower. Its 95 % interval is from a jackknife over
    stretches of text."""
    surplus: Surplus | None
    """None for one tower."""
    converged: bool


@dataclass(frozen=True)
class KeptAside:
    """The text that nothing was trained on and on which readouts were read."""

    documents: int
    tokens: int


@dataclass(frozen=True)
class StatesKept:
    """The towers' states on which readouts were trained."""

    tokens: int
    """The most tokens whose states were on disk at a time."""
    parts: int


@dataclass(frozen=True)
class TrainedReadouts:
    """How far the readouts were trained; `readout.json`."""

    converged: bool
    """Whether another doubling of their text changed neither preference nor surplus."""
    stopped: str
    """Why they were not trained further."""
    tokens: int
    """Text that the kept readouts were trained on."""
    cap: int
    """`readout.tokens`, at which they stop."""
    kind: str
    doubling: Doubling | None
    """The last one."""
    doublings: list[Doubling]
    validation: KeptAside
    cache: StatesKept


def read_readouts(run: Path) -> TrainedReadouts:
    """How far the readouts of a run were trained. Raises `InputError` if the file is damaged."""
    return read_record(TrainedReadouts, run / READOUTS, f"redo it with `{STAGES['readout'].command(run)}`")


def compare(
    before: Scores, after: Scores, sets: Sequence[str], towers: int, piece: NDArray[np.int64], tokens: int
) -> Doubling:
    """What changed between two readings of the same text by the same `sets` of readouts (see `Doubling`).

    `piece` and the scores are of shape (tokens,); the text's stretches are `LENGTH` tokens each.
    """
    unit = np.arange(len(piece)) // LENGTH
    reads = [name.removeprefix(f"{sets[0]}_") for name in after if name.startswith(f"{sets[0]}_")]
    perplexity = {
        read: float(np.exp(-np.mean([after[f"{name}_{read}"].mean(dtype=np.float64) for name in sets])))
        for read in reads if f"{sets[-1]}_{read}" in after
    }  # fmt: skip
    if towers == 1:
        gain = float(np.mean([(after[f"{name}_1"] - before[f"{name}_1"]).mean(dtype=np.float64) for name in sets]))
        return Doubling(tokens, perplexity, None, None, abs(gain) < ONE_TOWER)
    surplus = _surplus(before, after, sets, towers, unit)
    agreement = _agreement(before, after, sets, towers, piece, unit)
    if agreement is None:  # there is little to correlate, as in strangers, or too little text to see it
        agree = int(unit[-1]) + 1 >= FEWEST_STRETCHES
    else:
        agree = agreement.estimate >= AGREEMENT and agreement.low >= LEAST_AGREEMENT
    settled = abs(surplus.change) < surplus.standard_error
    return Doubling(tokens, perplexity, agreement, surplus, agree and settled)


def _surplus(before: Scores, after: Scores, sets: Sequence[str], towers: int, unit: NDArray[np.int64]) -> Surplus:
    counts = np.bincount(unit).astype(np.float64)
    others = counts.sum() - counts  # 0 for a text of one stretch, which has no error

    def values(scores: Scores) -> tuple[float, Floats, Floats]:
        """Surplus on all units, with each left out, and of each set."""
        heads = [*range(1, towers + 1), "together"]
        sums_by_set = np.array(
            [[np.bincount(unit, weights=scores[f"{name}_{head}"]) for head in heads] for name in sets]
        )  # (sets, heads, units)
        sums = sums_by_set.mean(axis=0)
        means = sums.sum(axis=1) / counts.sum()
        left = sums.sum(axis=1, keepdims=True) - sums
        without = np.divide(left, others, where=others > 0, out=np.full_like(left, np.nan))
        of_set = sums_by_set.sum(axis=2) / counts.sum()
        best = int(means[:-1].argmax())
        surplus = float(means[-1] - means[best])
        return surplus, without[-1] - without[:-1].max(axis=0), of_set[:, -1] - of_set[:, best]

    (first, *_), (last, without, of_set) = values(before), values(after)
    error = np.hypot(jackknife_error(without), of_set.std(ddof=1) / np.sqrt(len(sets)))
    return Surplus(last, float(error), last - first)


def _agreement(
    before: Scores, after: Scores, sets: Sequence[str], towers: int, piece: NDArray[np.int64], unit: NDArray[np.int64]
) -> Estimate | None:
    """The correlation between covariances that no two readouts and no two stretches of text have in common."""
    types, kinds = np.unique(piece, return_inverse=True)
    shape = (int(unit.max()) + 1, len(types))
    cell = unit * len(types) + kinds

    def table(weights: Floats | None = None) -> Floats:
        return np.bincount(cell, weights, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)

    def differences(scores: Scores, name: str, weights: Sequence[float]) -> Floats:
        """Sums over the occurrences of each type in each unit, (units, types)."""
        heads = [scores[f"{name}_{tower}"].astype(np.float64) for tower in range(1, towers + 1)]
        values = np.einsum("t,tn->n", np.asarray(weights), np.stack(heads))
        return table(values - values.mean())

    counts = table()
    across, first, second = np.zeros((3, 1 + shape[0]))
    for contrast in contrasts(towers):
        was = [differences(before, name, contrast.weights) for name in sets]
        now = [differences(after, name, contrast.weights) for name in sets]
        for left, right in permutations(range(len(sets)), 2):
            across += _covariances(was[left], now[right], counts)
            first += _covariances(was[left], was[right], counts)
            second += _covariances(now[left], now[right], counts)
    if first[0] <= 0 or second[0] - NORMAL * jackknife_error(second[1:]) <= 0:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        values = across / np.sqrt(first * second)
    if not np.isfinite(values).all():
        return None
    error = jackknife_error(values[1:])
    return Estimate(float(values[0]), float(values[0] - NORMAL * error), float(values[0] + NORMAL * error))


def _covariances(first: Floats, second: Floats, counts: Floats) -> Floats:
    """Covariance of the types' means on different units, then with each unit left out; (1 + units,).

    All arguments are (units, types): sums over occurrences, and their numbers. A type's share is its share of the
    occurrences; a product is of two different units, so that no occurrence is in both.
    """

    def covariance(sums: Floats, other_sums: Floats, same_unit: Floats, numbers: Floats, squares: Floats) -> Floats:
        pairs = numbers**2 - squares
        means = np.divide(sums * other_sums - same_unit, pairs, where=pairs > 0.5, out=np.zeros_like(pairs))
        weights = np.where(pairs > 0.5, numbers, 0.0)
        return np.asarray((weights * means).sum(axis=-1) / np.maximum(weights.sum(axis=-1), 1.0))

    by_unit = (first, second, first * second, counts, counts**2)
    totals = [values.sum(axis=0) for values in by_unit]
    without = [total - values for total, values in zip(totals, by_unit, strict=True)]
    return np.append(covariance(*totals), covariance(*without))
