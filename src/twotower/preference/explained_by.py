"""What explains preference: shares of the variance between types that groups of predictors account for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data.norms import read_norms
from ..statistics.intervals import GROUPS, crossed_error, grouped, symmetric_interval, without_each
from ..statistics.strata import smooth_basis
from ..statistics.stretches import stretches
from ..statistics.tallies import Floats, ValuesOf, halves
from .covariates import sentence_positions
from .labelled import label_codes, one_hot
from .measured import Measured
from .reliability import reliable_share

FOLDS = 5
RIDGE = 1e-6
FEWEST = 5
"""Types that a part of speech must have for a column of its own."""
ShareOfSubsets = Callable[[Floats], float]
"""From R2 of every subset of groups, (subsets,), to a share."""


@dataclass(frozen=True)
class ShareOfVariance:
    """A share of the variance between types, with its interval."""

    estimate: float
    low: float
    high: float
    of_reliable: float | None
    """The share divided by the reliability; None where next to nothing is reliable."""


@dataclass(frozen=True)
class GroupOfPredictors:
    """What a group of predictors explains."""

    name: str
    columns: int
    """Predictors in the group."""
    shapley: ShareOfVariance
    """What it adds, averaged over all orders in which groups can enter."""
    unique: ShareOfVariance
    """What leaving it out costs."""


@dataclass(frozen=True)
class NormsUsed:
    """The norms of `analyze.norms`, and how many types they cover."""

    file: str
    columns: dict[str, str]
    covered: int
    types: int


@dataclass(frozen=True)
class ExplainedBy:
    """What explains preference."""

    types: int
    """Frequent ones, which are measured."""
    reliability: float
    """Share of the variance that halves of the documents and sets of readouts have in common."""
    total: ShareOfVariance
    """What all groups together explain."""
    groups: list[GroupOfPredictors]
    unexplained_of_reliable: float | None
    norms: NormsUsed | None
    """None where none were given."""


def explained_by(measured: Measured) -> ExplainedBy | None:
    """Shares of the variance of the types' preferences, by group of predictors; None for a single tower.

    Every frequent type counts once, pieces of words included; a piece has the part of speech of the word that it mostly
    stands in. Shares are of R2 on types that were not fitted (five folds), so that mere noise gets about 0. A
    group's `unique` share is what leaving it out costs; its `shapley` share is what it adds, averaged over all orders
    in which the groups can enter (Lindeman, Merenda and Gold 1980; Grömping 2007), and these add up to `total`.
    `of_reliable` divides by the `reliability` of the types' means (`reliable_share`: what halves of the documents and
    sets of readouts have in common), the most that any predictor could explain. Documents and types are random: see
    `crossed_error`. For more than two towers shares are means over towers, weighted by variance.
    """
    if measured.towers == 1 or measured.frequent.sum() < 20 * FOLDS:
        return None
    chosen = measured.frequent
    groups, norms = predictors(measured)
    names, sizes, columns = _columns(groups)
    generator = measured.generator("explained by")
    fold = generator.permutation(np.arange(len(columns)) % FOLDS)
    tallies = [preference.select(chosen) for preference in measured.preferences]
    documents = tallies[0].documents
    first, constant = halves(documents, measured.settings.splits, generator), np.ones((len(columns), 1))
    under = zip(*map(measured.under, measured.sets), strict=True)
    reliability = float(np.mean([
        reliable_share([preference.select(chosen) for preference in sets], first, constant) for sets in under
    ]))  # fmt: skip
    number_of_groups = min(GROUPS, documents)
    of_document, of_type = (grouped(units, number_of_groups, generator) for units in (documents, len(columns)))

    def r2(values: Floats, weights: Floats | None = None) -> Floats:
        return _r2(values, np.ones(len(columns)) if weights is None else weights, columns, sizes, fold)

    def means(weights: Floats) -> Floats:
        return np.stack([of_contrast.means(weights)[0] for of_contrast in tallies], axis=1)

    (values,) = means(np.ones((1, documents)))
    without = means(without_each(of_document))
    measured_r2 = r2(values)
    left_out = [
        [r2(values_without) for values_without in without],
        [r2(values, weights) for weights in without_each(of_type)],
        # Each crossed group leaves another group of documents out of each group of types.
        [r2(without[(group - of_type) % number_of_groups, :, np.arange(len(columns))].T)
         for group in range(number_of_groups)],
    ]  # fmt: skip

    def estimated(share_of: ShareOfSubsets) -> ShareOfVariance:
        error = crossed_error(*(np.array([share_of(subsets) for subsets in kind]) for kind in left_out))
        share = symmetric_interval(share_of(measured_r2), error, measured.settings.confidence, number_of_groups - 1)
        return ShareOfVariance(**vars(share), of_reliable=share.estimate / reliability if reliability > 0.05 else None)

    total = estimated(lambda r2: float(r2[-1]))
    rows = [
        GroupOfPredictors(
            name, groups[name].shape[1], shapley=estimated(_shapley(number, len(names))),
            unique=estimated(_unique(number, len(names))),
        )
        for number, name in enumerate(names)
    ]  # fmt: skip
    unexplained = None if total.of_reliable is None else 1 - total.of_reliable
    return ExplainedBy(len(columns), reliability, total, rows, unexplained, norms)


def predictors(measured: Measured) -> tuple[dict[str, Floats], NormsUsed | None]:
    """By name, each group's columns over the frequent types (types, columns), and the coverage of norms, if given."""
    chosen = measured.frequent

    def mean(values_of: ValuesOf) -> Floats:
        means: Floats = measured.type_means(values_of)[chosen]
        return means

    def share(of_word: Callable[[str], bool]) -> Floats:
        """Share of the occurrences of each type that stand in a word of which `of_word` is true."""

        def values(part: slice) -> Floats:
            codes, words = pd.factorize(measured.rows(part)["word"])
            holds: Floats = np.array([of_word(str(word)) for word in words], dtype=np.float64)[codes]
            return holds

        return mean(values)

    joint, near = (partial(measured.log_probs, head) for head in ("joint", "near"))
    groups = {
        "frequency": smooth_basis(measured.frequencies[chosen])[:, 1:],
        "dispersion": _curved(_dispersion(measured)[chosen]),
        "surprisal": _curved(mean(lambda part: -joint(part))),
        "far context": _curved(mean(lambda part: joint(part) - near(part))),
        "position in the sentence": _curved(mean(lambda part: np.log1p(sentence_positions(measured, part)))),
    }
    capital = share(lambda word: word[:1].isupper())
    digit = share(lambda word: any(letter.isdigit() for letter in word))
    whole_word = mean(lambda part: np.asarray(measured.rows(part)["whole_word"], dtype=np.float64))
    begins = mean(lambda part: np.asarray(measured.rows(part)["begins"], dtype=np.float64))
    groups["digits and capitals"] = np.column_stack([capital, digit])
    groups["kind of piece"] = np.column_stack([1 - begins, (whole_word < 0.5) & (begins >= 0.5)])
    groups["part of speech"] = _parts_of_speech(_commonest(measured)[chosen])
    norms = None
    if measured.settings.norms:
        ratings = read_norms(measured.settings.norms)
        table = ratings.table
        words_alone = np.where(whole_word >= 0.5, np.asarray(measured.pieces)[chosen], "")
        values = table.reindex([piece.lower() for piece in words_alone.tolist()])
        covered = values.notna().any(axis=1).to_numpy()
        filled = values.fillna(values.mean()).fillna(0.0).to_numpy(np.float64)
        groups["norms"] = np.column_stack([filled, ~covered])
        norms = NormsUsed(measured.settings.norms, dict(ratings.columns), int(covered.sum()), int(chosen.sum()))
    return {name: np.asarray(columns, dtype=np.float64) for name, columns in groups.items()}, norms


