"""Norms of words, such as concreteness, predicted from each tower's view of a word."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ...config.schema import RunConfig
from ...data.norms import Norms
from ...statistics.intervals import Estimate, percentile_estimate
from ...statistics.tallies import Floats, sample_and_draws
from ...system.progress import Progress
from ..findings.views import LayerDifference
from ..findings.words import NormOfView, NormOfWords, NormsOfWords
from .word_views import WordView, same_layer

FOLDS = 10
PENALTIES = np.logspace(-1, 5, 13)
SHUFFLES = 5
"""Orders of the words for the null: each fits all regressions again, and only their mean and range are shown."""
FEWEST_WORDS = 50
"""Words below which no norm is predicted."""


def norms_of(
    given: Norms,
    covered: pd.DataFrame,
    views: list[WordView],
    config: RunConfig,
    generator: np.random.Generator,
) -> NormsOfWords:
    """Out-of-fold R² of each norm from each view, by ridge regression.

    Args:
        given: see `read_norms`.
        covered: the words that have views: word, pieces, count.
        views: their vectors.
        config, generator: of the bootstrap and of the folds.

    Intervals are by bootstrap over words, given the predictions.
    """
    norms = given.table
    rated = covered["word"].isin(norms.index).to_numpy()
    table = norms.reindex(covered["word"][rated])
    predicted: list[NormOfWords] = []
    plain = np.stack([
        np.log(covered["count"].to_numpy(float)), covered["word"].str.len().to_numpy(float),
        covered["pieces"].map(len).to_numpy(float),
    ], axis=1)[rated]  # fmt: skip
    missing = table.isna()
    groups: dict[bytes, list[str]] = {}
    for name in table.columns:  # norms with the same words are predicted at once
        groups.setdefault(missing[name].to_numpy().tobytes(), []).append(name)
    with Progress("norms", total=len(groups) * len(views), unit="view") as progress:
        for names in groups.values():
            rows = ~missing[names[0]].to_numpy()
            if rows.sum() < FEWEST_WORDS:
                predicted += [NormOfWords(name, int(rows.sum())) for name in names]
                progress.advance(len(views))
                continue
            predicted += _group(table[names][rows], plain[rows], views, rated, rows, config, generator, progress)
    order = list(table.columns)
    predicted.sort(key=lambda norm: order.index(norm.norm))
    return NormsOfWords(len(norms), dict(given.columns), int(rated.sum()), predicted)


def out_of_fold(features: Floats, targets: Floats, seed: int) -> Floats:
    """What ridge regression predicts for words that it was not fitted on: (words, targets).

    Ten folds of words; the penalty of each target is chosen within the other nine (leave-one-out, `RidgeCV`).
    """
    predicted = np.empty_like(targets)
    for fitted, test in KFold(FOLDS, shuffle=True, random_state=seed).split(features):
        model = make_pipeline(StandardScaler(), RidgeCV(PENALTIES, alpha_per_target=True))
        predicted[test] = model.fit(features[fitted], targets[fitted]).predict(features[test]).reshape(len(test), -1)
    return predicted


def r_squared(weights: Floats, targets: Floats, predicted: Floats) -> Floats:
    """Share of the variance explained, under each weighting of the words: (draws, words) to (draws, targets)."""
    size = weights.sum(axis=1, keepdims=True)
    mean = weights @ targets / size
    total = weights @ targets**2 - size * mean**2
    explained: Floats = 1 - weights @ (targets - predicted) ** 2 / total
    return explained


def _group(
    table: pd.DataFrame,
    plain: Floats,
    views: list[WordView],
    rated: NDArray[np.bool_],
    rows: NDArray[np.bool_],
    config: RunConfig,
    generator: np.random.Generator,
    progress: Progress,
) -> list[NormOfWords]:
    targets = table.to_numpy(np.float64)
    targets = (targets - targets.mean(axis=0)) / targets.std(axis=0)
    count, seed = len(targets), config.seed
    weights = sample_and_draws(count, config.analyze.bootstrap, generator)

    def estimates(drawn: Floats) -> list[Estimate]:
        return [percentile_estimate(values, config.analyze.confidence) for values in drawn.T]

    baseline = r_squared(weights, targets, out_of_fold(plain, targets, seed))
    shuffles = [generator.permutation(count) for _ in range(SHUFFLES)]
    of_norms: list[list[NormOfView]] = [[] for _ in table.columns]
    apart: list[list[LayerDifference]] = [[] for _ in table.columns]
    known: list[tuple[WordView, Floats]] = []
    for view in views:
        vectors = view.vectors[rated][rows]
        drawn = r_squared(weights, targets, out_of_fold(vectors, targets, seed))
        with_vectors = r_squared(weights, targets, out_of_fold(np.hstack([vectors, plain]), targets, seed))
        ones = np.ones((1, count))
        null = np.concatenate(
            [r_squared(ones, targets, out_of_fold(vectors[shuffle], targets, seed)) for shuffle in shuffles]
        )
        columns = zip(of_norms, estimates(drawn), estimates(with_vectors - baseline), null.T, strict=True)
        for into, alone, beyond, shuffled in columns:
            spread = Estimate(float(shuffled.mean()), float(shuffled.min()), float(shuffled.max()))
            into.append(NormOfView(**view.labels, **vars(alone), null=spread, beyond_baseline=beyond))
        if view.trained and view.tower:
            known.append((view, drawn))
        progress.advance(1)
    for (first, first_drawn), (second, other) in same_layer(known):
        for differences, between in zip(apart, estimates(first_drawn - other), strict=True):
            differences.append(LayerDifference.of(first.layer, first.tower, second.tower, between))
    of_columns = zip(table.columns, estimates(baseline), of_norms, apart, strict=True)
    return [NormOfWords(str(name), count, floor, seen, between) for name, floor, seen, between in of_columns]
