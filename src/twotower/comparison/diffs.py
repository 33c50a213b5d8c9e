"""What several comparisons of two models say together: the same labels, the same words, and how far types agree.

Unlike towers, models have an order: the first minus the second. So correlations have a sign. They are freed of errors
of measurement: products are taken across halves of the documents, and so is each comparison's own variance (Spearman
1904). Two comparisons of one text divide it into the same halves, so that no document is in both factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..preference.division import LabelDivision
from ..results.diff_results import DiffResults, MeanDifference, read_diff_results
from ..runs.finished import RunFolder
from ..scoring.score_table import ScoreColumns
from ..statistics.intervals import GROUPS, Estimate, grouped, jackknife_interval, without_each
from ..statistics.strata import smooth_basis
from ..statistics.tallies import Floats, Tallies, halves
from ..system.errors import InputError
from .agreement import beyond_frequency
from .reading import FEWEST_TYPES, Cells

SPLITS = 10
MOST_WORDS = 40
"""Words for each of the two models that are told."""


@dataclass(frozen=True)
class DiffOfSeveral:
    """One of the comparisons."""

    name: str
    first: str
    second: str
    corpus: str
    unit: str
    """What is compared in it: `token` or `word`."""
    documents: int
    difference: MeanDifference
    size: Estimate | None
    mixing: Estimate | None
    size_of_control: Estimate | None
    """None without a control."""
    labels: list[LabelDivision]


@dataclass(frozen=True)
class AgreementOfDiffs:
    """How far two comparisons agree in which types the first model predicts better, beyond frequency."""

    one: str
    other: str
    same_text: bool
    observed: float
    """The correlation of the types' mean differences, as they were measured."""
    r: Estimate | None
    """The same, freed of errors of measurement, with its interval over documents; it may exceed 1. None where one of
    the two measures nothing."""


@dataclass(frozen=True)
class SharedWord:
    """A type that the same one of the two models predicts surely better in every comparison, beside the mean type."""

    piece: str
    upos: str
    model: int
    """1: the first ones; 2: the second ones."""
    means: list[float]
    """Its mean difference in each comparison minus that of all types, in nats."""


@dataclass(frozen=True)
class DiffsCompared:
    """Everything on the page of several comparisons: `diffs.json`."""

    diffs: list[DiffOfSeveral]
    kind: str
    """What types are: `tokens`, `words`, or `whole words`, where comparisons have different tokens or units."""
    types: int
    """How many are frequent in all."""
    agreement: list[AgreementOfDiffs]
    words: list[SharedWord]
    """The strongest first, by the least of their means."""


