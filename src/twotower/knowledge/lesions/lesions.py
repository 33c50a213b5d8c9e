"""Lesions: what the joint model loses without a tower, by class of word and on minimal pairs.

The question is the *double dissociation* (Teuber 1955; Shallice 1988): that taking away one tower hurts syntax more
than meaning, and taking away the other hurts meaning more than syntax.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from ...data.tokenization import encode_batch
from ...data.trees import Tree
from ...statistics.intervals import choice_margin
from ...statistics.tallies import Floats
from ...system.errors import InputError
from ..pairs.accuracy import CONFIDENCE, DRAWS, cluster_weights, figure, is_right, numbered, weighted_means
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


def lesions(subject: Subject) -> dict[str, Any]:
    """Nats lost by class of word, and what is lost on minimal pairs, without each tower.

    A tower's contribution to the joint head is replaced by its mean, by zero, or by its values at another position;
    mean and values are from held-out documents other than those that are measured. Nulls: random halves of the units of
    all towers, as many as one tower of two has (of a single tower, halves of its units). Of more than two towers, the
    two that differ most are reported; then the null divides the units into as many random parts as there are towers,
    and chooses two of these in the same way. What only one document or pair tells has no interval.

    Raises `InputError` if only one held-out document is read.

    Returns:
        `upos` and `relations` (null without a treebank): for each lesion of a tower its loss in nats, all over and by
        class, with intervals over documents, and `apart`, how far the profiles of the towers are from each other (the
        standard deviation over classes of the difference of their losses, weighted by occurrences), with its null, the
        same beyond frequency, and `by_frequency`, how the difference changes with training frequency; `pairs` (null
        where `twotower know --only pairs` has not been run): see `dissociation`.
    """
    model = subject.model
    generator = subject.generator("lesions")
    tried = lesions_of_towers(model, HALVES, generator)
    bank, upos = _heldout(subject, tried)
    return {
        "halves": HALVES,
        "upos": upos,
        "relations": _relations(subject, tried, bank) if subject.config.know.treebank else None,
        "pairs": _pairs(subject, tried, bank),
    }


def _heldout(subject: Subject, tried: Mapping[str, Lesion]) -> tuple[Tensor, dict[str, Any]]:
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


def _relations(subject: Subject, tried: Mapping[str, Lesion], bank: Tensor) -> dict[str, Any] | None:
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
) -> dict[str, Any]:  # fmt: skip
    """Loss of each lesion by class, and how far the towers' profiles are apart beside random halves.

    `labels`, `documents` and `frequency` are of the occurrences. Beyond frequency means: less the mean of all
    occurrences of similar training frequency, which is strict on a class of one very frequent word.
    """
    names, counts = np.unique(labels, return_counts=True)
    kept = [(str(name), int(count)) for name, count in zip(names, counts, strict=True) if count >= FEWEST]
    weights = cluster_weights(documents, DRAWS, generator)

    def means(values: Floats, chosen: NDArray[np.bool_]) -> Floats:
        return weighted_means(weights, documents[chosen], values[chosen])

    def loss_of(values: Floats, chosen: NDArray[np.bool_]) -> dict[str, float]:
        return figure(_resampled(means(values, chosen), documents[chosen]))

    everything = np.ones(len(labels), dtype=bool)
    rows = []
    for tower in range(1, subject.model.config.towers + 1):
        for way in WAYS:
            loss = losses[f"tower {tower}, {way}"]
            rows.append(
                {"tower": tower, "way": way, "loss": loss_of(loss, everything),
                 "classes": [{"class": name, "occurrences": count, "loss": loss_of(loss, labels == name)}
                             for name, count in kept]}
            )  # fmt: skip
    found: dict[str, Any] = {
        "occurrences": len(labels), "documents": weights.shape[1], "lesions": rows,
        "apart": None, "apart_beyond_frequency": None, "by_frequency": None,
    }  # fmt: skip
    pairs = list(combinations(range(1, subject.model.config.towers + 1), 2))
    if not pairs or not kept:
        return found
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

    for key, beyond in (("apart", False), ("apart_beyond_frequency", True)):
        tried = {pair: apart(*_names(pair), beyond) for pair in pairs}
        chosen = max(pairs, key=lambda pair: float(tried[pair][1][0]))
        profile, spread = tried[chosen]
        null = np.array([max(apart(*two, beyond)[1][0] for two in group) for group in random_pairs])
        found[key] = {
            **figure(_resampled(spread, documents)),
            "of": list(chosen),
            **_against(float(spread[0]), null),
            "profile": [
                {"class": name, "occurrences": count, **figure(_resampled(profile[:, place], documents))}
                for place, (name, count) in enumerate(kept)
            ],
        }
    found["by_frequency"] = _slope(losses, frequency, documents, weights, pairs, random_pairs)
    return found


def _resampled(drawn: Floats, clusters: NDArray[np.integer]) -> Floats:
    """A sample and its draws, (1 + draws,), these NaN where all is of one cluster, (members,).

    Drawing that cluster again and again gives the same figure: an interval of no width, as if it were sure.
    """
    if (clusters == clusters[0]).all():
        return np.concatenate([drawn[:1], np.full(len(drawn) - 1, np.nan)])
    return drawn


def _names(pair: tuple[int, int]) -> tuple[str, str]:
    return f"tower {pair[0]}, {MEAN}", f"tower {pair[1]}, {MEAN}"


def _against(estimate: float, null: Floats) -> dict[str, Any]:
    return {
        "null": {"mean": float(null.mean()), "high": float(np.quantile(null, CONFIDENCE))},
        "p_value": float((1 + (null >= estimate).sum()) / (len(null) + 1)),
    }


def _slope(
    losses: Mapping[str, Floats], frequency: Floats, documents: NDArray[np.int64], weights: Floats,
    pairs: Sequence[tuple[int, int]], random_pairs: Sequence[Sequence[tuple[str, str]]],
) -> dict[str, Any]:  # fmt: skip
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
    found = figure(drawn)
    if len(pairs) > 1:
        towers = sorted({tower for pair in pairs for tower in pair})
        each = np.stack([_resampled(slope(losses[f"tower {k}, {MEAN}"]), documents) for k in towers], axis=1)
        margin = choice_margin(each[1:], CONFIDENCE)
        found |= {"low": found["estimate"] - margin, "high": found["estimate"] + margin}
    return {**found, "of": list(chosen), **_against(abs(float(drawn[0])), null)}


def _frequency_bins(frequency: Floats) -> NDArray[np.int64]:
    """Twentieths of the occurrences by the training frequency of their pieces, (occurrences,)."""
    edges = np.unique(np.quantile(frequency, np.linspace(0, 1, 21)[1:-1]))
    return np.asarray(np.searchsorted(edges, frequency, side="right"), dtype=np.int64)


def _pairs(subject: Subject, tried: Mapping[str, Lesion], bank: Tensor) -> dict[str, Any] | None:
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
        return {"pairs": counts, "left_out": f"fewer than {FEWEST} pairs of syntax or of meaning"}
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
    return {"pairs": counts, **dissociation(margins, right, syntax, items, subject.model.config.towers, generator)}


def dissociation(
    margins: Mapping[str, Floats], right: Mapping[str, Floats], syntax: NDArray[np.bool_],
    items: NDArray[np.int64], towers: int, generator: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    """Whether lesions of two towers part syntax from meaning.

    Args:
        margins, right: by lesion, and intact, log-probability of the better sentence minus that of the worse in nats,
            and whether the pair is right, each (pairs,).
        syntax: which pairs are of syntax; the others are of meaning, (pairs,).
        items: what is resampled and divided into halves, numbered from 0: a document, or a pair of a ready set.
        towers: how many; of more than two, the two that are furthest apart on the first half of the items.
        generator: of the resampling.

    Returns:
        `losses`: for each lesion of a tower, and each kind of pair, the accuracy and the margin that it costs, with
        intervals over items; `interaction` (null for one tower, or too few pairs), from mean lesions and margins in
        standard deviations of the intact ones of their kind: tower 1's cost minus tower 2's on syntax, minus the same
        on meaning. Half of the items say which tower is the one of syntax; on the other half `syntax` and `meaning` are
        by how much its lesion costs more than the other tower's, and `estimate` is their difference, with intervals
        over items. `null` and `p_value`: the same of random halves of the units (of more than two towers, of random
        parts, `half R a`, `half R b`, …, as many as there are towers, with the same choice of two). `crossover`:
        whether `syntax` is above and `meaning` below zero, each by its whole interval.
    """
    weights = cluster_weights(items, DRAWS, generator)
    count = weights.shape[1]

    def means(values: Floats, chosen: NDArray[np.bool_]) -> Floats:
        return _resampled(weighted_means(weights, items[chosen], values[chosen]), items[chosen])

    kinds = {SYNTAX: syntax, MEANING: ~syntax}
    losses = [
        {"tower": tower, "way": way, "kind": kind,
         "accuracy": figure(means(right[INTACT] - right[f"tower {tower}, {way}"], chosen)),
         "margin": figure(means(margins[INTACT] - margins[f"tower {tower}, {way}"], chosen))}
        for tower in range(1, towers + 1) for way in WAYS for kind, chosen in kinds.items()
    ]  # fmt: skip
    found: dict[str, Any] = {
        "intact": {kind: float(right[INTACT][chosen].mean()) for kind, chosen in kinds.items()},
        "losses": losses,
        "interaction": None,
    }
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
    found["interaction"] = {
        **estimate,
        "tower_of_syntax": int(chosen_names[0].split()[1].rstrip(",")),
        "tower_of_meaning": int(chosen_names[1].split()[1].rstrip(",")),
        **_against(estimate["estimate"], null),
        **sides,
        "crossover": bool(sides[SYNTAX]["low"] > 0 and sides[MEANING]["high"] < 0),
    }
    return found
