"""`twotower know` and `twotower lesion`: what each tower of a finished run knows."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from ..config.instruments import INSTRUMENTS
from ..config.schema import KnowConfig
from ..runs.records import load_config, read_records
from ..system.errors import InputError
from .helptext import RUN
from .options import Command, read
from .output import SUCCESS, Output, as_list


@dataclass(frozen=True)
class KnowArguments:
    """What `know` and `lesion` take."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")] = RUN
    """The run folder."""
    know: KnowConfig = field(default_factory=KnowConfig)
    only: Annotated[
        tuple[str, ...],
        tyro.conf.arg(
            help=f"The instruments to use: {', '.join(INSTRUMENTS)} (default: all that have what they need)."
        ),
    ] = ()
    controls: tyro.conf.FlagCreatePairsOff[bool] = False
    """Ask the run's strangers and the pair that was planted by texts the same (`--know.controls`), and say which
    instruments see what was planted."""
    overwrite: tyro.conf.FlagCreatePairsOff[bool] = False
    """Redo instruments that were used with other settings, or whose files are damaged."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


LESIONS = ("run", "overwrite", "output", "know.treebank", "know.pairs", "know.lesion_tokens", "know.lesion_pairs")
"""The options that belong to lesions."""


def know(command: Command, words: list[str]) -> int:
    """Use the instruments, one after the other; each that is done is kept."""
    return _ask(command, words, ())


def lesion(command: Command, words: list[str]) -> int:
    """Lesions alone, with the minimal pairs they are measured on where the run has any."""
    return _ask(command, words, ("lesions",))


def _ask(command: Command, words: list[str], only: tuple[str, ...]) -> int:
    if {"-h", "--help", "--help-all"} & set(words):
        read(command, words, KnowArguments())
    if not words or words[0].startswith("-"):
        raise InputError(f"{command.name}: give the folder of a finished run first: twotower {command.name} RUN …")
    config = load_config(Path(words[0]))
    parsed = read(command, words, KnowArguments(Path(words[0]), config.know))
    from ..asking import know as ask
    from ..report.instruments import what_is_known
    from ..results.results import read_results

    options = {word.partition("=")[0].replace("_", "-") for word in words}
    settings = {
        setting.name: getattr(parsed.know, setting.name) for setting in dataclasses.fields(KnowConfig)
        if any(f"--{place}{setting.name.replace('_', '-')}" in options for place in ("", "know.", "know.no-"))
    }  # fmt: skip
    settings |= {"controls": True} if parsed.controls else {}
    if only and {"pairs", "treebank"} & settings.keys() and "pairs" not in read_records(parsed.run):
        only = ("pairs", *only)
    output, page = parsed.output, parsed.run / "report.html"
    with output.progress():
        finished = ask(parsed.run, settings, parsed.only or only, parsed.overwrite, say=output.say)
    known = what_is_known(read_results(finished).knowledge)
    output.result({"run": str(parsed.run), "sentences": known, "report": str(page)}, f"report: {page}", as_list(known))
    return SUCCESS
