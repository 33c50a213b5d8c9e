"""The command line, `twotower COMMAND`: a module for each command, and the table `commands.COMMANDS` of them all."""

from __future__ import annotations

from .commands import COMMANDS
from .dispatch import main

__all__ = ["COMMANDS", "main"]
