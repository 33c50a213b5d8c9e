"""The controls of a run: the same settings except one, with their figures beside its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from ..config.schema import OBJECTIVES, RunConfig
from ..modeling.model import TowersModel
from ..modeling.sizes import towers_config
from ..preference.analysis import analyze_measured
from ..preference.measured import Measured
from ..runs.finished import RunFolder
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


def against_half(run: RunFolder, half: RunFolder) -> dict[str, Any]:
    """The figures of a run's first tower against the same tower half-way through training, as if they were two towers.

    The division of two stages of one tower is no division of labour: what a pair shows must exceed it, or be another.
    Each stage has its own readouts, trained alike. Raises `InputError` if the two did not score the same text.
    """
    mine, other = run.scores(), half.scores()
    sets = [name.removesuffix("_1") for name in mine.columns if name.endswith("_1")]
    if not mine[["document", "piece_id"]].equals(other[["document", "piece_id"]]):
        raise InputError(f"{half.path}: has not scored the text of {run.path}; redo it with --overwrite")
    both = mine.assign(**{f"{name}_2": other[f"{name}_1"] for name in sets})
    results = run.results()
    _, figures = analyze_measured(replace(Measured.of(run.config, run.path), scores=both, towers=2))
    training = {**results["training"], "heldout_perplexity": figures.pop("perplexity")}
    return {**results, **figures, "training": training}


def compare(results: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per run of `results` (by name, `run` first): the figures of its `results.json` that controls are for.

    `reliability` has nulls and `explained` (by word class) is None where they could not be had.
    """
    return [
        {
            "name": name,
            "meaning": MEANING[name],
            "parameters": one["model"]["parameters"],
            "perplexity": one["training"]["heldout_perplexity"],
            "sd": one["preference"]["sd"],
            "tagger": one["corpus"]["tagger"],
            "reliability": one["reliability"],
            "explained": ((one["word_classes"] or {}).get("upos") or {}).get("explained"),
        }
        for name, one in results.items()
    ]
