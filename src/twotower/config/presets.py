"""Combinations of settings that people use, by name: quickstart, standard, and the paper's sizes and protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..system.errors import InputError
from ..system.spelling import did_you_mean
from .schema import ModelConfig, PrepareConfig, RunConfig
from .settings import with_settings

PAPER_WINDOW, PAPER_BATCH = 128, 3_840
"""The released scripts: windows of 128, 3 devices x 128 windows x 10 accumulated steps per update."""
PAPER_UPDATES, PAPER_READOUT_UPDATES = 12_500, 3_000
PAPER_WARMUP, PAPER_READOUT_WARMUP = 1_000 / 12_500, 100 / 3_000
"""10,000 and 1,000 accumulated steps of warm-up, ten to an update."""
UNCASED_BERT = "google-bert/bert-base-uncased"


def paper_protocol(config: RunConfig) -> RunConfig:
    """The same towers and text under the protocol of the paper, as far as its released code shows it.

    docs/protocol.md sets the two side by side.
    """
    per_update = PAPER_BATCH * PAPER_WINDOW
    return replace(
        config,
        protocol="paper",
        model=replace(config.model, dropout=0.1),
        train=replace(
            config.train,
            tokens=PAPER_UPDATES * per_update, minutes=None, window=PAPER_WINDOW, windows="pairs", masked=0.15,
            batch=PAPER_BATCH, micro_batch=128, learning_rate=1e-3, embedding_rate=1.0, bias="zero", betas=(0.9, 0.98),
            weight_decay=0.01, clip=1.0, warmup=PAPER_WARMUP, readout_share=0.01, readout_learning_rate=1e-3,
        ),
        readout=replace(
            config.readout,
            tokens=PAPER_READOUT_UPDATES * per_update, batch=PAPER_BATCH, learning_rate=1e-3, weight_decay=0.01,
            warmup=PAPER_READOUT_WARMUP, softmax="whole",
        ),
    )  # fmt: skip


def _paper(model: ModelConfig) -> RunConfig:
    text = PrepareConfig(
        corpus=("wikitext+bookcorpus",), heldout=0.1, vocabulary=30_522, tokenizer=UNCASED_BERT,
    )  # fmt: skip
    return paper_protocol(RunConfig(prepare=text, model=model))


def _bert(towers: int, layers: int, width: int, heads: int) -> ModelConfig:
    return ModelConfig(
        family="bert", towers=towers, layers=layers, width=width, heads=heads, embedding=towers * width,
    )  # fmt: skip


def _gpt(layers: int, width: int, heads: int) -> ModelConfig:
    return ModelConfig(family="gpt", layers=layers, width=width, heads=heads, embedding=0)


def _elmo(hidden: int) -> ModelConfig:
    return ModelConfig(family="elmo", layers=2, width=256, embedding=512, lstm_hidden=hidden)


STANDARD = RunConfig()
STANDARD_BERT = replace(
    STANDARD,
    model=replace(STANDARD.model, family="bert", positions="relative"),
    train=replace(STANDARD.train, tokens=5_000_000, masked=0.4, evaluation_tokens=20_000),
    readout=replace(STANDARD.readout, tokens=8_000_000),
)
STANDARD_ELMO = replace(
    STANDARD,
    model=replace(STANDARD.model, family="elmo", layers=2, lstm_hidden=64),
    # Its first layer of LSTMs reads the embedding as it is: at thirty times the rate, perplexity 176 instead of 104.
    train=replace(STANDARD.train, embedding_rate=1.0),
)


def _quick(config: RunConfig, tokens: int, readout_tokens: int) -> RunConfig:
    """The same towers on a small budget (research/archive/presets.md says how it was chosen)."""
    return replace(
        config,
        threads=1,  # so that a pair is the same to the bit whether or not its strangers are made beside it
        prepare=replace(config.prepare, heldout_words=4_000),
        train=replace(config.train, tokens=tokens, evaluations=5),
        readout=replace(config.readout, tokens=readout_tokens, replicates=2),
    )


QUICKSTART = _quick(STANDARD, 800_000, 2_000_000)
PRESETS: dict[str, RunConfig] = {
    "quickstart": QUICKSTART,
    "quickstart-gpt": QUICKSTART,
    "quickstart-bert": _quick(STANDARD_BERT, 3_000_000, 4_000_000),
    "quickstart-elmo": _quick(STANDARD_ELMO, 800_000, 2_000_000),
    "standard": STANDARD,
    "standard-gpt": STANDARD,
    "standard-bert": STANDARD_BERT,
    "standard-elmo": STANDARD_ELMO,
    "paper-bert-large": _paper(_bert(2, 24, 512, 16)),
    "paper-bert-base": _paper(_bert(2, 12, 384, 12)),
    "paper-gpt-large": _paper(_gpt(24, 512, 16)),
    "paper-gpt-base": _paper(_gpt(12, 384, 12)),
    "paper-elmo-large": _paper(_elmo(4096)),
    "paper-elmo-base": _paper(_elmo(2048)),
    "single-bert-small": _paper(_bert(1, 4, 512, 8)),
    "single-bert-medium": _paper(_bert(1, 8, 512, 8)),
    "single-bert-base": _paper(_bert(1, 12, 768, 12)),
    "single-bert-large": _paper(_bert(1, 24, 1024, 16)),
}  # fmt: skip

QUESTIONS = {
    "quickstart": "Do GPT towers divide the work?",
    "quickstart-bert": "Do BERT towers?",
    "quickstart-elmo": "Do ELMo towers?",
    "standard": "GPT after more text?",
    "standard-bert": "BERT after more text?",
    "standard-elmo": "ELMo after more text?",
    "paper-bert-base": "The paper's BERT, base?",
    "paper-bert-large": "The paper's BERT, large?",
    "paper-gpt-base": "The paper's GPT, base?",
    "paper-gpt-large": "The paper's GPT, large?",
    "paper-elmo-base": "The paper's ELMo, base?",
    "paper-elmo-large": "The paper's ELMo, large?",
    "single-bert-small": "How good is one small tower?",
    "single-bert-medium": "One tower of medium size?",
    "single-bert-base": "One tower, BERT's base size?",
    "single-bert-large": "One tower, BERT's large size?",
}
"""What each preset is for. `quickstart-gpt` and `standard-gpt` are other names of `quickstart` and `standard`."""


def preset(name: str, protocol: str | None = None, settings: Mapping[str, Any] | None = None) -> RunConfig:
    """The preset called `name`, under the protocol `paper` if asked for, with settings of your own.

        preset("quickstart", settings={"prepare.corpus": "my/texts", "train.tokens": "4M", "seed": 3})

    Raises `InputError` for an unknown name.
    """
    if name not in PRESETS:
        raise InputError(f"preset: {name!r} is unknown{did_you_mean(name, PRESETS)}; `twotower presets` lists them")
    if protocol not in (None, "own", "paper"):
        raise InputError(f"protocol: {protocol!r} is unknown; known protocols: own, paper")
    config = replace(PRESETS[name], preset=name)
    config = paper_protocol(config) if protocol == "paper" else config
    return with_settings(config, settings, "settings") if settings else config
