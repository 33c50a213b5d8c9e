"""`twotower presets`: which preset answers which question, and how long it takes here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from ..config.presets import PRESETS, QUESTIONS
from ..config.schema import RunConfig
from ..data.corpus_names import short_name
from ..studies.estimates import Rate, rate_here
from ..system.durations import duration
from .options import Command, read
from .output import SUCCESS, Output
from .table import aligned

HEADINGS = ("preset", "question", "towers", "text", "time")


@dataclass(frozen=True)
class PresetsArguments:
    """What `presets` takes."""

    runs: Path = Path("runs")
    """A folder of runs. Times follow the latest one that this machine made; without one, a timed matrix product."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def presets(command: Command, words: list[str]) -> int:
    """Print a line for each preset."""
    parsed = read(command, words, PresetsArguments())
    rate = rate_here(parsed.runs)
    rows = [preset_row(name, rate) for name in QUESTIONS]
    lines = [HEADINGS, *((row["preset"], row["question"], row["towers"], row["text"], row["time"]) for row in rows)]
    notes = [
        "",
        "time: of one run with one thread here, without statistics; at most, as readouts may stop sooner",
    ]
    parsed.output.result({"presets": rows}, f"estimates: {source_of(rate)}", "\n".join([*aligned(lines), *notes]))
    return SUCCESS


def preset_row(name: str, rate: Rate) -> dict[str, Any]:
    """What the table says of a preset, and the estimate in seconds."""
    config = PRESETS[name]
    seconds = rate.seconds(config)
    return {
        "preset": name, "question": QUESTIONS[name], "towers": towers_of(config), "text": text_of(config),
        "time": duration(seconds), "seconds": round(seconds),
    }  # fmt: skip


def towers_of(config: RunConfig) -> str:
    """Number, family and size: `2 gpt, 4 × 32` for four layers of width 32."""
    model = config.model
    return f"{model.towers} {model.family}, {model.layers} × {model.lstm_hidden or model.width}"


def text_of(config: RunConfig) -> str:
    """Tokens of the joint phase, and the corpus, of a mixture its first part."""
    tokens = config.train.tokens
    count = f"{tokens / 1e9:.1f} G" if tokens >= 1e9 else f"{tokens / 1e6:g} M"
    first, mixed, _ = short_name(config.prepare.corpus).partition("+")
    return f"{count} {first}{'+…' * bool(mixed)}"


def source_of(rate: Rate) -> str:
    """What estimates rest on."""
    return f"learnt from {rate.source}" if rate.source else "from a timed matrix product, until a run is made here"
