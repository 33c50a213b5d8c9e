"""Which runs a study is made of: a grid of presets, settings and seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import yaml

from ..config.presets import preset
from ..config.schema import RunConfig
from ..config.settings import flat_settings, from_yaml, with_settings
from ..config.validation import validate
from ..data.corpus_names import file_name
from ..system.errors import InputError


@dataclass(frozen=True)
class Grid:
    """Which runs a study is made of."""

    presets: tuple[str, ...] = ("quickstart",)
    """Presets to compare; NAME:0,1,2 gives one of them seeds of its own."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Seeds of each preset that has none of its own."""
    vary: tuple[str, ...] = ()
    """Settings to vary, each as KEY=VALUE,VALUE…: model.width=32,64. All combinations are run."""
    set: tuple[str, ...] = ()
    """Settings of all runs, each as KEY=VALUE: train.tokens=2000000."""
    strangers: bool = False
    """Also run strangers (model.cooperation=0) of every combination, as controls."""
    corpora: tuple[str, ...] = ()
    """Corpora to run each preset on, as --corpus takes them, each with settings of its own if it needs any:
    CORPUS[,KEY=VALUE…], such as novels,prepare.section_words=2500. Default: the preset's own."""


@dataclass(frozen=True)
class Job:
    """One run of a study."""

    name: str
    config: RunConfig
    group: str
    """Preset, corpus (if the grid names several) and varied settings: what is the same over seeds."""
    stranger: bool


def jobs(grid: Grid) -> list[Job]:
    """The runs of a grid, strangers last. Raises `InputError` for an unknown preset or key, or a bad setting."""
    fixed = [_setting(text) for text in grid.set]
    varied = [[(key, value) for value in values] for key, values in (_settings(text) for text in grid.vary)]
    if not grid.presets or not grid.seeds:
        raise InputError("study: a grid needs at least one preset and one seed")
    if grid.strangers and any(key.replace("-", "_") == "model.cooperation" for setting in varied for key, _ in setting):
        raise InputError(
            "study: strangers are towers of cooperation 0; give --vary model.cooperation=0,… or --strangers, not both"
        )
    planned = []
    texts = [_corpus(text) for text in grid.corpora] or [("", [])]
    if len({label for label, _ in texts}) < len(texts):
        raise InputError("study: two of --corpora have the same name; give folders or files with names of their own")
    for stranger in (False, True) if grid.strangers else (False,):
        for named, (label, own), combination in product(grid.presets, texts, list(product(*varied))):
            name, seeds = _own_seeds(named, grid.seeds)
            group = "-".join([name, *([label] if label else []), *(f"{key}={value}" for key, value in combination)])
            for seed in seeds:
                config = replace(preset(name), seed=seed)
                for key, value in [*fixed, *own, *combination]:
                    config = with_settings(config, {key: value}, "study")
                if stranger:
                    config = strangers_of(config)
                validate(config)
                title = f"{group}-seed{seed}" + ("-strangers" if stranger else "")
                planned.append(Job(title.replace("/", "_"), config, group, is_stranger(config)))
    if len({job.name for job in planned}) < len(planned):
        raise InputError("study: a preset, seed or value is named twice; name each once")
    return planned


def strangers_of(config: RunConfig) -> RunConfig:
    """The same run without cooperation, and without what was planted."""
    return replace(config, model=replace(config.model, cooperation=0.0, planted="none", dial=1.0))


def is_stranger(config: RunConfig) -> bool:
    """Whether a run is of towers that do not cooperate."""
    return config.model.cooperation == 0 and config.model.towers > 1


def _corpus(text: str) -> tuple[str, list[tuple[str, Any]]]:
    """A corpus' label for names of runs, and the settings that choose it, from CORPUS[,KEY=VALUE…]."""
    corpus, *settings = text.split(",")
    if not corpus:
        raise InputError(f"corpora: {text!r} is not of the form CORPUS[,KEY=VALUE], such as sotu or novels,seed=1")
    return file_name(corpus), [("prepare.corpus", corpus), *(_setting(setting) for setting in settings)]


def _own_seeds(text: str, seeds: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    """A preset's name and seeds, from NAME or NAME:0,1,2."""
    name, colon, own = text.partition(":")
    if not colon:
        return name, seeds
    try:
        return name, tuple(int(seed) for seed in own.split(","))
    except ValueError:
        raise InputError(f"presets: {text!r} is not of the form NAME:SEED,SEED, such as quickstart-bert:0,1") from None


def _settings(text: str) -> tuple[str, list[Any]]:
    key, equals, values = text.partition("=")
    if not equals or not key or not values:
        raise InputError(f"vary: {text!r} is not of the form KEY=VALUE,VALUE, such as model.width=32,64")
    return key, [_value("vary", key, value) for value in values.split(",")]


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise InputError(f"set: {text!r} is not of the form KEY=VALUE, such as train.tokens=2000000")
    return key, _value("set", key, value)


def _value(option: str, key: str, text: str) -> Any:
    try:
        return from_yaml(text)
    except yaml.YAMLError:
        raise InputError(
            f"{option}: {text!r} is no value that {key} can have; give a number, a word or, in quotes, a text"
        ) from None


def set_texts(settings: Mapping[str, Any], source: str) -> tuple[str, ...]:
    """Settings, nested or by dotted names, as `Grid.set` takes them. Raises `InputError` for one given twice."""
    return tuple(f"{name}={_text(value)}" for name, value in flat_settings(settings, source).items())


def vary_texts(settings: Mapping[str, Any], source: str) -> tuple[str, ...]:
    """Settings with the values they take, as `Grid.vary` takes them. Raises `InputError` for a value with a comma."""
    varied = []
    for name, values in flat_settings(settings, source).items():
        texts = [_text(value) for value in (values if isinstance(values, (list, tuple, range)) else [values])]
        if any("," in text for text in texts):
            raise InputError(
                f"{source}: {name}: values with a comma cannot be varied; use `corpora`, or rename the file"
            )
        varied.append(f"{name}={','.join(texts)}")
    return tuple(varied)


def _text(value: Any) -> str:
    """A value as YAML that reads as the same value."""
    plain = isinstance(value, str) and from_yaml(value) == value
    return str(value) if plain else json.dumps(list(value) if isinstance(value, (tuple, range)) else value)


def require_seeds(planned: Sequence[Job]) -> None:
    """Raise `InputError` if there is one seed only, and say what it cannot give."""
    if len({job.config.seed for job in planned}) == 1:
        raise InputError(
            f"study: one seed only ({planned[0].config.seed}); agreement between seeds, the class effect (seeds are "
            "its random effect), the excess over strangers and dose and response need several, because seeds differ "
            "more than settings do; give two or more --seeds, or use `twotower run` for one"
        )
