"""`twotower plan`: what a run would take."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Annotated

import tyro

from .. import plan as plans
from ..config import RunConfig
from ..validation import validate
from .options import Command, preset_of, read
from .output import SUCCESS


@dataclass(frozen=True)
class PlanArguments:
    """What `plan` takes."""

    config: Annotated[RunConfig, tyro.conf.arg(name="")]
    machine: Annotated[plans.Machine, tyro.conf.arg(name="")] = field(default_factory=plans.Machine)
    json: bool = False
    """Print numbers as JSON."""


def plan(command: Command, words: list[str]) -> int:
    """Print the plan of a preset, which may stand first, without a flag."""
    if words and not words[0].startswith("-"):
        words = ["--preset", *words]
    parsed = read(command, words, PlanArguments(preset_of(words)))
    validate(parsed.config)
    made = plans.make_plan(parsed.config, parsed.machine)
    print(json.dumps(asdict(made), indent=2) if parsed.json else plans.show(made))
    return SUCCESS
