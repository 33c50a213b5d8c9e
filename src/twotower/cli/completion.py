"""Completion of commands and options in shells, by the scripts that tyro writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Union

import tyro

from ..system.errors import InputError
from .helptext import for_help
from .options import Command

SHELLS = ("bash", "zsh")


def print_completion(commands: Mapping[str, Command], shell: str) -> None:
    """Print the script for a shell. Raises `InputError` for a shell that has none."""
    if shell not in SHELLS:
        raise InputError(f"--print-completion: give a shell: {' or '.join(SHELLS)}")
    kinds: list[Any] = []
    for name, command in commands.items():
        if " " in name:  # tyro completes words, and no verb after them
            continue
        default = for_help(command.arguments())
        subcommand = tyro.conf.subcommand(name, default=default, description=command.help)
        kinds.append(Annotated[type(default), subcommand])
    union: Any = Union
    try:
        tyro.cli(
            union[tuple(kinds)],
            prog="twotower",
            args=["--tyro-print-completion", shell],
            config=(tyro.conf.OmitSubcommandPrefixes,),
        )
    except SystemExit as stop:
        if stop.code not in (0, None):
            raise
