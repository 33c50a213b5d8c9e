"""How far the predictions of SyntaxGym's suites hold under each head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer

from ...statistics.tallies import Floats
from ..findings.pairs import PredictionOfSuite, ScoredSuite
from ..sentences import Sentences, encode, longest, score_sentences
from ..subject import Subject
from ..words.word_counts import count_words, words_of
from .accuracy import paradigm_draws, share
from .syntaxgym import Condition, Suite, Surprisals, parse


def score_suites(subject: Subject, suites: Sequence[Suite]) -> list[ScoredSuite]:
    """For each suite and prediction the share of items in which it holds, by head, with an interval over items.

    Items with a word that is rare in the training text, or too long for the window, are left out and counted.
    """
    towers, settings = subject.model.config.towers, subject.config.analyze
    heads = {"joint": "joint"} | {f"readout_{k}": f"tower {k}" for k in range(1, towers + 1)}
    scored = []
    for suite in suites:
        conditions = _covered(subject, suite)
        items, covered = (len({condition.item for condition in chosen}) for chosen in (suite.conditions, conditions))
        predictions: list[PredictionOfSuite] = []
        scored.append(ScoredSuite(suite.name, items, covered, predictions))
        if not conditions:
            continue
        sentences = encode(subject.tokenizer, [condition.text for condition in conditions])
        scores = score_sentences(subject.model, sentences, subject.vocabulary, list(heads))
        regions = regions_of_pieces(subject.tokenizer, conditions)
        by_head = {name: _surprisals(conditions, regions, sentences, scores[head]) for head, name in heads.items()}
        for formula in suite.formulas:
            holds = parse(formula)
            right = {
                name: np.array([float(bool(holds(surprisals))) for surprisals in mine.values()])
                for name, mine in by_head.items()
            }
            clusters = np.arange(covered)
            generator = subject.generator(f"suite {suite.name} {formula}")
            means = paradigm_draws(right, clusters, settings.bootstrap, generator)
            accuracy = {name: share(drawn, settings.confidence) for name, drawn in means.items()}
            predictions.append(PredictionOfSuite(formula, accuracy))
    return scored


def _covered(subject: Subject, suite: Suite) -> list[Condition]:
    words = words_of(subject.tokenizer, [condition.text for condition in suite.conditions])
    counted = count_words(subject.text, [word for sentence in words for word in sentence])
    most, frequent = longest(subject.model), subject.config.know.frequent
    bad = {
        condition.item
        for condition, sentence in zip(suite.conditions, words, strict=True)
        if sum(map(len, sentence)) > most or any(counted[word] < frequent for word in sentence)
    }
    return [condition for condition in suite.conditions if condition.item not in bad]


def regions_of_pieces(tokenizer: Tokenizer, conditions: Sequence[Condition]) -> list[list[int]]:
    """The region of each piece of each sentence: the one that its last character is in.

    The sentence is cut as a whole, as it is scored: a region alone may be cut otherwise. A space
    goes with what follows.
    """
    regions = []
    encodings = tokenizer.encode_batch([condition.text for condition in conditions], add_special_tokens=False)
    for condition, encoding in zip(conditions, encodings, strict=True):
        last = np.array([max(start, end - 1) for start, end in encoding.offsets], dtype=np.int64)
        numbers, ends = condition.ends
        place = np.minimum(np.searchsorted(ends, last, side="right"), len(ends) - 1)
        regions.append([numbers[index] for index in place.tolist()])
    return regions


def _surprisals(
    conditions: Sequence[Condition], regions: Sequence[Sequence[int]], sentences: Sentences, scores: Floats
) -> dict[int, Surprisals]:
    """By item: the surprisal of each region of each condition in nats; region 0 is the whole sentence."""
    by_item: dict[int, Surprisals] = {}
    for number, (condition, piece_regions) in enumerate(zip(conditions, regions, strict=True)):
        values = scores[sentences.starts[number] : sentences.starts[number + 1]]
        mine = by_item.setdefault(condition.item, {})
        mine[condition.name, 0] = -float(values.sum())
        for region in condition.numbers:
            mine[condition.name, region] = 0.0
        for region, value in zip(piece_regions, values, strict=True):
            mine[condition.name, region] -= float(value)
    return by_item
