"""The controls of a run: the same settings but for one, and what they say beside the run itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from ..config import RunConfig
from ..modeling.model import TowersModel
from ..modeling.sizes import towers_config

MEANING = {
    "run": "the run itself",
    "strangers": "the same towers on the same batches, each on its own loss: no cooperation",
    "shuffled": "words shuffled within documents: no syntax left",
    "unigram": "words dealt out over all documents: frequencies alone",
    "single": "one tower with as many parameters as all towers together",
    "forwards": "towers that read in one direction only",
}


def control_configs(config: RunConfig) -> dict[str, RunConfig]:
    """The settings of each control of a run, by name; `forwards` only where towers read in two directions."""
    found = {
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
        with torch.device("meta"):
            model = TowersModel(towers_config(candidate, vocabulary=8))
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
    wanted = parameters(config)
    low = high = config.model.width
    while parameters(single(high)) < wanted:
        low, high = high, 2 * high
    while high - low > step:
        middle = low + (high - low) // 2 // step * step
        low, high = (middle, high) if parameters(single(middle)) < wanted else (low, middle)
    return min(single(low), single(high), key=lambda candidate: abs(parameters(candidate) - wanted))


def compare(results: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per run of `results` (by name, `run` first): the figures of its `results.json` that controls are for."""
    return [
        {
            "name": name,
            "meaning": MEANING[name],
            "parameters": one["model"]["parameters"],
            "perplexity": one["training"]["heldout_perplexity"],
            "sd": one["preference"]["sd"],
            "noise_sd": one["preference"]["noise_sd"],
            "reliability": one["reliability"],
            "separation": one["separation"],
        }
        for name, one in results.items()
    ]


def conclusions(rows: list[dict[str, Any]]) -> list[str]:
    """What the controls say, in plain language, each sentence with its figures."""
    by_name = {row["name"]: row for row in rows}
    run = by_name["run"]
    said = []
    for name in ("strangers", "shuffled", "unigram", "forwards"):
        if name in by_name:
            said.append(_against(run, by_name[name]))
    if "single" in by_name:
        said.append(_single(run, by_name["single"]))
    return said


def _against(run: dict[str, Any], control: dict[str, Any]) -> str:
    mine, other = run["separation"], control["separation"]
    head = f"{control['name'].capitalize()} ({control['meaning']}): "
    if None in (mine["auroc"], other["auroc"], mine["low"], other["high"]):
        return head + "separation cannot be compared: too little text, or no type of one of the classes."
    text = (
        f"{head}separation {_interval(other, 'auroc')} against {_interval(mine, 'auroc')}, reliability "
        f"{_interval(control['reliability'])} against {_interval(run['reliability'])}, sd {control['sd']:.2f} against "
        f"{run['sd']:.2f} nats"
    )
    if mine["low"] > other["high"]:
        return text + ": the run separates function from content words further than this control."
    return text + ": the run does not clearly separate function from content words further than this control."


def _single(run: dict[str, Any], control: dict[str, Any]) -> str:
    pair, alone = run["perplexity"], control["perplexity"]
    each = ", ".join(f"{value:.0f}" for value in pair["towers"])
    return (
        f"Single ({control['meaning']}: {control['parameters']:,} against {run['parameters']:,}): perplexity "
        f"{alone['joint']:.0f} against {pair['joint']:.0f} for all towers together, and {alone['towers'][0]:.0f} under "
        f"a readout against {each} for each of them alone."
    )


def _interval(values: dict[str, Any], key: str = "estimate") -> str:
    if values[key] is None:
        return "not available"
    if values["low"] is None:
        return f"{values[key]:.2f}"
    return f"{values[key]:.2f} [{values['low']:.2f}, {values['high']:.2f}]"
