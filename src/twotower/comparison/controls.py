"""The controls of a run: the same settings except one, with their figures beside its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from ..config.schema import OBJECTIVES, RunConfig
from ..data.tagging import NONE
from ..modeling.model import TowersModel
from ..modeling.sizes import towers_config
from ..preference.division import CLASS, Division, LabelDivision, row_of, with_strangers
from ..preference.measured import Measured
from ..preference.types import Perplexity, perplexity
from ..results.analysis import analyze_measured
from ..results.results import Results, read_results
from ..runs.finished import RunFolder
from ..statistics.gains import Surplus
from ..statistics.intervals import Estimate
from ..statistics.verdicts import Verdict
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
    "planted-classes": "each tower trained on its own half of the word classes alone",
    "planted-texts": "one tower trained on text that keeps syntax alone, the other on text that keeps topics alone",
    "planted-reach": "one tower sees the last tokens, the other what is further back",
    "idle-zero": "the second tower gives nothing",
    "idle-copy": "the second tower gives what the first one gives",
    "idle-frozen": "the second tower stays as it was before training",
}
OTHER_TOWERS = ("shuffled", "unigram", "forwards")
"""Controls of another text or model: the run's strangers are not theirs, and so it stays undecided what they divide."""
SCALE = {"classes": "planted-classes", "texts": "planted-texts", "reach": "planted-reach"}
"""The planted divisions that are the 100 % of a scale, by their kind (`model.planted`)."""
OTHER_SEED = 1
"""Added to the seed of a pair that is planted by text, because tokens are compared with it one by one."""


def control_configs(config: RunConfig) -> dict[str, RunConfig]:
    """The settings of each control of a run, by name; `forwards` only where towers read in two directions."""
    configs = {
        HALF: replace(config, train=replace(config.train, stop_after=config.train.stop_after / 2)),
        "strangers": replace(config, model=replace(config.model, cooperation=0.0)),
        "shuffled": replace(config, prepare=replace(config.prepare, words="shuffled")),
        "unigram": replace(config, prepare=replace(config.prepare, words="unigram")),
        "single": equal_single(config),
    }
    if config.model.family == "elmo" and config.model.elmo_backward == "on":
        configs["forwards"] = replace(config, model=replace(config.model, elmo_backward="off"))
    return configs | planted_configs(config)


def planted_configs(config: RunConfig) -> dict[str, RunConfig]:
    """The settings of the controls in which a division is planted, or a tower idle, by name.

    `reach` only where towers can have one; classes and texts only where the text may be tagged.
    """
    if config.model.towers != 2:
        return {}

    def planted(**changed: Any) -> RunConfig:
        return replace(config, model=replace(config.model, dial=1.0, **changed))

    configs = {}
    if config.prepare.tagger != NONE:
        configs[SCALE["classes"]] = planted(planted="classes")
        configs[SCALE["texts"]] = replace(planted(planted="texts"), seed=config.seed + OTHER_SEED)
    if config.model.family == "gpt" and config.model.objective in ("auto", "causal"):
        reach = max(config.model.reach, config.model.layers + 1)
        if reach < config.train.window:
            configs[SCALE["reach"]] = planted(planted="reach", reach=reach)
    return configs | {f"idle-{idle}": planted(planted="idle", idle=idle) for idle in ("zero", "copy", "frozen")}


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


def _divides(division: Division | None, strangers: Division | None) -> Verdict | None:
    if division is None:
        return None
    return division.verdict if strangers is None else with_strangers(division, strangers).verdict


def against_half(run: RunFolder, half: RunFolder) -> Results:
    """The figures of a run's first tower against the same tower half-way through training, as if they were two towers.

    The division of two stages of one tower is no division of labour: what a pair shows must exceed it, or be another.
    Each stage has its own readouts, trained alike. Raises `InputError` if the two did not score the same text.
    """
    mine, other = run.scores(), half.scores()
    sets = [name.removesuffix("_1") for name in mine.columns if name.endswith("_1")]
    if not mine[["document", "piece_id"]].equals(other[["document", "piece_id"]]):
        raise InputError(f"{half.path}: has not scored the text of {run.path}; redo it with --overwrite")
    others = [name for name in mine.columns if not name.endswith(("_together", "_twice_1", "_twice_2"))]
    # Nobody reads both stages at once: columns of the towers together stay out.
    scores = mine[others].assign(**{f"{name}_2": other[f"{name}_1"] for name in sets})
    results, measured = read_results(run), replace(Measured.of(run.config, run.path), scores=scores, towers=2)
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
    tagger: str
    divides: Verdict | None
    """Whether the towers divide the work, compared with the strangers where these are known; None for one tower."""
    size: Estimate | None
    """D, how far the towers differ, in nats; None where it could not be measured."""
    surplus: Surplus | None
    """How much better all towers together are than the better one, in nats per token; None where nothing reads all."""
    of_class: LabelDivision | None
    """What word class holds of the difference beyond frequency; None where it could not be measured."""
    reliability: Estimate


def compare(results: Mapping[str, Results]) -> list[Control]:
    """One row per run of `results` (by name, `run` first)."""
    strangers = results["strangers"].division if "strangers" in results else None
    beside = {name: None if name in OTHER_TOWERS else strangers for name in results}
    return [
        Control(
            name, MEANING[name], run.model.parameters, run.training.heldout_perplexity, run.corpus.tagger,
            _divides(run.division, beside[name]), run.division.size if run.division else None,
            run.division.surplus if run.division else None,
            row_of(run.division.labels, *CLASS) if run.division else None, run.reliability,
        )
        for name, run in results.items()
    ]  # fmt: skip
