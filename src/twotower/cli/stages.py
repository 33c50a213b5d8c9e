"""`twotower run`, and each of its stages as a command."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from ..config.conversion import plain
from ..config.presets import preset
from ..config.schema import RunConfig
from ..runs.records import load_config
from ..runs.stages import MAIN, STAGES
from ..system.errors import InputError
from ..system.processes import launched, leads
from .options import Command, peek, preset_of, read
from .output import SUCCESS, Output, finding_in, show

COMMON = ("settings", "out", "strangers", "controls", "overwrite", "output", "config.preset", "config.seed",
          "config.threads", "config.prepare.corpus", "config.model.family", "config.train.tokens",
          "config.train.minutes")  # fmt: skip
"""The dozen options that people use."""


@dataclass(frozen=True)
class Arguments:
    """What `run` and the stages take."""

    config: Annotated[RunConfig, tyro.conf.arg(name="")] = field(default_factory=lambda: preset("quickstart"))
    settings: Annotated[Path | None, tyro.conf.arg(name="config", metavar="FILE.yaml")] = None
    """A YAML file of settings, such as the config.yaml of another run. It wins over the preset, and options on the
    command line win over it."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """The run folder (default: runs/PRESET-CORPUS-seedN). In an existing folder, its own settings are the defaults."""
    controls: tyro.conf.FlagCreatePairsOff[bool] = False
    """For `run`: also run the controls (strangers, shuffled and unigram text, planted divisions, idle towers, a single
    tower of equal parameters, and for elmo one direction only) and compare them in controls.html. Each takes about as
    long as the run."""
    strangers: bool = True
    """For `run`: also run the strangers, the same towers on the same batches without cooperation, and report the two
    together. Only then can a run say that its towers divide the work. The quickstarts do; they are made side by side
    where there are two cores."""
    overwrite: tyro.conf.FlagCreatePairsOff[bool] = False
    """Redo stages that were made with other settings, or whose files are damaged, and what depends on them."""
    dry: tyro.conf.FlagCreatePairsOff[bool] = False
    """For `prepare`: say what would be read, and leave nothing behind."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def common_of(stage: str) -> tuple[str, ...]:
    """The options of a stage that `--help` shows: those of its own section, and how it is run."""
    dry = ("dry",) if stage == "prepare" else ()
    return ("settings", "out", *dry, "overwrite", "output", "config.preset", "config.seed", "config.threads",
            *(f"config.{name}" for name in STAGES[stage].settings if hasattr(RunConfig(), name)))  # fmt: skip


def run_stages(command: Command, words: list[str]) -> int:
    """Run all stages, or the one that the command is named after."""
    parsed = parse(command, words)
    if parsed.controls and command.name != "run":
        raise InputError(f"--controls belongs to `twotower run`, not to `twotower {command.name}`")
    if parsed.controls and (parsed.config.model.towers == 1 or parsed.config.model.cooperation < 1):
        raise InputError(
            "--controls: only cooperating towers have controls; give two or more, and --model.cooperation 1"
        )
    if parsed.controls and launched() > 1:
        raise InputError(
            "--controls: controls do not run under a launcher; run `twotower run` there, then add them alone"
        )
    from ..pipeline import default_folder, inventory, run, run_with_strangers

    if parsed.dry:
        if command.name != "prepare":
            raise InputError(f"--dry belongs to `twotower prepare`, not to `twotower {command.name}`")
        tell = parsed.output.say if parsed.output.json else show
        with parsed.output.progress():
            preview = inventory(parsed.config, tell)
        if parsed.output.json:
            parsed.output.result(plain(preview) | {"warnings": preview.warnings()})
        return SUCCESS
    out, output = parsed.out or default_folder(parsed.config), parsed.output
    stages = MAIN if command.name == "run" else (command.name,)
    data: dict[str, Any] = {"run": str(out), "stages": stages}
    text, last = [], f"{command.name}: {out}"
    with output.progress():
        if _with_strangers(command, parsed):
            finished = run_with_strangers(parsed.config, out, parsed.overwrite, say=output.say)
            data["strangers"] = str(out / "strangers")
        else:
            finished = run(parsed.config, out, stages, parsed.overwrite, say=output.say)
        if not leads():  # the first process says what came of it
            return SUCCESS
        if command.name in ("run", "analyze", "report"):
            finding, summary = finding_in(finished)
            data |= finding
            text.append(summary)
        if command.name in ("run", "report"):
            data["report"] = str(out / "report.html")
            last = f"report: {out / 'report.html'}"
        if parsed.controls:
            data |= _controls(parsed, out)
            text += ["", last, "", *(f"- {sentence}" for sentence in data["conclusions"])]
            last = f"controls: {data['controls']}"
    output.result(data, last, "\n".join([*text, ""]) if text else "")
    return SUCCESS


def _with_strangers(command: Command, parsed: Arguments) -> bool:
    """Strangers are asked for, and these towers have some; several processes of a launcher make one run alone."""
    model = parsed.config.model
    return (
        command.name == "run" and parsed.strangers and model.towers > 1 and model.cooperation == 1 and launched() == 1
    )


def _controls(parsed: Arguments, out: Path) -> dict[str, Any]:
    from ..pipeline import run_controls
    from ..report.controls import conclusions

    rows = run_controls(parsed.config, out, parsed.overwrite, say=parsed.output.say)
    return {"conclusions": conclusions(rows), "controls": str(out / "controls.html")}


def parse(command: Command, words: list[str]) -> Arguments:
    """Arguments over the defaults of the preset and of the file of settings.

    Where neither is named and the run folder exists, its own settings are the defaults.
    """
    if peek(words, "--tokens", "--train.tokens") and peek(words, "--minutes", "--train.minutes"):
        raise InputError("--tokens and --minutes exclude each other; give one of them")
    folder = peek(words, "--out")
    named = peek(words, "--preset") or peek(words, "--protocol") or peek(words, "--config")
    if not named and folder and (Path(folder) / "config.yaml").is_file():
        return read(command, words, _arguments(load_config(Path(folder))))
    return read(command, words, _arguments(preset_of(words)))


def _arguments(config: RunConfig) -> Arguments:
    return Arguments(config=config, strangers=config.preset.startswith("quickstart"))
