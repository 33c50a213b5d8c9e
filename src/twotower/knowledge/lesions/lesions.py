"""Lesions: what the joint model loses without a tower, by class of word and on minimal pairs.

The question is the *double dissociation* (Teuber 1955; Shallice 1988): that taking away one tower hurts syntax more
than meaning, and taking away the other hurts meaning more than syntax.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from ...config.conversion import INLINED, keyed
from ...config.schema import AnalyzeConfig
from ...data.tokenization import encode_batch
from ...data.trees import Tree
from ...preference.class_variance import Null
from ...statistics.intervals import Estimate, centred_estimate, choice_margin
from ...statistics.tallies import Floats
from ...system.errors import InputError
from ..pairs.accuracy import cluster_weights, is_right, numbered, weighted_means
from ..pairs.minimal_pair import MEANING, SYNTAX
from ..sentences import Rows, encode, longest, rows_of
from ..subject import Subject
from .removal import (
    INTACT,
    MEAN,
    WAYS,
    Lesion,
    bank_of,
    heldout_rows,
    lesioned,
    lesions_of_towers,
    pairs_of_parts,
)

HALVES = 20
"""Random divisions of the units that stand for what lesions of no tower in particular do."""
BANK = 4096
"""Positions whose values replace those of a lesioned tower, or whose mean does."""
FEWEST = 20
"""Occurrences from which a class of words is listed, and pairs from which there is a dissociation to speak of."""
PAIRS = "knowledge/pairs"
"""What these lesions are measured on, where it has been made."""
TREES = 600
"""Sentences of the treebank on which loss by dependency relation is measured."""


@dataclass(frozen=True)
class LossOfClass:
    """What the occurrences of a class lose, in nats."""

    name: str = field(metadata=keyed("class"))
    occurrences: int
    loss: Estimate


@dataclass(frozen=True)
class LossOfLesion:
    """What is lost without a tower, in nats."""

    tower: int
    way: str
    """What replaces its contribution: its `mean`, `zero`, or `resampled` values at another position."""
    loss: Estimate
    """All over."""
    classes: list[LossOfClass]


@dataclass(frozen=True)
class ClassApart:
    """By how much the losses of two towers differ in a class, less their difference over all occurrences."""

    name: str = field(metadata=keyed("class"))
    occurrences: int
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Beyond(Estimate):
    """A difference between two towers, beside that of random parts of the units."""

    of: list[int]
    """Which towers."""
    null: Null
    p_value: float


@dataclass(frozen=True)
class ProfilesApart(Beyond):
    """The standard deviation over classes of the difference of two towers' losses, weighted by occurrences."""

    profile: list[ClassApart]


@dataclass(frozen=True)
class LossesByClass:
    """Losses by class of word, and how far the towers are apart; None there for one tower, or too few occurrences."""

    occurrences: int
    documents: int
    lesions: list[LossOfLesion]
    apart: ProfilesApart | None
    apart_beyond_frequency: ProfilesApart | None
    """The same less the mean of all occurrences of like training frequency."""
    by_frequency: Beyond | None
    """By how many nats the difference changes for each e-fold of training frequency."""


@dataclass(frozen=True)
class LossOnPairs:
    """What a lesion costs on minimal pairs of one kind."""

    tower: int
    way: str
    kind: str
    accuracy: Estimate
    margin: Estimate
    """Log-probability of the better sentence minus that of the worse, in nats."""


@dataclass(frozen=True)
class Interaction(Estimate):
    """By how much more the lesion of one tower costs on syntax than on meaning than that of another does.

    In standard deviations of the intact margins of each kind. One half of the items says which tower is the one of
    syntax; the figures are of the other half.
    """

    tower_of_syntax: int
    tower_of_meaning: int
    null: Null
    p_value: float
    syntax: Estimate
    """By how much the lesion of the tower of syntax costs more than the other's there."""
    meaning: Estimate
    crossover: bool
    """Whether `syntax` is above and `meaning` below zero, each by its whole interval."""


