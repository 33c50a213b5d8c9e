"""`twotower diff`: any two language models, or more, compared on a text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import tyro

from ..config.schema import RunConfig
from ..config.settings import flat_settings, read_settings, with_settings
from ..runs.records import load_config
from ..runs.stages import DIFF
from ..system.errors import InputError
from ..system.processes import leads
from .options import Command, peek, read
from .output import SUCCESS, Output, finding_in

COMMON = ("settings", "out", "overwrite", "output", "config.seed", "config.threads", "config.diff",
          "config.prepare.corpus", "config.prepare.section_words", "config.prepare.tagger",
          "config.prepare.heldout_words", "config.analyze")  # fmt: skip
"""The options of a comparison: those of towers do not belong to it."""


@dataclass(frozen=True)
class DiffArguments:
    """What `diff` takes, after the models."""

    config: Annotated[RunConfig, tyro.conf.arg(name="")] = field(default_factory=lambda: RunConfig(preset="diff"))
    settings: Annotated[Path | None, tyro.conf.arg(name="config", metavar="FILE.yaml")] = None
    """A YAML file of settings, such as the config.yaml of another comparison. Options on the command line win over
    it."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """The run folder (default: runs/diff-MODELS-CORPUS). In an existing folder, its own settings are the defaults."""
    overwrite: tyro.conf.FlagCreatePairsOff[bool] = False
    """Redo stages that were made with other settings, or whose files are damaged, and what depends on them."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def diff(command: Command, words: list[str]) -> int:
    """Score the text under all models, and say which words each of them predicts better."""
    parsed = parse(command, words)
    from ..pipeline import default_folder, run

    out, output = parsed.out or default_folder(parsed.config), parsed.output
    with output.progress():
        finished = run(parsed.config, out, tuple(DIFF), parsed.overwrite, say=output.say)
    if not leads():  # the first process says what came of it
        return SUCCESS
    finding, summary = finding_in(finished)
    page = str(out / "report.html")
    output.result({"run": str(out), "stages": list(DIFF), **finding, "report": page}, f"report: {page}", f"{summary}\n")
    return SUCCESS


def parse(command: Command, words: list[str]) -> DiffArguments:
    """Models come first, without a flag; without any, those of the run folder that is named."""
    first = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    models, rest = words[:first], words[first:]
    folder, path = peek(rest, "--out"), peek(rest, "--config")
    if path:
        settings = flat_settings(read_settings(Path(path)), path)
        base = with_settings(RunConfig(preset="diff"), settings, path)
    elif folder and (Path(folder) / "config.yaml").is_file():
        base = load_config(Path(folder))
    else:
        base = RunConfig(preset="diff")
    if models:
        base = replace(base, diff=replace(base.diff, models=tuple(models)))
    if models and not path and not peek(rest, "--corpus", "--prepare.corpus"):
        from ..pipeline import with_text_of_scores

        base = with_text_of_scores(base)
    parsed = read(command, rest, DiffArguments(base))
    if len(parsed.config.diff.models) < 2:
        raise InputError("diff: give two models or more first: twotower diff A B --corpus TEXT")
    return parsed
