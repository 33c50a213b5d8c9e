"""The controls of a run: the same settings except one, with their figures beside its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from ..config.schema import OBJECTIVES, RunConfig
from ..modeling.model import TowersModel
from ..modeling.sizes import towers_config
from ..preference.class_variance import Explained
from ..preference.measured import Measured
from ..preference.types import Perplexity, perplexity
from ..results.analysis import analyze_measured
from ..results.results import Results, read_results
from ..runs.finished import RunFolder
from ..statistics.intervals import Estimate
from ..system.errors import InputError

HALF = "half-trained"
MEANING = {
    "run": "the run itself",
    HALF: "the first tower against itself half-way through training",
    "strangers": "the same towers on the same batches, each on its own loss: no cooperation",
    "shuffled": "words shuffled within documents: no syntax left",
    "unigram": "words dealt out over all documents: frequencies alone",
    "single": "one tower with as many parameters as all towers together",
    "forwards": "towers that read in one direction only",
}


def control_configs(config: RunConfig) -> dict[str, RunConfig]:
    """The settings of each control of a run, by name; `forwards` only where towers read in two directions."""
    found = {
        HALF: replace(config, train=replace(config.train, stop_after=config.train.stop_after / 2)),
        "strangers": replace(config, model=replace(config.model, cooperation=0.0)),
        "shuffled": replace(config, prepare=replace(config.prepare, words="shuffled")),
        "unigram": replace(config, prepare=replace(config.prepare, words="unigram")),
        "single": equal_single(config),
    }
    if config.model.family == "elmo" and config.model.elmo_backward == "on":
        found["forwards"] = replace(config, model=replace(config.model, elmo_backward="off"))
    return found


def equal_single(config: RunConfig) -> RunConfig:
    """The same settings for one tower, so wide that the model has as many parameters as that of `config`.

    The width is the multiple of the heads that comes nearest; the feed-forward layer and the LSTMs grow with it, the
    shared embedding stays.
    """

    def parameters(candidate: RunConfig) -> int:
        towers = towers_config(candidate, vocabulary=8)  # tries out backbones: not on the device that holds nothing
        with torch.device("meta"):
            model = TowersModel(towers)
        return sum(parameter.numel() for parameter in model.parameters())

    def single(width: int) -> RunConfig:
        model = config.model
        factor = width / model.width
        return replace(
            config,
            model=replace(
                model,
                towers=1,
                cooperation=1.0,
                width=width,
                embedding=model.embedding or model.width,
                feedforward=round(model.feedforward * factor),
                lstm_hidden=round(model.lstm_hidden * factor),
            ),
        )

    step = 1 if config.model.family == "elmo" else config.model.heads
    if config.model.family not in OBJECTIVES:
        step *= 2  # rotary positions turn pairs of features
    wanted = parameters(config)
    low = high = config.model.width
    while parameters(single(high)) < wanted:
        low, high = high, 2 * high
    while high - low > step:
        middle = low + (high - low) // 2 // step * step
        low, high = (middle, high) if parameters(single(middle)) < wanted else (low, middle)
    return min(single(low), single(high), key=lambda candidate: abs(parameters(candidate) - wanted))


def against_half(run: RunFolder, half: RunFolder) -> Results:
    """The figures of a run's first tower against the same tower half-way through training, as if they were two towers.

    The division of two stages of one tower is no division of labour: what a pair shows must exceed it, or be another.
    Each stage has its own readouts, trained alike. Raises `InputError` if the two did not score the same text.
    """
    mine, other = run.scores(), half.scores()
    sets = [name.removesuffix("_1") for name in mine.columns if name.endswith("_1")]
    if not mine[["document", "piece_id"]].equals(other[["document", "piece_id"]]):
        raise InputError(f"{half.path}: has not scored the text of {run.path}; redo it with --overwrite")
    both = mine.assign(**{f"{name}_2": other[f"{name}_1"] for name in sets})
    results, measured = read_results(run), replace(Measured.of(run.config, run.path), scores=both, towers=2)
    training = replace(results.training, heldout_perplexity=perplexity(measured))
    return replace(results, **analyze_measured(measured)[1], training=training)


@dataclass(frozen=True)
class Control:
    """A run, or one of its controls: the figures that controls are for; a row of `controls.json`."""

    name: str
    meaning: str
    """What it is."""
    parameters: int
    perplexity: Perplexity
    sd: float | None
    """Standard deviation of the preferences of types, in nats; None for a single tower."""
    tagger: str
    reliability: Estimate
    explained: Explained | None
    """By word class; None where it could not be had."""


def compare(results: Mapping[str, Results]) -> list[Control]:
    """One row per run of `results` (by name, `run` first)."""
    return [
        Control(
            name, MEANING[name], of.model.parameters, of.training.heldout_perplexity, of.preference.sd,
            of.corpus.tagger, of.reliability,
            explained=of.word_classes.upos.explained if of.word_classes and of.word_classes.upos else None,
        )
        for name, of in results.items()
    ]  # fmt: skip
