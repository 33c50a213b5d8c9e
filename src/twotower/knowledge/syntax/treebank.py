"""The sentences of a treebank that are probed, their split, and the views of their words that probes read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...config.schema import FEWEST_SENTENCES
from ...data.trees import Tree
from ...statistics.tallies import Floats, sample_and_draws
from ...system.errors import InputError
from ..findings.views import Counts
from ..representations import Ids, Sentence, encode_trees, longest, represent
from ..subject import Subject

TRAIN, DEV, TEST = 0, 1, 2
HELD = 1 / 6
"""Share of the sentences for choosing (layer, rank), and as many for the figures."""
FEWEST_DOCUMENTS = 30
"""Documents below which sentences are split and resampled instead."""
NO_LETTERS = ("PUNCT", "SYM", "NUM")


@dataclass(frozen=True)
class Treebank:
    """Sentences with gold trees, split so that no document (or sentence) is in two parts."""

    trees: list[Tree]
    sentences: list[Sentence]
    part: Ids
    """`TRAIN`, `DEV` or `TEST`, (sentences,)."""
    group: Ids
    """The document of each sentence, or the sentence itself: the unit of the split and of resampling; (sentences,)."""
    sentences_used: Counts
    """How many sentences there are, are left out, and are in each part."""
    words_used: dict[str, int]

    @property
    def starts(self) -> Ids:
        """Where each sentence begins, and at the end the number of words; (sentences + 1,)."""
        return np.concatenate([[0], np.cumsum([len(tree.words) for tree in self.trees])]).astype(np.int64)

    @property
    def of(self) -> Ids:
        """The sentence of each word, (words,)."""
        return np.repeat(np.arange(len(self.trees)), [len(tree.words) for tree in self.trees])


@dataclass(frozen=True)
class View:
    """What is known of each word: its states in a tower at a layer, or a control."""

    name: str
    tower: int
    """Counted from 1; 0 for what the towers share."""
    layer: int | None
    """0 for the tower's input; None for the shared embedding and for all towers side by side."""
    trained: bool
    states: Tensor
    """(words, width)"""

    @property
    def labels(self) -> dict[str, Any]:
        """What it is, as `results.json` says it."""
        return {"view": self.name, "tower": self.tower, "layer": self.layer, "trained": self.trained}


def choose_sentences(subject: Subject, limit: int, purpose: str) -> Treebank:
    """At most `limit` sentences of the user's treebank, drawn and split by whole documents, or by sentence.

    Left out and counted: sentences that do not fit into the model's window, that have fewer than three words besides
    punctuation, or a word of which the tokenizer leaves nothing. Words with an [UNK] piece are counted and stay.

    Raises `InputError` without a treebank, with too few sentences, or if most of the words are [UNK].
    """
    trees = subject.trees()
    sentences = encode_trees(subject.tokenizer, trees)
    window = longest(subject.model)
    long = np.array([len(sentence.pieces) > window for sentence in sentences])
    bare = np.array([not sentence.counts.all() for sentence in sentences])
    short = np.array([sum(word.upos != "PUNCT" for word in tree.words) < 3 for tree in trees])
    usable = np.flatnonzero(~(long | bare | short))
    limit = min(limit, len(usable))
    if limit < FEWEST_SENTENCES:
        raise InputError(
            f"know.treebank: {len(usable)} of the {len(trees)} sentences of {subject.config.know.treebank} can be used "
            f"({int(long.sum())} do not fit into the window of {subject.model.config.window} tokens, "
            f"{int(short.sum())} have fewer than three words), {limit} are asked for; probes need {FEWEST_SENTENCES}"
        )
    names = [trees[number].document for number in usable]
    documents = len(set(names))
    by_document = documents >= FEWEST_DOCUMENTS
    group = np.unique(names, return_inverse=True)[1] if by_document else np.arange(len(usable))
    chosen, part = _split(group, limit, subject.generator(purpose))
    numbers = usable[chosen]
    chosen_sentences = [sentences[number] for number in numbers]
    known = [trees[number] for number in numbers]
    counts: Counts = {
        "total": len(trees),
        "too_long": int(long.sum()),
        "without_pieces": int((bare & ~long).sum()),
        "too_short": int((short & ~long & ~bare).sum()),
        "train": int((part == TRAIN).sum()),
        "dev": int((part == DEV).sum()),
        "test": int((part == TEST).sum()),
        "unit": "document" if by_document else "sentence",
        "units": len(np.unique(group[chosen])),
    }
    words = _words(known, chosen_sentences, subject.vocabulary.unknown)
    if words["with_unknown"] > 0.5 * words["total"]:
        raise InputError(
            f"know.treebank: {words['with_unknown']} of {words['total']} words of {subject.config.know.treebank} are "
            "[UNK] to this run; give a treebank in the language and script of the run's corpus"
        )
    return Treebank(known, chosen_sentences, part, group[chosen], counts, words)


