"""`twotower run`, and each of its stages as a command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ..config import RunConfig
from ..errors import InputError
from ..runs.records import load_config
from ..runs.stages import MAIN
from .options import Command, peek, preset_of, read
from .output import SUCCESS, say, show


@dataclass(frozen=True)
class Arguments:
    """What `run` and the stages take."""

    config: Annotated[RunConfig, tyro.conf.arg(name="")]
    out: Path | None = None
    """The run folder (default: runs/PRESET-CORPUS-seedN). In an existing folder, its own settings are the defaults."""
    controls: bool = False
    """For `run`: also run the controls (strangers, shuffled and unigram text, a single tower of equal parameters, and
    for elmo one direction only) and set them beside the run in controls.html. Takes as long as so many more runs."""
    overwrite: bool = False
    """Redo stages that were made with other settings, or whose files are damaged, and what depends on them."""


def run_stages(command: Command, words: list[str]) -> int:
    """Run all stages, or the one that the command is named after."""
    parsed = parse(command, words)
    if parsed.controls and command.name != "run":
        raise InputError(f"--controls belongs to `twotower run`, not to `twotower {command.name}`")
    if parsed.controls and (parsed.config.model.towers == 1 or parsed.config.model.cooperation < 1):
        raise InputError(
            "--controls: only cooperating towers have controls; give two or more, and --model.cooperation 1"
        )
    from ..pipeline import default_folder, run

    out = parsed.out or default_folder(parsed.config)
    stages = MAIN if command.name == "run" else (command.name,)
    finished = run(parsed.config, out, stages, parsed.overwrite, say=say)
    if command.name in ("run", "analyze", "report"):
        from ..report.summary import summarize

        show(summarize(finished.results()))
    if command.name in ("run", "report"):
        show(f"\nreport: {out / 'report.html'}")
    if parsed.controls:
        _controls(parsed, out)
    return SUCCESS


def _controls(parsed: Arguments, out: Path) -> None:
    from ..pipeline import run_controls
    from ..report.controls import conclusions

    rows = run_controls(parsed.config, out, parsed.overwrite, say=say)
    show("\n".join(["", *(f"- {sentence}" for sentence in conclusions(rows))]))
    show(f"\ncontrols: {out / 'controls.html'}")


def parse(command: Command, words: list[str]) -> Arguments:
    """Arguments over the defaults of the preset, or of the run folder where it exists and no preset is named."""
    if peek(words, "--tokens") and peek(words, "--minutes"):
        raise InputError("--tokens and --minutes exclude each other; give one of them")
    folder = peek(words, "--out")
    named = peek(words, "--preset") or peek(words, "--protocol")
    if not named and folder and (Path(folder) / "config.yaml").is_file():
        return read(command, words, Arguments(config=load_config(Path(folder))))
    return read(command, words, Arguments(config=preset_of(words)))
