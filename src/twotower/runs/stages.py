"""The stages of a run: what each reads, what it writes, and on which settings that depends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..config.instruments import (
    INSTRUMENTS as INSTRUMENTS,  # some stages are instruments; those who ask import both here
)
from ..config.instruments import Instrument
from ..config.schema import RunConfig
from ..config.settings import by_name


@dataclass(frozen=True)
class Stage:
    """A step from files of the run folder to other files of it."""

    name: str
    settings: tuple[str, ...]
    """The keys of the configuration that change what the stage writes, dotted where only a part of a section does."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    format: int = 4
    """Version of what the stage writes; one recorded under another version is redone."""
    reads: tuple[str, ...] = ()
    """Settings that it reads, but that do not change what it writes: they are not recorded."""
    optional: tuple[str, ...] = ()
    """What it also reads where that has been made, and is up to date."""

    def command(self, run: Path) -> str:
        """What makes it, as typed."""
        if self.name in INSTRUMENTS:
            return f"twotower know {run} --only {self.name}"
        return f"twotower {self.name} --out {run}"


def _stage_of(instrument: Instrument) -> Stage:
    """The stage that asks an instrument; it writes a folder of its own below `knowledge`."""
    return Stage(
        instrument.name, ("seed", "threads", *instrument.settings), ("data", "tokenizer.json", "model"),
        (f"knowledge/{instrument.name}",), instrument.format,
        optional=tuple(f"knowledge/{name}" for name in instrument.reads),
    )  # fmt: skip


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("prepare", ("prepare",), (), ("data", "tokenizer.json"), format=7, reads=("threads", "train.window")),
        Stage("rewrite", ("prepare",), ("data", "tokenizer.json"), ("texts",), reads=("threads",)),
        Stage("train", ("seed", "threads", "model", "train"), ("data", "tokenizer.json"),
              ("trunk", "training.json", "metrics.jsonl", "emergence.parquet"), format=7, optional=("texts",)),
        Stage("readout", ("seed", "threads", "readout", "train.masked", "train.micro_batch", "train.clip",
                          "score.passes"),
              ("data", "tokenizer.json", "trunk"),
              ("model", "readout.json"), format=10),
        Stage("score", ("threads", "score"), ("data", "model"),
              ("scores.parquet", "context.parquet", "direction.parquet"), format=9),
        *map(_stage_of, INSTRUMENTS.values()),
        Stage("strangers", ("seed", "threads", "prepare", "model", "train", "readout", "score", "analyze"),
              ("data", "tokenizer.json"), ("strangers.json",), format=6),
        Stage("planted", ("seed", "threads", "prepare", "model", "train", "readout", "score", "analyze"),
              ("data", "tokenizer.json", "training.json", "readout.json", "scores.parquet", "strangers.json"),
              ("planted.json",), format=7),
        Stage("analyze", ("seed", "threads", "analyze", "model.family", "model.towers", "model.cooperation",
                          "model.planted", "model.dial", "model.width", "model.layers"),
              ("data", "training.json", "metrics.jsonl", "emergence.parquet", "readout.json", "scores.parquet",
               "context.parquet", "direction.parquet"),
              ("preference.parquet", "results.json"), format=22,
              optional=("strangers.json", "planted.json", *(f"knowledge/{name}" for name in INSTRUMENTS))),
        Stage("report", ("analyze.min_count", "analyze.confidence", "model.towers"),
              ("data", "training.json", "metrics.jsonl", "scores.parquet", "preference.parquet", "results.json"),
              ("report.html", "figures"), format=13),
    )
}  # fmt: skip
"""The stages of towers, in the order in which they run."""
DIFF: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("prepare", ("prepare.corpus", "prepare.documents", "prepare.section_words", "prepare.encoding",
                          "prepare.heldout_words", "prepare.language", "prepare.tagger"),
              (), ("data",), reads=("threads",), format=1),
        Stage("score", ("threads", "diff"), ("data",), ("scores.parquet", "vocabulary.parquet", "scorers.json"),
              format=1),
        Stage("analyze", ("seed", "threads", "analyze", "diff.models", "diff.control"),
              ("data", "scores.parquet", "vocabulary.parquet", "scorers.json"),
              ("preference.parquet", "results.json"), format=4),
        Stage("report", ("analyze.min_count", "analyze.confidence", "diff.models"),
              ("data", "scores.parquet", "preference.parquet", "results.json"), ("report.html", "figures"), format=3),
    )
}  # fmt: skip
"""The stages of a comparison of language models, which trains nothing. A stage has the name of the one of towers that
writes the same artifacts."""
CONTROLS = ("strangers", "planted", "rewrite")
"""The stages that only controls need: runs of their own, and the texts that towers planted by text read."""
MAIN = tuple(name for name in STAGES if name not in INSTRUMENTS and name not in CONTROLS)
"""The stages of `twotower run`."""
OPERATIONAL = frozenset({"train.checkpoint_seconds", "train.shard", "diff.batch", "diff.device"})
"""Settings that do not change any artifact."""


def stages_of(config: RunConfig) -> dict[str, Stage]:
    """The stages of this kind of run, by name, in the order in which they run."""
    return DIFF if config.diff.models else STAGES


def main_of(config: RunConfig) -> tuple[str, ...]:
    """The stages that bring this kind of run to its report."""
    return tuple(name for name in stages_of(config) if name in MAIN)


def declares(stage: Stage, name: str) -> bool:
    """Whether a stage may read the setting of this dotted name."""
    return _among(name, (*stage.settings, *stage.reads))


def _among(name: str, keys: tuple[str, ...]) -> bool:
    return any(name == key or name.startswith(key + ".") for key in keys)


def stage_settings(config: RunConfig, stage: Stage) -> dict[str, Any]:
    """The settings that a stage's outputs depend on, flat, by dotted name."""
    return dict(_settings(config, stage))


@lru_cache(maxsize=4 * len(STAGES))  # checking one artifact asks dozens of times about one configuration
def _settings(config: RunConfig, stage: Stage) -> dict[str, Any]:
    return {
        name: value for name, value in by_name(config).items()
        if name not in OPERATIONAL and _among(name, stage.settings)
    }  # fmt: skip


def defaults_of(stage: Stage) -> dict[str, Any]:
    """What a record older than a setting stands for: the default, which changes nothing (else `format` goes up)."""
    return stage_settings(RunConfig(), stage)


def producer_of(artifact: str, stages: Mapping[str, Stage] = STAGES) -> Stage:
    """The one of the stages (by default those of towers) that writes an artifact."""
    return next(stage for stage in stages.values() if artifact in stage.outputs)
