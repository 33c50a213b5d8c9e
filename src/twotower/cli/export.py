"""`twotower export`: a run as a folder to share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from ..runs.finished import RunFolder
from ..system.errors import InputError
from .helptext import FOLDER, RUN
from .options import Command, read
from .output import SUCCESS, Output


@dataclass(frozen=True)
class ExportArguments:
    """What `export` takes."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")] = RUN
    """The run folder."""
    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FOLDER")] = FOLDER
    """The folder to write, which must not exist or be empty."""
    with_text: tyro.conf.FlagCreatePairsOff[bool] = False
    """Also export the held-out text: every scored occurrence, and passages on the page. Make sure that you may."""
    push: str = ""
    """Send the folder to the hub as this model, OWNER/MODEL. The token is that of `hf auth login`, or HF_TOKEN."""
    public: tyro.conf.FlagCreatePairsOff[bool] = False
    """Make a model that is new on the hub public. Without this it is private."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def export_run(command: Command, words: list[str]) -> int:
    """Write the folder, and send it where that is asked for."""
    parsed = read(command, words, ExportArguments())
    if parsed.run == RUN or parsed.folder == FOLDER:
        raise InputError("export: give the folder of a run and a folder to write: twotower export RUN FOLDER")
    from ..api.export import export, push

    folder = export(RunFolder(parsed.run), parsed.folder, parsed.with_text)
    address = None
    if parsed.push:
        parsed.output.say(f"export: sending {folder} to {parsed.push} …")
        address = push(folder, parsed.push, private=not parsed.public)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    parsed.output.result(
        {"run": str(parsed.run), "folder": str(folder), "bytes": size, "address": address},
        f"export: {folder} ({size / 1e6:.1f} MB)" + (f", at {address}" if address else ""),
    )
    return SUCCESS
