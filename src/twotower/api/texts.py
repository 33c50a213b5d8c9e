"""Sentences of a reader's own under a run's heads, as data frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from tokenizers import Tokenizer

from ..data.characters import visible
from ..data.tokenization import Vocabulary, vocabulary_of
from ..data.tokenizer_files import load_tokenizer
from ..knowledge.sentences import Ids, encode, longest, score_sentences
from ..modeling.model import TowersModel, finished_model
from ..preference.measured import SETS
from ..runs.finished import RunFolder
from ..statistics.contrasts import contrasts
from ..system.errors import InputError


def score(run: RunFolder, texts: Sequence[str]) -> pd.DataFrame:
    """One row per piece of each text; see `Run.score`."""
    model, text = _model_and_text(run)
    sentences = encode(text.tokenizer, [visible(sentence) for sentence in texts])
    for number, length in enumerate(sentences.lengths):
        _require_length(int(length), longest(model), f"text {number}")
    sets = SETS[: run.config.readout.replicates]
    towers = run.config.model.towers
    heads = ["joint", *(f"{name}_{tower}" for name in sets for tower in range(1, towers + 1))]
    scores = pd.DataFrame(score_sentences(model, sentences, text.vocabulary, heads))
    table = pd.DataFrame({
        "text": sentences.of, "position": np.arange(len(sentences.pieces)) - sentences.starts[sentences.of],
        "piece_id": sentences.pieces, "piece": [text.pieces[piece] for piece in sentences.pieces],
        "joint": scores["joint"],
    })  # fmt: skip
    for tower in range(1, towers + 1):
        table[f"readout_{tower}"] = scores[[f"{name}_{tower}" for name in sets]].mean(axis=1)
    for contrast in contrasts(towers):
        table[f"preference{contrast.suffix}"] = contrast.mean_of(scores, sets)
    return table


def predict(run: RunFolder, beginning: str, top: int) -> pd.DataFrame:
    """The likeliest next pieces under each head; see `Run.predict`."""
    if top < 1:
        raise InputError(f"predict: top is {top}; give 1 or more")
    model, text = _model_and_text(run)
    pieces = encode(text.tokenizer, [visible(beginning)]).pieces
    _require_length(len(pieces), longest(model) - (model.config.objective != "causal"), "the beginning")
    inputs, place = _asking_for_the_next(model, pieces, text.vocabulary)
    scored = torch.zeros(inputs.shape, dtype=torch.bool)
    scored[0, place] = True
    sets = SETS[: run.config.readout.replicates]
    heads = {"joint": ["joint"]} | {
        f"readout_{tower}": [f"{name}_{tower}" for name in sets] for tower in range(1, run.config.model.towers + 1)
    }
    with torch.no_grad():
        outputs = model.tower_outputs(inputs, None, scored)
        features = model.head_features(outputs, {name for names in heads.values() for name in names})
    rows = []
    for head, names in heads.items():
        log_probs = [torch.log_softmax(torch.nn.functional.linear(*features[name])[0], dim=-1) for name in names]
        mean = torch.stack(log_probs).mean(dim=0)[: len(text.pieces)]
        values, likeliest = mean.topk(min(top, len(mean)))
        rows += [
            {"head": head, "rank": rank, "piece_id": piece, "piece": text.pieces[piece], "log_prob": value}
            for rank, (piece, value) in enumerate(zip(likeliest.tolist(), values.tolist(), strict=True), start=1)
        ]
    return pd.DataFrame(rows, columns=["head", "rank", "piece_id", "piece", "log_prob"])


@dataclass(frozen=True)
class _Pieces:
    """How a run's towers read text."""

    tokenizer: Tokenizer
    pieces: list[str]
    """The pieces by their id."""
    vocabulary: Vocabulary


def _model_and_text(run: RunFolder) -> tuple[TowersModel, _Pieces]:
    model, tokenizer = finished_model(run), load_tokenizer(run.require("model") / "tokenizer.json")
    pieces = [str(tokenizer.id_to_token(number)) for number in range(tokenizer.get_vocab_size())]
    return model, _Pieces(tokenizer, pieces, vocabulary_of(tokenizer))


def _require_length(length: int, most: int, name: str) -> None:
    if length > most:
        raise InputError(f"{name} has {length} pieces, and the towers read at most {most}; give a shorter one")


def _asking_for_the_next(model: TowersModel, pieces: Ids, vocabulary: Vocabulary) -> tuple[torch.Tensor, int]:
    """The row to read, (1, time), and the position that predicts the piece after the beginning.

    Causal towers predict it at the last piece. The others read a [MASK] in its place, and the end of the text after it.
    """
    first = vocabulary.cls if model.config.windows == "pairs" else vocabulary.sep
    row = [first, *pieces.tolist()]
    if model.config.objective == "causal":
        return torch.tensor([row]), len(row) - 1
    return torch.tensor([[*row, vocabulary.mask, vocabulary.sep]]), len(row)
