"""Does a tower know what words mean? Word similarity, and norms of words, from each tower's view of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...data.norms import MORE_COLUMNS, read_norms
from ...data.tables import lists_below
from ...data.word_pairs import WordPairs, read_word_pairs
from ...statistics.intervals import exceedance, percentile_interval
from ...statistics.rank_correlation import (
    RankCorrelation,
    correlation_estimate,
    difference_estimate,
    rank_correlation,
)
from ...statistics.tallies import Floats
from ...system.errors import InputError
from ...system.progress import Progress
from ..findings.views import LayerDifference
from ..findings.words import SetOfWords, SimilarityOfView, Words, WordsAsked
from ..occurrences import count_occurrences, find_occurrences, pieces_of
from ..subject import Subject
from .word_norms import norms_of
from .word_views import WordView, contextual_views, input_views, same_layer

FEWEST_PAIRS = 10
"""Pairs below which no correlation is given."""
SHUFFLES = 200
"""Orders of the words for the null. No setting: its ends and a p of one in 201 are all that is asked of them."""


def words(subject: Subject) -> Words:
    """Word similarity and norms from what each tower makes of a word, with and without context.

    Needs `know.similarity` or `know.norms`. Writes `words.parquet`: each word with its occurrences, pieces, and whether
    it is covered. Raises `InputError` if neither setting is given, a file is malformed, or no set has enough pairs of
    covered words.
    """
    settings, text = subject.config.know, subject.text
    if not settings.similarity and not settings.norms:
        raise InputError(
            "know.similarity: this needs word similarity or norms; give --similarity FILE … or --norms FILE.csv"
        )
    sets = [read_word_pairs(file) for file in files_of(settings.similarity)]
    given = read_norms(settings.norms, MORE_COLUMNS, "know.norms") if settings.norms else None
    norms = None if given is None else given.table
    rated = set() if norms is None else set(norms.index)
    rated_words = sorted(rated.union(*(pair for ratings in sets for pair in ratings.words)))
    table = _coverage(subject, rated_words)
    covered = table[table["covered"]].reset_index(drop=True)
    number = {word: index for index, word in enumerate(covered["word"])}
    _require_overlap(sets, norms, number, settings.frequent)
    pieces = [tuple(ids) for ids in covered["pieces"]]
    occurrences = find_occurrences(text.train, pieces, text.begins, settings.occurrences, subject.config.seed)
    frame = (text.vocabulary.cls, text.vocabulary.sep) if subject.model.config.windows == "pairs" else None
    views = []
    for model, trained in ((subject.model, True), (subject.untrained, False)):
        views += input_views(model, pieces, trained)
        views += contextual_views(model, text.train, pieces, occurrences, frame, trained)
    table.drop(columns="pieces").assign(pieces=[len(ids) for ids in table["pieces"]]).to_parquet(
        subject.out / "words.parquet", index=False
    )
    confidence = subject.config.analyze.confidence
    similarity = []
    with Progress("word similarity", total=len(sets) * len(views), unit="view") as progress:
        for ratings in sets:
            generator = subject.generator(f"words {ratings.name}")
            similarity.append(measure_set(ratings, number, views, covered, confidence, generator, progress.advance))
    counts = WordsAsked(
        asked=len(rated_words),
        covered=len(covered),
        one_piece=int((covered["pieces"].map(len) == 1).sum()),
        several_pieces=int((covered["pieces"].map(len) > 1).sum()),
        least_occurrences=settings.frequent,
        occurrences=settings.occurrences,
        read=float(np.bincount(occurrences.word, minlength=len(pieces)).mean()),
    )
    if given is None:
        return Words(counts, similarity, None)
    return Words(counts, similarity, norms_of(given, covered, views, subject.config, subject.generator("words norms")))


def files_of(places: tuple[str, ...]) -> list[str]:
    """The files that were named, and those below folders that were named, in the order of their names."""
    files: list[str] = []
    for place in places:
        path = Path(os.path.expanduser(place))
        if path.is_dir():
            inside = lists_below(path, (".txt", ".csv", ".tsv"))
            if not inside:
                raise InputError(f"know.similarity: the folder {path} holds no .txt, .csv or .tsv file")
            files += map(str, inside)
        else:
            files.append(place)
    return files


def _coverage(subject: Subject, words: list[str]) -> pd.DataFrame:
    """word, pieces (ids), count (in the training text), covered; one row per word that was asked for."""
    text = subject.text
    pieces = pieces_of(words, subject.tokenizer)
    counts = count_occurrences(text.train, pieces, text.begins)
    covered = counts >= subject.config.know.frequent
    return pd.DataFrame({"word": words, "pieces": pieces, "count": counts, "covered": covered})


def _require_overlap(sets: list[WordPairs], norms: pd.DataFrame | None, number: dict[str, int], least: int) -> None:
    held = {ratings.name: len(_covered_pairs(ratings, number)[0]) for ratings in sets}
    rated = 0 if norms is None else sum(word in number for word in norms.index)
    if max([*held.values(), rated]) >= FEWEST_PAIRS:
        return
    coverage = [f"{name}: {pairs} of its pairs" for name, pairs in held.items()]
    coverage += [] if norms is None else [f"norms: {rated} of their words"]
    raise InputError(
        f"know.similarity: too few words occur {least} times in the training text of this run ({'; '.join(coverage)}); "
        f"give files with commoner words, a smaller --frequent, or a run on more text"
    )


def _covered_pairs(word_pairs: WordPairs, number: dict[str, int]) -> tuple[NDArray[np.int64], Floats]:
    """The numbers of the words of each covered pair, (pairs, 2), and the ratings; a word with itself is left out."""
    covered = [
        (number[first], number[second], rating)
        for (first, second), rating in zip(word_pairs.words, word_pairs.ratings, strict=True)
        if first in number and second in number and first != second
    ]
    numbers = np.array([row[:2] for row in covered], dtype=np.int64).reshape(-1, 2)
    return numbers, np.array([row[2] for row in covered], dtype=np.float64)


def measure_set(
    word_pairs: WordPairs,
    number: dict[str, int],
    views: list[WordView],
    covered: pd.DataFrame,
    confidence: float,
    generator: np.random.Generator,
    advance: Callable[[int], None] = lambda _: None,
) -> SetOfWords:
    """A set's correlation with every view, and the differences between towers."""
    pairs, ratings = _covered_pairs(word_pairs, number)
    several = covered["pieces"].map(len).to_numpy() > 1
    measured_set = SetOfWords(
        set=word_pairs.name,
        column=word_pairs.column,
        total=len(word_pairs.words),
        covered=len(pairs),
        one_piece=int((~several[pairs].any(axis=1)).sum()),
        several_pieces=int(several[pairs].any(axis=1).sum()),
        identical=sum(first == second for first, second in word_pairs.words),
        views=[],
        differences=[],
    )
    if len(pairs) < FEWEST_PAIRS:
        advance(len(views))
        return measured_set
    used = np.unique(pairs)
    shuffled = [used[generator.permutation(len(used))] for _ in range(SHUFFLES)]
    known: dict[str, tuple[WordView, RankCorrelation]] = {}
    for view in views:
        vectors = _centred(view.vectors, used)
        result = rank_correlation(cosines(vectors, pairs), ratings)
        null = []
        for names in shuffled:
            other = np.arange(len(vectors))
            other[used] = names
            null.append(rank_correlation(cosines(vectors[other], pairs), ratings).rho)
        drawn = np.array(null)
        interval = correlation_estimate(result, pairs, confidence)
        measured_set.views.append(SimilarityOfView(
            **view.labels, **vars(interval), null=percentile_interval(float(drawn.mean()), drawn, confidence),
            p_value=exceedance(result.rho, drawn),
        ))  # fmt: skip
        if view.trained and view.tower:
            known[view.name] = (view, result)
        advance(1)
    for (first, one_rho), (second, other_rho) in same_layer(list(known.values())):
        between = difference_estimate(one_rho, other_rho, pairs, confidence)
        measured_set.differences.append(LayerDifference.of(first.layer, first.tower, second.tower, between))
    return measured_set


def _centred(vectors: Floats, used: NDArray[np.int64]) -> Floats:
    """Vectors about their mean: what all words share says nothing of any, and makes all cosines alike."""
    centred: Floats = vectors - vectors[used].mean(axis=0)
    return centred


def cosines(vectors: Floats, pairs: NDArray[np.int64]) -> Floats:
    """Cosine of the two vectors of each pair, (pairs,)."""
    lengths = np.linalg.norm(vectors, axis=1)
    dots = np.einsum("pw,pw->p", vectors[pairs[:, 0]], vectors[pairs[:, 1]])
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine: Floats = dots / (lengths[pairs[:, 0]] * lengths[pairs[:, 1]])
    return np.nan_to_num(cosine)