class _OneDiff:
    """A finished comparison of two models."""

    def __init__(self, path: Path) -> None:
        folder = RunFolder(path, once=True)
        self.name = path.resolve().name
        self.config = folder.config
        self.results: DiffResults = read_diff_results(folder)
        if len(self.results.scorers) > 2:
            raise InputError(
                f"compare: {path} compares {len(self.results.scorers)} models; give comparisons of two, made with "
                "`twotower diff A B`"
            )
        self.scores = ScoreColumns(folder.require("scores.parquet"))
        self.pieces, self.types = folder.pieces(), folder.preference()

    @cached_property
    def occurrences(self) -> pd.DataFrame:
        return pd.DataFrame({name: self.scores[name] for name in ("document", "piece_id", "whole_word")})

    def frequent(self, whole: bool) -> pd.DataFrame:
        """`id` and `count` of the types that occur often enough, by what they are called."""
        ids = self.occurrences["piece_id"]
        counts = np.bincount(ids[self.occurrences["whole_word"]] if whole else ids, minlength=len(self.pieces))
        return self.by_piece(pd.DataFrame({"piece": self.pieces, "id": np.arange(len(counts)), "count": counts}))

    def by_piece(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of types that occur often enough, by their piece; of several of one piece the most frequent one."""
        table = table[table["count"] >= 2 * self.config.analyze.min_count]
        return table.sort_values("count", ascending=False).drop_duplicates("piece").set_index("piece")

    def tally(self, ids: NDArray[np.integer], whole: bool) -> Tallies:
        values = self.scores["model_1"].to_numpy(np.float64) - self.scores["model_2"].to_numpy(np.float64)
        return Cells.of(self.occurrences, ids, whole).tally(values)

    @property
    def row(self) -> DiffOfSeveral:
        results, division = self.results, self.results.division
        first, second = results.names
        return DiffOfSeveral(
            self.name, first, second, results.corpus.name, results.unit, results.corpus.documents,
            results.difference[0], division.size, division.mixing,
            division.control.size if division.control else None, division.labels,
        )  # fmt: skip


def compare_diffs(folders: Sequence[Path]) -> DiffsCompared:
    """Compare comparisons of two models each.

    Raises `InputError` for a folder that is none or not finished, for one of more than two models, and where too few
    types are frequent in all.
    """
    diffs = [_OneDiff(folder) for folder in folders]
    units = {diff.results.unit for diff in diffs}
    same = len(units) == 1 and (units == {"word"} or len({tuple(diff.pieces) for diff in diffs}) == 1)
    frequent = [diff.frequent(whole=not same) for diff in diffs]
    shared = sorted(set.intersection(*(set(types.index) for types in frequent)))
    if len(shared) < FEWEST_TYPES:
        raise InputError(
            f"compare: {len(shared)} types are frequent enough in all of these texts, and agreement needs "
            f"{FEWEST_TYPES}; give comparisons on more text"
        )
    tables = [types.loc[shared] for types in frequent]
    tallies = [diff.tally(types["id"].to_numpy(), not same) for diff, types in zip(diffs, tables, strict=True)]
    frequency = np.mean([types["count"].to_numpy(np.float64) for types in tables], axis=0)
    basis = np.linalg.qr(smooth_basis(frequency))[0]
    confidence = max(diff.config.analyze.confidence for diff in diffs)
    pairs = [
        _agreement(diffs[a], diffs[b], tallies[a], tallies[b], basis, confidence)
        for a, b in combinations(range(len(diffs)), 2)
    ]
    kind = f"{units.pop()}s" if same else "whole words"
    return DiffsCompared([diff.row for diff in diffs], kind, len(shared), pairs, _shared_words(diffs))


def _agreement(
    diff: _OneDiff, other_diff: _OneDiff, first: Tallies, second: Tallies, basis: Floats, confidence: float
) -> AgreementOfDiffs:
    same_text = diff.results.corpus.digest == other_diff.results.corpus.digest and first.documents == second.documents
    observed, r = agreement_of(first, second, basis, same_text, confidence)
    return AgreementOfDiffs(diff.name, other_diff.name, same_text, observed, r)


def agreement_of(
    first: Tallies, second: Tallies, basis: Floats, same_text: bool, confidence: float
) -> tuple[float, Estimate | None]:
    """How two measurements of the same types correlate beyond a `basis` (types, columns): as they are, and freed of
    error (see the module). `same_text`: their documents are the same, and are left out together."""
    generator, groups = np.random.default_rng(0), min(GROUPS, first.documents, second.documents)

    def sides(documents: int) -> Floats:
        """Halves of all documents, then of those without each group of them: (1 + groups, splits, 2, documents)."""
        half = halves(documents, SPLITS, generator)
        kept = np.vstack([np.ones((1, documents)), without_each(grouped(documents, groups, generator))])
        return kept[:, None, None] * np.stack([half, 1 - half], axis=1)

    ours = sides(first.documents)
    theirs = ours if same_text else sides(second.documents)
    products = np.array([
        np.mean([_products(_beyond(first, a, basis), _beyond(second, b, basis)) for a, b in zip(*pair, strict=True)], 0)
        for pair in zip(ours, theirs, strict=True)
    ])  # fmt: skip
    r = jackknife_interval(_correlation(products), confidence)
    a, b = (_beyond(tallies, np.ones((1, tallies.documents)), basis)[0] for tallies in (first, second))
    length = float(np.sqrt((a @ a) * (b @ b)))
    observed = float(a @ b) / length if length else 0.0
    return observed, r if np.isfinite(r.estimate) else None


def _beyond(tallies: Tallies, weights: Floats, basis: Floats) -> Floats:
    """Mean difference of each type under weights of the documents, (weights, types), beyond frequency; 0: none."""
    means = tallies.means(weights)[0]
    known = np.isfinite(means)
    values = np.where(known, means, 0.0)
    left: Floats = beyond_frequency(values, basis) * known
    return left


def _products(ours: Floats, theirs: Floats) -> tuple[float, float, float]:
    """Of two halves each, (2, types): across comparisons and halves, and of each across its own halves."""
    return (ours[0] @ theirs[1] + ours[1] @ theirs[0]) / 2, ours[0] @ ours[1], theirs[0] @ theirs[1]


def _correlation(products: Floats) -> Floats:
    """(rows,) of `_products` (rows, 3); NaN where a comparison measures nothing."""
    crossed, ours, theirs = products.T
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation: Floats = np.where((ours > 0) & (theirs > 0), crossed / np.sqrt(ours * theirs), np.nan)
    return correlation


def _shared_words(diffs: Sequence[_OneDiff]) -> list[SharedWord]:
    """Types whose interval lies on the same side of the mean type's in every comparison."""
    tables = []
    for diff in diffs:
        types = diff.by_piece(diff.types)
        centre = float(types["mean"].mean())
        tables.append(pd.DataFrame({
            "upos": types["upos"].astype(str), "mean": types["mean"] - centre,
            "side": np.where(types["low"] > centre, 1, np.where(types["high"] < centre, -1, 0)),
        }))  # fmt: skip
    pieces = sorted(set.intersection(*(set(table.index) for table in tables)))
    means = np.array([table.loc[pieces, "mean"] for table in tables])
    sides = np.array([table.loc[pieces, "side"] for table in tables])
    least = np.abs(means).min(axis=0)
    words = []
    for model, side in ((1, 1), (2, -1)):
        sure = np.flatnonzero((sides == side).all(axis=0))
        for place in sure[np.argsort(-least[sure], kind="stable")][:MOST_WORDS].tolist():
            upos = str(tables[0].loc[pieces[place], "upos"])
            words.append(SharedWord(pieces[place], upos, model, means[:, place].tolist()))
    return words
