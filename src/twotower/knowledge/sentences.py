"""Sentences to the log-probabilities of their pieces, as the model is used to reading them.

A sentence begins with the separator ([CLS] in models of sentence pairs); models that see both sides have one after it,
too. Causal: log p of each piece given those before it. Masked: the pseudo-log-likelihood `within_word_l2r` (Kauf and
Ivanova 2023, arXiv 2305.10588), in which a piece is hidden together with the later pieces of its word. Bidirectional:
log p of each piece given all pieces before and after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..data.tokenization import Vocabulary, encode_batch
from ..modeling.model import TowersModel
from ..modeling.scoring import log_probs_of
from ..statistics.tallies import Floats
from ..system.progress import Progress

Ids = NDArray[np.int64]
BATCH_TOKENS = 4096
"""Tokens of a batch, padding included: rows of similar length stand together."""


@dataclass(frozen=True)
class Sentences:
    """Sentences as piece ids, one after the other."""

    pieces: Ids
    """Piece ids of all sentences, (pieces,)."""
    words: Ids
    """The number, within its sentence, of the word that each piece belongs to, (pieces,)."""
    starts: Ids
    """Where each sentence begins, and at the end the number of pieces; (sentences + 1,)."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Ids:
        """Pieces of each sentence, (sentences,)."""
        return np.diff(self.starts)

    @property
    def of(self) -> Ids:
        """The sentence of each piece, (pieces,)."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def total(self, values: Floats) -> Floats:
        """Sums over the pieces of each sentence: (pieces,) to (sentences,)."""
        return np.bincount(self.of, values, len(self)).astype(np.float64)


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> Sentences:
    """The pieces and words of each text; special tokens in a text are text."""
    encoded = encode_batch(tokenizer, texts)
    none = np.empty(0, dtype=np.int64)
    pieces, words = (np.concatenate([none, *parts]) for parts in ([t.ids for t in encoded], [t.words for t in encoded]))
    return Sentences(pieces, words, np.cumsum([0, *(len(text.ids) for text in encoded)]))


def longest(model: TowersModel) -> int:
    """The most pieces of a sentence that fit into the model's window beside the separators."""
    return int(model.config.window) - (0 if model.config.objective == "causal" else 2)


@dataclass(frozen=True)
class Rows:
    """A batch of rows to read."""

    inputs: Ids
    """(rows, time)"""
    targets: Ids
    """(rows, time)"""
    scored: NDArray[np.bool_]
    """(rows, time)"""
    places: Ids
    """Which of all pieces each scored position is, in the order in which they are scored."""


def rows_of(model: TowersModel, sentences: Sentences, vocabulary: Vocabulary) -> Iterator[Rows]:
    """The rows in which every piece of every sentence is scored once. No sentence may exceed `longest`."""
    objective = model.config.objective
    first = vocabulary.cls if model.config.windows == "pairs" else vocabulary.sep
    causal = objective == "causal"
    # Under the masked objective a sentence is read once for each of its pieces.
    copies = sentences.lengths if objective == "masked" else np.ones(len(sentences), dtype=np.int64)
    sentence = np.repeat(np.arange(len(sentences)), copies)
    hidden_word = np.concatenate([np.arange(count) for count in copies]) if len(copies) else np.empty(0, np.int64)
    lengths = sentences.lengths[sentence]
    order = np.argsort(lengths, kind="stable")
    begin = 0
    while begin < len(order):
        # Lengths rise, so the last row of a batch is its longest.
        end = begin + 1
        while end < len(order) and (end + 1 - begin) * (int(lengths[order[end]]) + 2) <= BATCH_TOKENS:
            end += 1
        part = order[begin:end]
        begin = end
        width = int(lengths[part[-1]]) + (1 if causal else 2)
        text = np.full((len(part), width), vocabulary.pad, dtype=np.int64)
        place = np.full(text.shape, -1, dtype=np.int64)
        hidden = np.zeros(text.shape, dtype=bool)
        text[:, 0] = first
        for row, number in enumerate(part.tolist()):
            start, stop = sentences.starts[sentence[number]], sentences.starts[sentence[number] + 1]
            inside = slice(1, 1 + int(stop - start))
            text[row, inside] = sentences.pieces[start:stop]
            if not causal:
                text[row, inside.stop] = vocabulary.sep
            if objective == "masked":
                here = int(hidden_word[number])
                word = sentences.words[start:stop]
                hidden[row, inside] = (word == word[here]) & (np.arange(len(word)) >= here)
                place[row, 1 + here] = start + here
            else:
                place[row, inside] = np.arange(start, stop)
        inputs = np.where(hidden, vocabulary.mask, text)
        if causal:
            inputs, text, place = inputs[:, :-1], text[:, 1:], place[:, 1:]
        scored = place >= 0
        yield Rows(inputs, text, scored, place[scored])


@torch.no_grad()
def score_sentences(
    model: TowersModel,
    sentences: Sentences,
    vocabulary: Vocabulary,
    heads: Collection[str],
    name: str = "",
) -> dict[str, Floats]:
    """Log-probability in nats of every piece under each of the heads, (pieces,) each; `name` is shown as progress."""
    by_head = {head: np.zeros(len(sentences.pieces)) for head in heads}
    with Progress(name, len(sentences.pieces), "piece", quiet=not name) as progress:
        for rows in rows_of(model, sentences, vocabulary):
            scores = log_probs_of(model, rows.inputs, rows.targets, rows.scored, vocabulary.pad, heads)
            for head, values in scores.items():
                by_head[head][rows.places] = values.cpu().numpy()
            progress.advance(len(rows.places))
    return by_head
