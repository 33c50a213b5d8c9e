"""What commands share in reading their options: a dataclass is filled from the words of the command line by tyro."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import tyro

from ..config import RunConfig
from ..errors import InputError
from ..numerals import plain_numbers
from ..presets import PRESETS, preset

T = TypeVar("T")


@dataclass(frozen=True)
class Command:
    """A command: its name, the sentence that `--help` says about it, and what runs it."""

    name: str
    help: str
    function: Callable[[Command, list[str]], int]
    """From the command itself and the words after its name to the exit code."""


def read(command: Command, words: list[str], default: T) -> T:
    """Arguments of the kind of `default` from the command line. Raises `InputError` for what cannot be parsed."""
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(
                type(default),
                prog=f"twotower {command.name}",
                description=f"{command.help} Presets: {', '.join(PRESETS)}.",
                args=plain_numbers(words),
                default=default,
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            raise  # --help
        raise InputError(f"{_one_line(complaint.getvalue())}; see `twotower {command.name} --help`") from None


def _one_line(box: str) -> str:
    """Tyro's boxed complaint, up to the help it quotes, as one line."""
    lines = [line.strip("│╭╰╮╯─ ") for line in box.splitlines()[1:]]
    kept = []
    for line in lines:
        if line.startswith(("Argument helptext", "For full helptext")):
            break
        if line:
            kept.append(line)
    return " ".join(kept[:4])


def peek(words: Sequence[str], flag: str) -> str | None:
    """The value of a flag, before the rest is parsed."""
    for position, word in enumerate(words):
        if word == flag and position + 1 < len(words):
            return words[position + 1]
        if word.startswith(flag + "="):
            return word.partition("=")[2]
    return None


def preset_of(words: Sequence[str]) -> RunConfig:
    """The preset and protocol that are named; without a preset, that of the family which is asked for."""
    named = f"quickstart-{peek(words, '--family')}"
    usual = named if named in PRESETS and named != "quickstart-gpt" else "quickstart"
    return preset(peek(words, "--preset") or usual, peek(words, "--protocol"))
