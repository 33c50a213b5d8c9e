"""The command line, `twotower COMMAND`: a module for each command, and the table `commands.COMMANDS` of them all."""

from __future__ import annotations

import os

if os.environ.get("NO_COLOR"):  # https://no-color.org; tyro has a variable of its own, which it reads when imported
    os.environ.setdefault("PYTHON_TYRO_ANSI_CODES", "False")

from .commands import COMMANDS
from .dispatch import main

__all__ = ["COMMANDS", "main"]
