"""From the words of a command line to an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from .. import __version__
from ..system.errors import InputError
from ..system.processes import launched
from ..system.spelling import did_you_mean
from .commands import COMMANDS, SECTIONS
from .completion import SHELLS, print_completion
from .diff import diff
from .exit_codes import exit_code_of
from .output import BAD_INPUT, SUCCESS
from .stages import run_stages

USAGE = """usage: twotower COMMAND [OPTIONS]

Train identical language models side by side on one objective and measure how they divide the work.

{commands}

options:
  -h, --help                show this or, after a command, its usual options (as `twotower help COMMAND` does)
  --help-all                after a command: show all its options
  -V, --version             show the version
  --print-completion SHELL  print a script that completes commands and options in {shells}

exit codes:
  0    done
  1    a run failed, came out differently when made again, or met a full or faulty disk
  2    the input cannot be used, or files of a run are damaged; one line says what to do
  130  interrupted; finished stages are kept, and the same command continues from there

Begin with `twotower run`: it trains and measures the preset `quickstart`. Stages that are up to date are skipped.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    if arguments is None:
        _speak_utf8()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    if not words or words[0] in ("-h", "--help"):
        return exit_code_of(lambda: _show_usage(SUCCESS if words else BAD_INPUT))
    if words[0] in ("-V", "--version"):
        print(f"twotower {__version__}")
        return SUCCESS
    return exit_code_of(lambda: _run(words))


def _speak_utf8() -> None:
    """Begin again in Python's UTF-8 mode where names of files are taken for something else (`LC_ALL=C` without it).

    Libraries take names as UTF-8. A character that the terminal lacks is written out.
    """
    if sys.getfilesystemencoding().lower() not in ("utf-8", "utf8") and not sys.flags.utf8_mode:
        arguments = [sys.executable, "-X", "utf8", "-m", "twotower", *sys.argv[1:]]
        os.execv(sys.executable, arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _show_usage(code: int) -> int:
    commands = "\n\n".join(
        "\n".join([f"{heading}:", *(f"  {command.name:<14} {command.help}" for command in section)])
        for heading, section in SECTIONS.items()
    )
    print(USAGE.format(commands=commands, shells=", ".join(SHELLS)), end="")
    return code


def _run(words: list[str]) -> int:
    name, rest = words[0], words[1:]
    if name == "--print-completion":
        print_completion(COMMANDS, rest[0] if rest else "")
        return SUCCESS
    if name.startswith("-"):
        raise InputError(f"{name} is not an option of twotower itself; give a command first: twotower COMMAND {name}")
    if name not in COMMANDS:
        raise InputError(f"{name!r} is not a command{did_you_mean(name, COMMANDS)}; `twotower --help` lists them")
    verbs = [command.removeprefix(f"{name} ") for command in COMMANDS if command.startswith(f"{name} ")]
    if rest and rest[0] in verbs:
        name, rest = f"{name} {rest[0]}", rest[1:]
    elif verbs and rest and not rest[0].startswith("-"):
        raise InputError(
            f"{name}: {rest[0]!r} is none of {', '.join(verbs)}{did_you_mean(rest[0], verbs)}; options begin with --"
        )
    command = COMMANDS[name]
    if launched() > 1 and command.function not in (run_stages, diff):
        raise InputError(
            f"several processes: `twotower {name}` does not run under a launcher, only `twotower run`, its stages "
            "and `twotower diff`; start it without one"
        )
    return command.function(command, rest)