def _curved(values: Floats) -> Floats:
    centred = (values - values.mean()) / (values.std() or 1.0)
    return np.column_stack([centred, np.clip(centred**2, 0, 9)])


def _parts_of_speech(labels: NDArray[np.object_]) -> Floats:
    names, codes, counts = np.unique(labels.astype(str), return_inverse=True, return_counts=True)
    return one_hot(codes, len(names)).take(np.flatnonzero(counts >= FEWEST)[1:], axis=1)


def _commonest(measured: Measured) -> NDArray[np.object_]:
    """The commonest part of speech of the words in which each piece stands, (vocabulary,)."""
    names, codes = label_codes(measured.upos)
    table = np.zeros(len(measured.pieces) * len(names), dtype=np.int64)
    for part in stretches(measured.document):
        pairs = measured.piece[part].astype(np.int64) * len(names) + codes[part]
        table += np.bincount(pairs, minlength=len(table))
    return np.asarray(names[table.reshape(-1, len(names)).argmax(axis=1)], dtype=object)


def _dispersion(measured: Measured) -> Floats:
    """Gries' (2008) deviation of proportions over the held-out documents, 0 (even) to 1, (vocabulary,)."""
    expected = np.bincount(measured.document) / len(measured.document)
    deviation = np.ones(len(measured.pieces))  # a document without the type adds what was expected there
    for document, piece, count in measured.cells():
        apart = np.abs(count / measured.counts[piece] - expected[document]) - expected[document]
        deviation += np.bincount(piece, weights=apart, minlength=len(deviation))
    return deviation / 2


