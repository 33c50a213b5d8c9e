"""How preference emerges: the statistics of a finished run, at every evaluation of its training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..config import AnalyzeConfig
from ..data.heldout import CONTENT_CLASS, FUNCTION_CLASS
from ..statistics.contrasts import contrasts
from ..statistics.intervals import centred_interval
from ..statistics.ranking import matched
from ..statistics.strata import FEWEST, frequency_bins, permutations_within
from ..statistics.tallies import Floats, Tallies, halves, resample, resample_within, tally
from .class_variance import FEW_TYPES, spread, spread_of
from .labelled import LEXICAL_AND_GRAMMATICAL, Units, one_hot
from .reliability import reliability
from .separation import separation

DRAWS, PERMUTATIONS = 200, 199
FEWER = 3
"""An evaluation reads a sample of the held-out text: types count that occur a third as often as in all of it."""
PREFERRED = 0.1
"""Share of the types that count as preferred by a tower."""


def emergence(
    table: pd.DataFrame,
    towers: int,
    frequencies: NDArray[np.int64],
    classes: pd.DataFrame,
    settings: AnalyzeConfig,
    seed: int,
) -> dict[str, Any]:
    """Reliability, separation and saturation at each evaluation, and the one from which on they pass their nulls.

    Args:
        table: `emergence.parquet` (see `training.evaluation.Evaluator.gather`).
        towers: how many towers; one has no preference, and the result is empty.
        frequencies, classes: training count, part of speech and class of each type, by id.
        settings: counts, ratio of frequencies, splits and confidence.
        seed: of the resampling.

    Returns:
        `evaluations`: one object each, with `tokens`, `tower_nats` (mean negative log-probability under
        each tower's readout), `reliability` and `separation` (each with its interval and `noise_floor`, the separation
        with its p-value), `saturation` (see `_saturation`) and `spread` (of the classes, by the types' commonest part
        of speech; see `class_variance.spread`, and its `noise_floor`) with `profile_r`, the correlation of the class
        profile in one half of the documents with that of the last evaluation in the other. `passed`: for reliability,
        separation and spread, the `tokens` of the first evaluation from which on every one passes; null
        where the last does not pass. Reliability passes with an interval above that of its noise floor, separation if,
        besides, its p-value is below 1 - confidence, and the spread where it exceeds the bound of its null and of its
        noise floor. What has not passed may be there: the samples are small. `turned`: the last evaluation (in tokens)
        at which the profile was turned round, its `profile_r` below 0; null if there is none.
    """
    found = contrasts(towers)
    if not found or not len(table):
        passed = {"reliability": None, "separation": None, "spread": None}
        return {"evaluations": [], "passed": passed, "turned": None}
    generator = np.random.default_rng([seed, 2])
    parts = [(int(tokens), part) for tokens, part in table.groupby("tokens")]
    document = pd.factorize(parts[0][1]["document"])[0]
    types = len(frequencies)
    tallies = [
        [tally(document, part["piece_id"].to_numpy(), contrast.of(part), types) for contrast in found]
        for _, part in parts
    ]
    floors = [
        tally(document, part["piece_id"].to_numpy(), (part["readout_1"] - part["second_1"]).to_numpy(np.float64), types)
        for _, part in parts
    ]
    least = max(2, settings.min_count // FEWER)
    counts = np.asarray(floors[0].counts.sum(axis=0)).ravel()
    word_class = classes["word_class"].to_numpy()
    function = word_class == FUNCTION_CLASS
    frequent = counts >= 2 * least
    chosen = frequent & (function | (word_class == CONTENT_CLASS))
    bins = frequency_bins(frequencies[chosen], settings.frequency_ratio)
    counterpart = matched(function[chosen], bins)
    chosen[chosen] = counterpart
    bins = bins[counterpart]
    classed = bool(chosen.any())
    nats_of = {
        tokens: [-float(part[f"readout_{tower}"].mean()) for tower in range(1, towers + 1)] for tokens, part in parts
    }
    final = [one.select(frequent) for one in tallies[-1]]
    watched = _Watched.of(classes, frequencies, counts, document, settings, generator)
    rows = []
    for (tokens, _), preferences, floor in zip(parts, tallies, floors, strict=True):
        row: dict[str, Any] = {
            "tokens": tokens, "tower_nats": nats_of[tokens],
        }  # fmt: skip
        row["reliability"] = {
            **_reliability(preferences, least, settings, generator),
            "noise_floor": _reliability([floor], least, settings, generator),
        }
        row["separation"] = None
        if classed:
            measured, null = (
                vars(
                    separation(
                        [one.select(chosen) for one in each], function[chosen], bins, least, settings.splits, DRAWS,
                        PERMUTATIONS, settings.confidence, generator,
                    )
                )
                for each in (preferences, [floor])
            )  # fmt: skip
            row["separation"] = {**measured, "noise_floor": null}
        now = [one.select(frequent) for one in preferences]
        row["saturation"] = _saturation(now, final, least, settings, generator)
        row["spread"] = watched and watched.spread(preferences, floor)
        row["profile_r"] = watched and watched.same_profile(preferences, tallies[-1])
        rows.append(row)
    passing = {
        "reliability": [_above(row["reliability"]) for row in rows],
        "separation": [
            _above(row["separation"]) and row["separation"]["p_value"] < 1 - settings.confidence for row in rows
        ],
        "spread": [_beyond(row["spread"]) for row in rows],
    }
    turned = [row["tokens"] for row in rows if row["profile_r"] is not None and row["profile_r"] < 0]
    return {
        "evaluations": rows,
        "passed": {name: _since(rows, passes) for name, passes in passing.items()},
        "turned": max(turned, default=None),
    }


@dataclass(frozen=True)
class _Watched:
    """The types of an evaluation that have a part of speech, as words; for their spread and profile."""

    units: Units
    kept: NDArray[np.bool_]
    """Which types these are, (vocabulary,)."""
    first: Floats
    orders: NDArray[np.int64]
    documents: Floats
    words: Floats
    confidence: float

    @classmethod
    def of(
        cls, classes: pd.DataFrame, frequencies: NDArray[np.int64], counts: Floats, document: NDArray[np.int64],
        settings: AnalyzeConfig, generator: np.random.Generator,
    ) -> _Watched | None:  # fmt: skip
        """None where fewer than two classes have enough types."""
        upos = classes["upos"].to_numpy(dtype=object)
        seen = counts > 0
        names = [name for name in LEXICAL_AND_GRAMMATICAL if (seen & (upos == name)).sum() >= FEW_TYPES]
        if len(names) < 2:
            return None
        kept = seen & np.isin(upos, names)
        label = np.array([names.index(name) for name in upos[kept]], dtype=np.int64)
        strata = frequency_bins(frequencies[kept], settings.frequency_ratio, FEWEST)
        units = Units(tuple(names), label, np.flatnonzero(kept), frequencies[kept].astype(np.float64), strata, [])
        documents = int(document.max()) + 1
        return cls(
            units, kept, halves(documents, settings.splits, generator),
            permutations_within(strata, PERMUTATIONS, generator), resample(documents, DRAWS, generator),
            resample_within(label, DRAWS, generator), settings.confidence,
        )  # fmt: skip

    def spread(self, preferences: Sequence[Tallies], floor: Tallies) -> dict[str, Any]:
        """Of the preference (of several, the one with the largest spread), and of the noise as its floor.

        The largest of several is compared with the largest of as many under each permutation of the labels.
        """
        mine = [one.select(self.kept) for one in preferences]
        hot = one_hot(self.units.label, len(self.units.classes))
        largest = max(range(len(mine)), key=lambda number: spread_of(mine[number], self.first, hot))

        def of(tallies: Tallies, others: Sequence[Tallies] = ()) -> dict[str, Any]:
            return spread(
                tallies, self.units, self.first, self.orders, self.documents, self.words, self.confidence, others
            )  # fmt: skip

        found = of(mine[largest], [*mine[:largest], *mine[largest + 1 :]])
        noise = of(floor.select(self.kept))
        return found | {"noise_floor": {key: value for key, value in noise.items() if key != "null"}}

    def same_profile(self, now: Sequence[Tallies], final: Sequence[Tallies]) -> float | None:
        """Correlation of the profile now, in one half of the documents, with that of the end, in the other."""
        hot = one_hot(self.units.label, len(self.units.classes))
        found = []
        for early, late in zip(now, final, strict=True):
            for here, there in ((self.first, 1 - self.first), (1 - self.first, self.first)):
                a, b = (
                    self._profiles(one.select(self.kept), half, hot) for one, half in ((early, here), (late, there))
                )
                with np.errstate(invalid="ignore", divide="ignore"):
                    found.append((a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1)))
        known = np.concatenate(found)
        known = known[np.isfinite(known)]
        return float(known.mean()) if len(known) else None

    @staticmethod
    def _profiles(tallies: Tallies, half: Floats, hot: Floats) -> Floats:
        """Class means, centred over classes, (splits, classes); 0 for a class that a half lacks."""
        sums, counts = (np.asarray(half @ one) @ hot for one in (tallies.sums, tallies.counts))
        means = np.divide(sums, counts, where=counts > 0, out=np.zeros_like(sums))
        centred: Floats = means - means.mean(axis=1, keepdims=True)
        return centred


def _reliability(
    preferences: Sequence[Tallies], least: int, settings: AnalyzeConfig, generator: np.random.Generator
) -> dict[str, float]:
    return vars(reliability(preferences, least, settings.splits, DRAWS, settings.confidence, generator))


def _above(figure: dict[str, Any] | None) -> bool:
    return figure is not None and figure["low"] > figure["noise_floor"]["high"]  # never, if either is NaN


def _beyond(spread: dict[str, Any] | None) -> bool:
    if spread is None:
        return False
    return bool(spread["estimate"] > max(spread["null"]["high"], spread["noise_floor"]["high"]))


def _since(rows: Sequence[dict[str, Any]], passes: Sequence[bool]) -> dict[str, Any] | None:
    first = len(rows)
    while first and passes[first - 1]:
        first -= 1
    return None if first == len(rows) else {"tokens": rows[first]["tokens"]}


def _saturation(
    now: Sequence[Tallies],
    final: Sequence[Tallies],
    least: int,
    settings: AnalyzeConfig,
    generator: np.random.Generator,
) -> dict[str, float]:
    """How many of the types that a tower prefers now it prefers at the end.

    For each tower the tenth of the types with the highest preference in one half of the documents, now, against those
    in the other half, at the end: the share that they have in common, mean over towers, over both ways and over random
    halves, with an interval from a bootstrap over documents (centred, as for reliability). By chance it is 0.1; because
    the two sides are measured on different documents it stays below 1 even at the end.
    """
    documents = now[0].documents
    observed = _overlaps(now, final, halves(documents, settings.splits, generator), None, least)
    estimate = float(np.nanmean(observed)) if np.isfinite(observed).any() else np.nan
    weights = resample(documents, DRAWS, generator)
    drawn = _overlaps(now, final, halves(documents, DRAWS, generator), weights, least)
    low, high = centred_interval(estimate, drawn, settings.confidence)
    return {"estimate": estimate, "low": max(low, 0.0), "high": min(high, 1.0), "chance": PREFERRED}


def _overlaps(
    now: Sequence[Tallies], final: Sequence[Tallies], first: Floats, weights: Floats | None, least: int
) -> Floats:
    """One figure per split, (splits,)."""
    weights = np.ones_like(first) if weights is None else weights
    shares = []
    for here, there in ((first, 1 - first), (1 - first, first)):
        for one, last in zip(now, final, strict=True):
            early, early_counts = one.means(here * weights)
            late, late_counts = last.means(there * weights)
            present = (early_counts >= least) & (late_counts >= least)
            for sign in (1, -1) if len(now) == 1 else (1,):  # of two towers the other one's is the negative
                shares.append(_shared_top(sign * early, sign * late, present))
    with np.errstate(invalid="ignore"):
        mean: Floats = np.mean(shares, axis=0)
    return mean


def _shared_top(early: Floats, late: Floats, present: NDArray[np.bool_]) -> Floats:
    """For each row, the share of the highest `PREFERRED` of `early` that is among those of `late`, both if present."""
    shares = np.full(len(early), np.nan)
    for number, (a, b, both) in enumerate(zip(early, late, present, strict=True)):
        size = int(both.sum() * PREFERRED)
        if size:
            tops = [set(np.argpartition(-values[both], size - 1)[:size].tolist()) for values in (a, b)]
            shares[number] = len(tops[0] & tops[1]) / size
    return shares
