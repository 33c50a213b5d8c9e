"""Words in their sentences to the states that each tower has of them, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from ..data.tokenization import Vocabulary, encode_batch
from ..data.trees import Tree
from ..modeling.elmo import Elmo
from ..modeling.layers import layer_states
from ..modeling.model import TowersModel
from ..modeling.towers import Tower
from ..system.progress import Progress

Ids = NDArray[np.int64]
Span = tuple[int, int]
BATCH_TOKENS = 4096
"""Tokens of a batch, padding included: rows of similar length stand together."""


@dataclass(frozen=True)
class Sentence:
    """A sentence as piece ids, and which of them belong to each of its words."""

    pieces: Ids
    """(pieces,)"""
    piece: Ids
    """The place of a piece, (links,); a piece that two words share has two links."""
    word: Ids
    """The number, from 0, of the word that it belongs to, (links,)."""
    words: int

    @property
    def counts(self) -> Ids:
        """Pieces of each word, (words,); 0 for a word of which the tokenizer leaves nothing."""
        return np.bincount(self.word, minlength=self.words)

    def holds(self, piece: int) -> NDArray[np.bool_]:
        """Whether each word has a piece of this id, (words,)."""
        has_piece = np.zeros(self.words, dtype=bool)
        has_piece[self.word[self.pieces[self.piece] == piece]] = True
        return has_piece


@dataclass(frozen=True)
class Representations:
    """The states of all words of some sentences, one after the other."""

    towers: list[list[Tensor]]
    """By tower and layer: float32, (words, width). Layer 0 is the tower's input."""
    embedding: Tensor
    """The shared embedding, before anything is added to it: float32, (words, embedding_size)."""
    starts: Ids
    """Where each sentence begins, and at the end the number of words; (sentences + 1,)."""


def encode_trees(tokenizer: Tokenizer, trees: Sequence[Tree]) -> list[Sentence]:
    """The pieces of the words of trees; the model reads the text as it is written.

    The words of a multiword token (do + n't) have the pieces that hold any of their letters, so that two words may
    share a piece. Where they are not spelled as the token is (fr. du = de + le), each has all its pieces.
    """
    sentences = []
    for tree, text in zip(trees, encode_batch(tokenizer, [tree.text for tree in trees]), strict=True):
        outer = _spans(tree.tokens, tree.spaces)
        inner: list[Span] = []
        for number, token in enumerate(tree.tokens):
            forms = [word.form for word in tree.words if word.token == number]
            begin = outer[number][0]
            if len(forms) == 1 or "".join(forms).lower() != token.lower():
                inner += [outer[number]] * len(forms)
                continue
            for form in forms:
                inner.append((begin, begin + len(form)))
                begin += len(form)
        edges = np.asarray(inner, dtype=np.int64).reshape(-1, 2)
        ends = np.maximum(text.ends, text.starts + 1)  # a space before a word starts where the word does
        inside = (text.starts[None] < edges[:, None, 1]) & (ends[None] > edges[:, None, 0])
        word, piece = np.nonzero(inside)
        sentences.append(Sentence(text.ids, piece, word, len(inner)))
    return sentences


def _spans(words: Sequence[str], spaces: Sequence[bool]) -> list[Span]:
    spans, begin = [], 0
    for word, space in zip(words, spaces, strict=True):
        spans.append((begin, begin + len(word)))
        begin += len(word) + space
    return spans


def longest(model: TowersModel) -> int:
    """The most pieces of a sentence that fit into the model's window beside the separators."""
    return int(model.config.window) - (1 if model.config.objective == "causal" else 2)


def frame_of(model: TowersModel, vocabulary: Vocabulary) -> tuple[int, int | None]:
    """What stands before a sentence and, in models that see both sides, after it."""
    first = vocabulary.cls if model.config.windows == "pairs" else vocabulary.sep
    return first, None if model.config.objective == "causal" else vocabulary.sep


def framed(pieces: Sequence[Ids], frame: tuple[int, int | None], pad: int) -> tuple[Tensor, Tensor | None]:
    """Rows of ids with their frame, padded on the right, and where they are no padding (None: everywhere)."""
    after = frame[1] is not None
    lengths = np.array([len(piece) + 1 + after for piece in pieces])
    ids = np.full((len(pieces), int(lengths.max())), pad, dtype=np.int64)
    ids[:, 0] = frame[0]
    for row, sentence_ids in zip(ids, pieces, strict=True):
        row[1 : 1 + len(sentence_ids)] = sentence_ids
        if frame[1] is not None:
            row[1 + len(sentence_ids)] = frame[1]
    present = None
    if lengths.min() < lengths.max():
        present = torch.from_numpy(np.arange(ids.shape[1]) < lengths[:, None])
    return torch.from_numpy(ids), present