def _columns(groups: Mapping[str, Floats]) -> tuple[list[str], list[int], Floats]:
    """The names of the groups, how many columns of each vary, and those columns, standardized; last a constant one."""
    parts = []
    for columns in groups.values():
        varying = columns[:, columns.std(axis=0) > 0]
        parts.append((varying - varying.mean(axis=0)) / varying.std(axis=0))
    constant = np.ones((len(parts[0]), 1))
    return list(groups), [part.shape[1] for part in parts], np.hstack([*parts, constant])


def _r2(means: Floats, types: Floats, columns: Floats, sizes: Sequence[int], fold: NDArray[np.int64]) -> Floats:
    """R2 on types that were not fitted, for every subset of groups, (subsets,); pooled over contrasts.

    `means` (contrasts, types) are NaN where a type does not occur; `types` (types,) weights each; `sizes` (groups,)
    says how many of the columns each group has.
    """
    squares: Floats = np.zeros(1 << len(sizes))
    total = 0.0
    for values in means:
        weights = types * np.isfinite(values)
        values = np.nan_to_num(values)
        values = values - (weights * values).sum() / weights.sum()
        total += float((weights * values**2).sum())
        variables = np.column_stack([values, columns])
        of_fold = weights * (fold == np.arange(FOLDS)[:, None])
        tested = (variables.T * of_fold[:, None]) @ variables
        fitted = tested.sum(axis=0) - tested
        diagonal = np.arange(1, len(fitted[0]))
        fitted[:, diagonal, diagonal] += RIDGE * (weights.sum() - of_fold.sum(axis=1, keepdims=True))
        squares += _squares_left(fitted, tested, sizes).sum(axis=0)
    r2: Floats = 1 - squares / total
    # The first subset holds nothing but the mean: its R2 is what the folds alone cost.
    gained: Floats = r2 - r2[0]
    return gained


def _squares_left(fitted: Floats, tested: Floats, sizes: Sequence[int]) -> Floats:
    """What every subset of groups leaves of the first variable's squares on tested types, (folds, subsets).

    Both arguments are cross-products, (folds, variables, variables): of the types that are fitted and of those that are
    tested. A group of `sizes` is in a subset or not, so that subsets double with each group and share what comes
    before it; elimination takes one group at a time out of all that is left.
    """
    fitted, tested = (products[:, None] for products in _taken_out(fitted, tested, len(fitted[0]) - 1))
    for size in reversed(sizes):
        first = fitted.shape[-1] - size
        left_alone = fitted[..., :first, :first], tested[..., :first, :first]
        both = zip(left_alone, _taken_out(fitted, tested, first), strict=True)
        fitted, tested = (np.stack(pair, axis=2).reshape(FOLDS, -1, first, first) for pair in both)
    return tested[..., 0, 0]


def _taken_out(fitted: Floats, tested: Floats, first: int) -> tuple[Floats, Floats]:
    """The cross-products of the variables before `first`, less what those from `first` on predict of them."""
    beta = np.linalg.solve(fitted[..., first:, first:], fitted[..., first:, :first])
    predicted = tested[..., :first, first:] @ beta
    left = tested[..., :first, :first] - predicted - np.swapaxes(predicted, -1, -2)
    left += np.swapaxes(beta, -1, -2) @ tested[..., first:, first:] @ beta
    return fitted[..., :first, :first] - fitted[..., :first, first:] @ beta, left


def _unique(number: int, groups: int) -> ShareOfSubsets:
    all_groups = (1 << groups) - 1
    return lambda r2: float(r2[all_groups] - r2[all_groups & ~(1 << number)])


def _shapley(number: int, groups: int) -> ShareOfSubsets:
    others = [group for group in range(groups) if group != number]
    terms = []
    for size in range(groups):
        for members in combinations(others, size):
            subset = sum(1 << member for member in members)
            terms.append((1 / (groups * comb(groups - 1, size)), subset | 1 << number, subset))
    weights = np.array([term[0] for term in terms])
    with_it, without = (np.array([term[place] for term in terms]) for place in (1, 2))
    return lambda r2: float(weights @ (r2[with_it] - r2[without]))