def _split(group: Ids, limit: int, generator: np.random.Generator) -> tuple[Ids, Ids]:
    """Which sentences are used, and the part of each; whole groups in random order fill test, dev and train."""
    place = generator.permutation(int(group.max()) + 1)[group]
    order = np.argsort(place, kind="stable")
    held = max(1, round(limit * HELD))
    chosen: list[int] = []
    part: list[int] = []
    begin = 0
    for name, wanted in ((TEST, held), (DEV, held), (TRAIN, limit - 2 * held)):
        taken = order[begin : begin + wanted]
        if not len(taken):
            break
        chosen += taken.tolist()
        part += [name] * len(taken)
        # The rest of the last document is left out, lest it be in two parts.
        begin = int(np.searchsorted(place[order], place[taken[-1]], side="right"))
    used = np.array(chosen)
    inside = np.argsort(used)
    return used[inside], np.array(part)[inside]


def _words(trees: Sequence[Tree], sentences: Sequence[Sentence], unknown: int) -> dict[str, int]:
    lettered = [np.array([word.upos not in NO_LETTERS for word in tree.words]) for tree in trees]
    shared = 0
    for tree in trees:
        tokens = np.array([word.token for word in tree.words])
        shared += int((np.bincount(tokens)[tokens] > 1).sum())
    return {
        "total": sum(len(tree.words) for tree in trees),
        "of_several_pieces": sum(int((sentence.counts > 1).sum()) for sentence in sentences),
        "in_multiword_tokens": shared,
        "with_unknown": sum(
            int((sentence.holds(unknown) & has).sum()) for sentence, has in zip(sentences, lettered, strict=True)
        ),
    }


def views_of(subject: Subject, treebank: Treebank) -> list[View]:
    """What probes read: every layer of each tower, all towers side by side, the embedding; the same untrained."""
    views = []
    for model, trained in ((subject.model, True), (subject.untrained, False)):
        prefix = "" if trained else "untrained "
        representations = represent(model, treebank.sentences, subject.vocabulary, f"states of {prefix}towers")
        for tower, layers in enumerate(representations.towers, start=1):
            for layer, states in enumerate(layers):
                views.append(View(f"{prefix}tower {tower}, layer {layer}", tower, layer, trained, states))
        together = torch.cat([layers[-1] for layers in representations.towers], dim=1)
        views.append(View(f"{prefix}towers together", 0, None, trained, together))
        views.append(View(f"{prefix}embedding", 0, None, trained, representations.embedding))
    return views


def draw_weights(group: Ids, draws: int, generator: np.random.Generator) -> Floats:
    """How often each member counts: once in the first row, then in bootstrap draws of whole groups.

    (1 + draws, members); `group` (members,).
    """
    numbers = np.unique(group, return_inverse=True)[1]
    return sample_and_draws(int(numbers.max()) + 1, draws, generator)[:, numbers]


def ratio(weights: Floats, counted: Floats, total: Floats) -> Floats:
    """Weighted sum of one over that of the other, for each row of weights: (1 + draws,); both are (members,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        quotient: Floats = (weights @ counted) / (weights @ total)
    return quotient


def punctuation(tree: Tree) -> NDArray[np.bool_]:
    """Which words are punctuation, (words,)."""
    return np.array([word.upos == "PUNCT" for word in tree.words])
