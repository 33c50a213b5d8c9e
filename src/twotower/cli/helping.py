"""`twotower help`: the same as `--help`, for those who type the word."""

from __future__ import annotations

from dataclasses import dataclass

import tyro

from .options import Command


@dataclass(frozen=True)
class HelpArguments:
    """What `help` takes."""

    command: tyro.conf.Positional[tuple[str, ...]] = ()
    """The command; without one, all commands are listed."""


def show_help(command: Command, words: list[str]) -> int:
    """What `twotower WORDS --help` shows."""
    from .dispatch import main  # which imports the table that this command is in

    return main([*words, "--help"])