@dataclass(frozen=True)
class Dissociation:
    """Whether lesions of two towers part syntax from meaning."""

    intact: dict[str, float]
    """Accuracy without a lesion, by kind of pair."""
    losses: list[LossOnPairs]
    interaction: Interaction | None
    """None for one tower, or too few pairs."""


@dataclass(frozen=True)
class LesionsOnPairs:
    """What lesions cost on minimal pairs."""

    pairs: dict[str, int]
    """By kind."""
    found: Dissociation = field(metadata=INLINED)


@dataclass(frozen=True)
class TooFewPairs:
    """Why lesions were not measured on minimal pairs."""

    pairs: dict[str, int]
    left_out: str


@dataclass(frozen=True)
class Lesions:
    """What the joint model loses without each tower."""

    halves: int
    """Random divisions of the units that make up the null."""
    upos: LossesByClass
    relations: LossesByClass | None
    """None without a treebank."""
    pairs: LesionsOnPairs | TooFewPairs | None
    """None where `twotower know --only pairs` has not been run."""


def lesions(subject: Subject) -> Lesions:
    """Nats lost by class of word, and what is lost on minimal pairs, without each tower.

    A tower's contribution to the joint head is replaced by its mean, by zero, or by its values at another position;
    mean and values are from held-out documents other than those that are measured. Nulls: random halves of the units of
    all towers, as many as one tower of two has (of a single tower, halves of its units). Of more than two towers, the
    two that differ most are reported; then the null divides the units into as many random parts as there are towers,
    and chooses two of these in the same way. What only one document or pair tells has no interval.

    Raises `InputError` if only one held-out document is read.
    """
    model = subject.model
    generator = subject.generator("lesions")
    tried = lesions_of_towers(model, HALVES, generator)
    bank, upos = _heldout(subject, tried)
    return Lesions(
        HALVES,
        upos,
        relations=_relations(subject, tried, bank) if subject.config.know.treebank else None,
        pairs=_pairs(subject, tried, bank),
    )


def _heldout(subject: Subject, tried: Mapping[str, Lesion]) -> tuple[Tensor, LossesByClass]:
    model, text = subject.model, subject.text
    config = subject.config
    rows = text.windows(model.config.objective, model.config.windows, model.config.window)
    wanted = heldout_rows(model, rows, BANK + config.know.lesion_tokens, config.score.passes)
    table = pd.read_parquet(subject.run / "data" / "heldout.parquet", columns=["document", "upos", "piece"])
    frequency = subject.piece_counts[table["piece"].to_numpy()].astype(np.float64)
    document = table["document"].to_numpy()
    places = np.concatenate([one.places for one in wanted])
    second = np.zeros(len(document), dtype=bool)
    second[places] = _every_second(document[places])
    if not second.any():
        raise InputError(
            f"lesions: only one held-out document of {subject.run} is read, and two are needed: the values of one "
            "replace a tower's in the other; prepare the text with more and shorter documents"
        )
    bank = bank_of(model, [_some(one, ~second[one.places]) for one in wanted], subject.vocabulary.pad)
    measured = [_some(one, second[one.places]) for one in wanted]
    measured = [one for one in measured if len(one.places)]
    scores = lesioned(
        model, measured, len(document), tried, bank, subject.vocabulary.pad, config.seed, "lesions: words"
    )
    known = np.flatnonzero(np.isfinite(scores[INTACT]))
    losses = {name: scores[INTACT][known] - values[known] for name, values in scores.items() if name != INTACT}
    labels = table["upos"].astype(str).to_numpy()[known]
    return bank, _by_class(
        subject, losses, labels, numbered(list(document[known])), frequency[known],
        subject.generator("lesions by part of speech"),
    )  # fmt: skip