@torch.no_grad()
def represent(
    model: TowersModel, sentences: Sequence[Sentence], vocabulary: Vocabulary, name: str = ""
) -> Representations:
    """The states of every word at each layer of each tower; `name` is shown as progress.

    The state of a word is the mean over its pieces. A sentence is framed as the model is used to: [SEP] before it
    ([CLS] in models of sentence pairs), and [SEP] after it where the model sees both sides. Under the objective
    `bidirectional` the states at a position have not read its token: there the state of a word is that of the forward
    LSTMs one position later and of the backward LSTMs one earlier, which have just read it (Peters et al. 2018).

    No sentence may have more than `longest` pieces, and every word needs a piece: `ValueError`.
    """
    starts = np.concatenate([[0], np.cumsum([sentence.words for sentence in sentences])]).astype(np.int64)
    limit = longest(model)
    for sentence in sentences:
        if len(sentence.pieces) > limit or not sentence.counts.all():
            raise ValueError(f"a sentence of {len(sentence.pieces)} pieces (at most {limit}), or a word without any")
    frame, device = frame_of(model, vocabulary), model.decoder_bias.device
    word_states: list[list[Tensor]] = []
    embedding = torch.empty(int(starts[-1]), model.config.embedding_size)
    with Progress(name, len(sentences), "sentence", quiet=not name) as progress:
        for part in _batches(sentences):
            chosen = [sentences[number] for number in part]
            ids, present = framed([sentence.pieces for sentence in chosen], frame, vocabulary.pad)
            ids, present = ids.to(device), None if present is None else present.to(device)
            states = layer_states(model, ids, present)
            if not word_states:
                word_states = [[torch.empty(int(starts[-1]), state.shape[-1]) for state in tower] for tower in states]
            owner, place = _places(chosen, ids.shape[1])
            into = torch.from_numpy(np.concatenate([np.arange(starts[n], starts[n + 1]) for n in part]))
            embedding[into] = _mean(model.embedding(ids), owner, place, len(into))
            for tower, layers, kept in zip(cast(list[Tower], model.towers), states, word_states, strict=True):
                for layer, (state, whole) in enumerate(zip(layers, kept, strict=True)):
                    aligned = _after_reading(tower, state, layer, layer == len(layers) - 1)
                    whole[into] = _mean(aligned, owner, place, len(into))
            progress.advance(len(part))
    return Representations(word_states, embedding, starts)


def _batches(sentences: Sequence[Sentence]) -> Iterator[list[int]]:
    lengths = np.array([len(sentence.pieces) for sentence in sentences])
    batch: list[int] = []
    for number in np.argsort(lengths, kind="stable").tolist():
        if batch and (len(batch) + 1) * (int(lengths[number]) + 2) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _places(sentences: Sequence[Sentence], time: int) -> tuple[Tensor, Tensor]:
    """For each link of a batch the word, counted over the batch, and the position in the flattened rows."""
    first = np.cumsum([0, *(sentence.words for sentence in sentences)])
    owner = np.concatenate([sentence.word + begin for sentence, begin in zip(sentences, first, strict=False)])
    place = np.concatenate([sentence.piece + 1 + row * time for row, sentence in enumerate(sentences)])
    return torch.from_numpy(owner), torch.from_numpy(place)


def _mean(states: Tensor, owner: Tensor, place: Tensor, words: int) -> Tensor:
    picked = states.flatten(0, 1).cpu().float()[place]
    sums = torch.zeros(words, states.shape[-1]).index_add_(0, owner, picked)
    return sums / torch.bincount(owner, minlength=words)[:, None]


def _after_reading(tower: Tower, states: Tensor, layer: int, last: bool) -> Tensor:
    """States (batch, time, width) such that those at a position have just read its token."""
    elmo = tower.backbone
    if layer == 0 or not isinstance(elmo, Elmo) or elmo.objective != "bidirectional":
        return states
    forward, *backward = states.chunk(2, dim=-1) if last or elmo.backward_lstm is not None else (states,)
    # What wraps around falls on the frame, which belongs to no word.
    return torch.cat([forward.roll(-1, dims=1), *(half.roll(1, dims=1) for half in backward)], dim=-1)
