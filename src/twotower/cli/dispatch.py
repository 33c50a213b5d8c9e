"""From the words of a command line to an exit code."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

from .. import __version__
from ..errors import DiskError, InputError, Interrupted
from ..processes import launched, leads
from .commands import COMMANDS
from .completion import SHELLS, print_completion
from .output import BAD_INPUT, FAILURE, INTERRUPTED, SUCCESS, fail
from .stages import run_stages

USAGE = """usage: twotower COMMAND [OPTIONS]

Train identical language models side by side on one objective and measure how they divide the work.

commands:
{commands}

options:
  -h, --help                show this, or, after a command, the options that people use
  --help-all                after a command: show all its options
  --version                 show the version
  --print-completion SHELL  print a script that completes commands and options in {shells}

exit codes:
  0    done
  1    it failed: a run of a study failed, a run came out differently when made again, or the disk is full or faulty
  2    the input cannot be used, or files of a run are damaged; one line says what to do
  130  interrupted; what is finished is kept, and the same command continues from there

`twotower run` does everything with the preset `quickstart`. Every stage whose inputs have not changed is skipped.
"""


PATIENCE_WITH_THE_FIRST = 15.0
"""Seconds that another process of a launcher waits with its error line. The first one mostly meets the same error, says
so, and ends; the launcher then ends the others before they repeat it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        commands = "\n".join(f"  {command.name:<9} {command.help}" for command in COMMANDS.values())
        print(USAGE.format(commands=commands, shells=" or ".join(SHELLS)), end="")
        return SUCCESS if words else BAD_INPUT
    if words[0] == "--version":
        print(f"twotower {__version__}")
        return SUCCESS
    try:
        return _run(words[0], words[1:])
    except InputError as error:
        return _failed(str(error), BAD_INPUT)
    except DiskError as error:
        return _failed(f"{error.filename}: {error.strerror}", FAILURE)
    except Interrupted as interruption:
        return _stopped(str(interruption))
    except BrokenPipeError:  # `twotower … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except KeyboardInterrupt:
        return _stopped("stopped; finished stages are kept")


def _failed(what: str, code: int) -> int:
    if not leads():
        time.sleep(PATIENCE_WITH_THE_FIRST)
        what = f"process {os.environ.get('RANK')}: {what}"
    return fail(what, code)


def _stopped(what: str) -> int:
    """Of several processes the first one says it."""
    return fail(f"{what}, and the same command continues from there", INTERRUPTED) if leads() else INTERRUPTED


def _run(name: str, words: list[str]) -> int:
    if name == "--print-completion":
        print_completion(COMMANDS, words[0] if words else "")
        return SUCCESS
    if name not in COMMANDS:
        raise InputError(f"{name!r} is not a command; commands: {', '.join(COMMANDS)}")
    command = COMMANDS[name]
    if launched() > 1 and command.function is not run_stages:
        raise InputError(
            f"several processes: `twotower {name}` does not run under a launcher, only `twotower run` and its stages; "
            "start it without one"
        )
    return command.function(command, words)