def _every_second(documents: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which occurrences are of every second document, the first left out; same shape as their `documents`.

    Documents have their number in the whole corpus, of which the held-out ones are a random part, and only some of
    these are read: whether a number is even says nothing. So those that are read are counted.
    """
    rank: NDArray[np.int64] = np.unique(documents, return_inverse=True)[1]
    return np.asarray(rank % 2 == 1)


def _some(rows: Rows, chosen: NDArray[np.bool_]) -> Rows:
    """The same rows, of whose scored positions only some count; `chosen` is in the order in which they are scored."""
    scored = rows.scored.copy()
    scored[rows.scored] = chosen
    return replace(rows, scored=scored, places=rows.places[chosen])


def _relations(subject: Subject, tried: Mapping[str, Lesion], bank: Tensor) -> LossesByClass | None:
    """Loss by dependency relation, over the pieces of each token of the treebank's sentences."""
    generator = subject.generator("lesions by relation")
    every = subject.trees()
    trees = [every[number] for number in sorted(generator.permutation(len(every))[: 4 * TREES].tolist())]
    unknown = subject.vocabulary.unknown
    sentences = encode(subject.tokenizer, [tree.text for tree in trees])
    lengths = sentences.lengths
    fits = [number for number in range(len(trees)) if 1 < lengths[number] <= longest(subject.model)][:TREES]
    trees = [trees[number] for number in fits]
    if not trees:
        return None
    sentences = encode(subject.tokenizer, [tree.text for tree in trees])
    labels: list[str] = []
    for number, tree in enumerate(trees):
        relation = _relation_of_characters(tree)
        starts = encode_batch(subject.tokenizer, [tree.text])[0].starts
        labels += [relation[start] if start < len(relation) else "" for start in starts.tolist()]
        assert len(labels) == sentences.starts[number + 1]
    rows = rows_of(subject.model, sentences, subject.vocabulary)
    scores = lesioned(
        subject.model, rows, len(sentences.pieces), tried, bank, subject.vocabulary.pad, subject.config.seed,
        "lesions: relations",
    )  # fmt: skip
    known = np.flatnonzero((sentences.pieces != unknown) & (np.asarray(labels) != ""))
    losses = {name: scores[INTACT][known] - values[known] for name, values in scores.items() if name != INTACT}
    documents = numbered([tree.document for tree in trees])[sentences.of[known]]
    frequency = subject.piece_counts[sentences.pieces[known]].astype(np.float64)
    return _by_class(subject, losses, np.asarray(labels)[known], documents, frequency, generator)


def _relation_of_characters(tree: Tree) -> list[str]:
    """The relation, without its subtype, of the token that each character of the text belongs to; empty between."""
    first: dict[int, str] = {}
    for word in tree.words:
        first.setdefault(word.token, word.relation)
    found: list[str] = []
    for place, (token, space) in enumerate(zip(tree.tokens, tree.spaces, strict=True)):
        found += [first.get(place, "")] * len(token) + [""] * space
    return found


def _by_class(
    subject: Subject, losses: Mapping[str, Floats], labels: NDArray[Any], documents: NDArray[np.int64],
    frequency: Floats, generator: np.random.Generator,
) -> LossesByClass:  # fmt: skip
    """Loss of each lesion by class, and how far the towers' profiles are apart beside random halves.

    `labels`, `documents` and `frequency` are of the occurrences. Beyond frequency means: less the mean of all
    occurrences of similar training frequency, which is strict on a class of one very frequent word.
    """
    names, counts = np.unique(labels, return_counts=True)
    settings = subject.config.analyze
    kept = [(str(name), int(count)) for name, count in zip(names, counts, strict=True) if count >= FEWEST]
    weights = cluster_weights(documents, settings.bootstrap, generator)

    def means(values: Floats, chosen: NDArray[np.bool_]) -> Floats:
        return weighted_means(weights, documents[chosen], values[chosen])

    def loss_of(values: Floats, chosen: NDArray[np.bool_]) -> Estimate:
        return centred_estimate(_resampled(means(values, chosen), documents[chosen]), settings.confidence)

    everything = np.ones(len(labels), dtype=bool)
    rows = []
    for tower in range(1, subject.model.config.towers + 1):
        for way in WAYS:
            loss = losses[f"tower {tower}, {way}"]
            classes = [LossOfClass(name, count, loss_of(loss, labels == name)) for name, count in kept]
            rows.append(LossOfLesion(tower, way, loss_of(loss, everything), classes))
    pairs = list(combinations(range(1, subject.model.config.towers + 1), 2))
    if not pairs or not kept:
        return LossesByClass(len(labels), weights.shape[1], rows, None, None, None)
    share = np.array([count for _, count in kept], dtype=float) / sum(count for _, count in kept)
    bins = _frequency_bins(frequency)
    random_pairs = pairs_of_parts(HALVES, subject.model.config.towers)

    def apart(first: str, second: str, beyond_frequency: bool) -> tuple[Floats, Floats]:
        """Loss of the first lesion minus that of the second: by class, and its standard deviation over classes.

        The sample first, then the draws: (1 + draws, classes), less its mean over occurrences, and (1 + draws,).
        """
        gap = losses[first] - losses[second]
        if beyond_frequency:
            gap = gap - (np.bincount(bins, weights=gap) / np.maximum(np.bincount(bins), 1))[bins]
        profile = np.stack([means(gap, labels == name) for name, _ in kept], axis=1)
        profile = profile - (np.nan_to_num(profile) @ share)[:, None]
        return profile, np.sqrt(np.nan_to_num(profile) ** 2 @ share)

    def furthest(beyond: bool) -> ProfilesApart:
        tried = {pair: apart(*_names(pair), beyond) for pair in pairs}
        chosen = max(pairs, key=lambda pair: float(tried[pair][1][0]))
        profile, spread = tried[chosen]
        null = np.array([max(apart(*two, beyond)[1][0] for two in group) for group in random_pairs])

        def estimate(drawn: Floats) -> Estimate:
            return centred_estimate(_resampled(drawn, documents), settings.confidence)

        return ProfilesApart(
            **vars(estimate(spread)),
            of=list(chosen),
            null=_null(null, settings.confidence),
            p_value=_exceeded(float(spread[0]), null),
            profile=[
                ClassApart(name, count, **vars(estimate(profile[:, place]))) for place, (name, count) in enumerate(kept)
            ],
        )

    slope = _slope(losses, frequency, documents, weights, pairs, random_pairs, settings.confidence)
    return LossesByClass(len(labels), weights.shape[1], rows, furthest(False), furthest(True), slope)


def _resampled(drawn: Floats, clusters: NDArray[np.integer]) -> Floats:
    """A sample and its draws, (1 + draws,), these NaN where all is of one cluster, (members,).

    Drawing that cluster again and again gives the same figure: an interval of no width, as if it were sure.
    """
    if (clusters == clusters[0]).all():
        return np.concatenate([drawn[:1], np.full(len(drawn) - 1, np.nan)])
    return drawn


def _names(pair: tuple[int, int]) -> tuple[str, str]:
    return f"tower {pair[0]}, {MEAN}", f"tower {pair[1]}, {MEAN}"


def _null(drawn: Floats, confidence: float) -> Null:
    return Null(float(drawn.mean()), float(np.quantile(drawn, confidence)))


def _exceeded(estimate: float, null: Floats) -> float:
    """The p-value of an estimate among the draws of its null."""
    return float((1 + (null >= estimate).sum()) / (len(null) + 1))


def _slope(
    losses: Mapping[str, Floats], frequency: Floats, documents: NDArray[np.int64], weights: Floats,
    pairs: Sequence[tuple[int, int]], random_pairs: Sequence[Sequence[tuple[str, str]]], confidence: float,
) -> Beyond:  # fmt: skip
    """By how many nats the difference of two towers' losses changes for each e-fold of training frequency.

    Least squares over occurrences; interval over documents, null by random halves of the units, sizes without signs. Of
    more than two towers the two that differ most, with an interval that holds for all pairs at once.
    """
    log = np.log(np.maximum(frequency, 1))
    count = weights.shape[1]

    def slope(gap: Floats) -> Floats:
        n, x, y, xy, xx = (
            weights @ np.bincount(documents, weights=one, minlength=count)
            for one in (np.ones(len(log)), log, gap, log * gap, log * log)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Floats = (n * xy - x * y) / (n * xx - x * x)
        return found

    def between(first: str, second: str) -> Floats:
        return slope(losses[first] - losses[second])

    tried = {pair: between(*_names(pair)) for pair in pairs}
    chosen = max(pairs, key=lambda pair: abs(float(tried[pair][0])))
    null = np.array([max(abs(between(*two)[0]) for two in group) for group in random_pairs])
    drawn = _resampled(tried[chosen], documents)
    found = centred_estimate(drawn, confidence)
    if len(pairs) > 1:
        towers = sorted({tower for pair in pairs for tower in pair})
        each = np.stack([_resampled(slope(losses[f"tower {k}, {MEAN}"]), documents) for k in towers], axis=1)
        margin = choice_margin(each[1:], confidence)
        found = Estimate(found.estimate, found.estimate - margin, found.estimate + margin)
    p_value = _exceeded(abs(float(drawn[0])), null)
    return Beyond(**vars(found), of=list(chosen), null=_null(null, confidence), p_value=p_value)


def _frequency_bins(frequency: Floats) -> NDArray[np.int64]:
    """Twentieths of the occurrences by the training frequency of their pieces, (occurrences,)."""
    edges = np.unique(np.quantile(frequency, np.linspace(0, 1, 21)[1:-1]))
    return np.asarray(np.searchsorted(edges, frequency, side="right"), dtype=np.int64)


def _pairs(subject: Subject, tried: Mapping[str, Lesion], bank: Tensor) -> LesionsOnPairs | TooFewPairs | None:
    if PAIRS not in subject.made:
        return None
    generator = subject.generator("lesions on pairs")
    table = pd.read_parquet(subject.run / PAIRS / "pairs.parquet")
    table = table[table["kind"].isin([SYNTAX, MEANING])].reset_index(drop=True)
    chosen: list[int] = []
    for _, part in table.groupby("kind", sort=False):
        # Round by round one of each paradigm, so that no paradigm makes up a kind while others have pairs.
        shuffled = part.iloc[generator.permutation(len(part))]
        rounds = shuffled.groupby(["set", "paradigm"], sort=False).cumcount()
        chosen += rounds.sort_values(kind="stable").index[: subject.config.know.lesion_pairs].tolist()
    table = table.loc[sorted(chosen)].reset_index(drop=True)
    counts = {kind: int((table["kind"] == kind).sum()) for kind in (SYNTAX, MEANING)}
    if min(counts.values()) < FEWEST:
        return TooFewPairs(counts, f"fewer than {FEWEST} pairs of syntax or of meaning")
    texts = list(chain(table["good"], table["bad"]))
    sentences = encode(subject.tokenizer, texts)
    scores = lesioned(
        subject.model, rows_of(subject.model, sentences, subject.vocabulary), len(sentences.pieces), tried, bank,
        subject.vocabulary.pad, subject.config.seed, "lesions: pairs",
    )  # fmt: skip
    sums = {name: sentences.total(values) for name, values in scores.items()}
    half = len(table)
    margins = {name: values[:half] - values[half:] for name, values in sums.items()}
    right = {name: is_right(values[:half], values[half:]) for name, values in sums.items()}
    syntax = (table["kind"] == SYNTAX).to_numpy()
    items = numbered([document or source for document, source in zip(table["document"], table["source"], strict=True)])
    out = pd.DataFrame({name: table[name] for name in ("set", "paradigm", "kind", "source", "good", "bad")})
    for name in margins:
        if not name.startswith("half"):
            out[f"margin, {name}"] = margins[name].astype(np.float32)
    out.to_parquet(subject.out / "lesions.parquet", index=False)
    towers, settings = subject.model.config.towers, subject.config.analyze
    return LesionsOnPairs(counts, dissociation(margins, right, syntax, items, towers, settings, generator))


def dissociation(
    margins: Mapping[str, Floats], right: Mapping[str, Floats], syntax: NDArray[np.bool_],
    items: NDArray[np.int64], towers: int, settings: AnalyzeConfig, generator: np.random.Generator,
) -> Dissociation:  # fmt: skip
    """Whether lesions of two towers part syntax from meaning.

    Args:
        margins, right: by lesion, and intact, log-probability of the better sentence minus that of the worse in nats,
            and whether the pair is right, each (pairs,).
        syntax: which pairs are of syntax; the others are of meaning, (pairs,).
        items: what is resampled and divided into halves, numbered from 0: a document, or a pair of a ready set.
        towers: how many; of more than two, the two that are furthest apart on the first half of the items.
        settings: `bootstrap` and `confidence` of the intervals, which are over items.
        generator: of the resampling.

    The interaction is of mean lesions. Its null is the same of random halves of the units (of more than two towers, of
    random parts, `half R a`, `half R b`, …, as many as there are towers, with the same choice of two).
    """
    weights = cluster_weights(items, settings.bootstrap, generator)
    count = weights.shape[1]

    def means(values: Floats, chosen: NDArray[np.bool_]) -> Floats:
        return _resampled(weighted_means(weights, items[chosen], values[chosen]), items[chosen])

    def figure(drawn: Floats) -> Estimate:
        return centred_estimate(drawn, settings.confidence)

    kinds = {SYNTAX: syntax, MEANING: ~syntax}
    losses = [
        LossOnPairs(
            tower, way, kind, accuracy=figure(means(right[INTACT] - right[f"tower {tower}, {way}"], chosen)),
            margin=figure(means(margins[INTACT] - margins[f"tower {tower}, {way}"], chosen)),
        )
        for tower in range(1, towers + 1) for way in WAYS for kind, chosen in kinds.items()
    ]  # fmt: skip
    found = Dissociation(
        {kind: float(right[INTACT][chosen].mean()) for kind, chosen in kinds.items()}, losses, interaction=None
    )
    test = (generator.permutation(count) % 2 == 1)[items]
    cells = [int((half & chosen).sum()) for half in (test, ~test) for chosen in kinds.values()]
    if towers < 2 or min(cells) < FEWEST // 2:
        return found
    scale = np.where(syntax, margins[INTACT][syntax].std(), margins[INTACT][~syntax].std())

    def apart(first: str, second: str) -> Floats:
        """How much more the first lesion costs than the second, of each pair, in standard deviations."""
        gaps: Floats = (margins[second] - margins[first]) / np.maximum(scale, 1e-12)
        return gaps

    def contrast(gap: Floats, inside: NDArray[np.bool_]) -> float:
        return float(gap[inside & syntax].mean() - gap[inside & ~syntax].mean())

    def localised(choices: Sequence[tuple[str, str]]) -> tuple[str, str]:
        """The two lesions, the one of syntax first, that are furthest apart on the first half of the items."""
        both = [*choices, *((second, first) for first, second in choices)]
        return max(both, key=lambda names: contrast(apart(*names), ~test))

    divisions = sum(name.startswith("half") and name.endswith(" a") for name in margins)
    null = np.array([contrast(apart(*localised(group)), test) for group in pairs_of_parts(divisions, towers)])
    chosen_names = localised([_names(pair) for pair in combinations(range(1, towers + 1), 2)])
    gap = apart(*chosen_names)
    drawn = {kind: means(gap, chosen & test) for kind, chosen in kinds.items()}
    sides = {kind: figure(values) for kind, values in drawn.items()}
    estimate = figure(drawn[SYNTAX] - drawn[MEANING])
    interaction = Interaction(
        **vars(estimate),
        tower_of_syntax=int(chosen_names[0].split()[1].rstrip(",")),
        tower_of_meaning=int(chosen_names[1].split()[1].rstrip(",")),
        null=_null(null, settings.confidence),
        p_value=_exceeded(estimate.estimate, null),
        syntax=sides[SYNTAX],
        meaning=sides[MEANING],
        crossover=bool(sides[SYNTAX].low > 0 and sides[MEANING].high < 0),
    )
    return replace(found, interaction=interaction)
