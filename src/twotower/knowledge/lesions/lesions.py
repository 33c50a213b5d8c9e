"""Lesions: what the joint model loses without a tower, by class of word and on minimal pairs.

The question is the *double dissociation* (Teuber 1955; Shallice 1988): that taking away one tower hurts syntax more
than meaning, and taking away the other hurts meaning more than syntax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from ...data.tokenization import encode_batch
from ...data.trees import Tree
from ...system.errors import InputError
from ..findings.lesions import (
    Lesions,
    LesionsOnPairs,
    LossesByClass,
    TooFewPairs,
)
from ..pairs.accuracy import is_right, numbered
from ..pairs.minimal_pair import MEANING, SYNTAX
from ..sentences import Rows, encode, longest, rows_of
from ..subject import Subject
from .by_class import losses_by_class
from .dissociation import FEWEST, dissociation
from .removal import (
    HALVES,
    INTACT,
    Lesion,
    bank_of,
    heldout_rows,
    lesioned,
    lesions_of_towers,
)

BANK = 4096
"""Positions whose values replace those of a lesioned tower, or whose mean does."""
PAIRS = "knowledge/pairs"
"""What these lesions are measured on, where it has been made."""
TREES = 600
"""Sentences of the treebank on which loss by dependency relation is measured."""


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
    places = np.concatenate([batch.places for batch in wanted])
    second = np.zeros(len(document), dtype=bool)
    second[places] = _every_second(document[places])
    if not second.any():
        raise InputError(
            f"lesions: only one held-out document of {subject.run} is read, and two are needed: the values of one "
            "replace a tower's in the other; prepare the text with more and shorter documents"
        )
    bank = bank_of(model, [_some(batch, ~second[batch.places]) for batch in wanted], subject.vocabulary.pad)
    measured = [_some(batch, second[batch.places]) for batch in wanted]
    measured = [batch for batch in measured if len(batch.places)]
    scores = lesioned(
        model, measured, len(document), tried, bank, subject.vocabulary.pad, config.seed, "lesions: words"
    )
    known = np.flatnonzero(np.isfinite(scores[INTACT]))
    losses = {name: scores[INTACT][known] - values[known] for name, values in scores.items() if name != INTACT}
    labels = table["upos"].astype(str).to_numpy()[known]
    return bank, losses_by_class(
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
    all_trees = subject.trees()
    trees = [all_trees[number] for number in sorted(generator.permutation(len(all_trees))[: 4 * TREES].tolist())]
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
    return losses_by_class(subject, losses, np.asarray(labels)[known], documents, frequency, generator)


def _relation_of_characters(tree: Tree) -> list[str]:
    """The relation, without its subtype, of the token that each character of the text belongs to; empty between."""
    first: dict[int, str] = {}
    for word in tree.words:
        first.setdefault(word.token, word.relation)
    relations: list[str] = []
    for place, (token, space) in enumerate(zip(tree.tokens, tree.spaces, strict=True)):
        relations += [first.get(place, "")] * len(token) + [""] * space
    return relations


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
