"""`twotower plan`: what a run would take."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from ..config.presets import preset
from ..config.schema import RunConfig
from ..config.validation import validate
from ..modeling import plan as plans
from ..studies.estimates import rate_here
from ..system.durations import duration
from .options import Command, preset_of, read
from .output import SUCCESS, Output
from .presets import source_of

COMMON = ("settings", "machine", "runs", "output", "config.preset", "config.protocol", "config.model",
          "config.train.tokens", "config.train.batch", "config.prepare.vocabulary")  # fmt: skip
"""The options that people use."""


@dataclass(frozen=True)
class PlanArguments:
    """What `plan` takes."""

    config: Annotated[RunConfig, tyro.conf.arg(name="")] = field(default_factory=lambda: preset("quickstart"))
    machine: Annotated[plans.Machine, tyro.conf.arg(name="")] = field(default_factory=plans.Machine)
    settings: Annotated[Path | None, tyro.conf.arg(name="config", metavar="FILE.yaml")] = None
    """A YAML file of settings, such as the config.yaml of a run."""
    runs: Path = Path("runs")
    """A folder of runs. The time here follows the latest one that this machine made; without one, a timed matrix
    product."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def plan(command: Command, words: list[str]) -> int:
    """Print the plan of a preset, which may stand first, without a flag."""
    if words and not words[0].startswith("-"):
        words = ["--preset", *words]
    parsed = read(command, words, PlanArguments(preset_of(words)))
    validate(parsed.config)
    costs = plans.make_plan(parsed.config, parsed.machine)
    rate = rate_here(parsed.runs)
    seconds = rate.seconds(parsed.config)
    here = f"about {duration(seconds)} here with one thread, without statistics ({source_of(rate)})"
    parsed.output.result(asdict(costs) | {"seconds_here": round(seconds)}, f"{costs.name}: {here}", plans.show(costs))
    return SUCCESS
