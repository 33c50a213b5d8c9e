"""From what happens in a command to its exit code, and one line that says why."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable

from ..system.errors import DiskError, InputError, Interrupted
from ..system.processes import leads
from .output import BAD_INPUT, FAILURE, INTERRUPTED, SUCCESS, fail

PATIENCE_WITH_THE_FIRST = 15.0
"""Seconds that another process of a launcher waits with its error line. The first one mostly meets the same error, says
so, and ends; the launcher then ends the others before they repeat it."""


def exit_code_of(command: Callable[[], int]) -> int:
    """Run a command; the exit code: 0 done, 1 failed, 2 bad input, 130 interrupted. Bugs keep their traceback."""
    try:
        code = command()
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `twotower … | head` has read all that it wants
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SUCCESS
    except InputError as error:
        return _failed(str(error), BAD_INPUT)
    except DiskError as error:
        return _failed(f"{error.filename}: {error.strerror}", FAILURE)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        name = os.fsdecode(error.filename or "")
        return _failed(f"{name[:40]}…: a file's name of {len(name):,} characters is too long; give another", BAD_INPUT)
    except RuntimeError as error:
        if not (reason := _of_the_device(str(error))):
            raise
        return _failed(reason, BAD_INPUT)
    except MemoryError as error:
        detail = f" ({error})" if str(error) else ""
        return _failed(f"memory ran out{detail}; close what else uses it, or give less text or fewer runs", BAD_INPUT)
    except Interrupted as interruption:
        return _stopped(str(interruption))
    except KeyboardInterrupt:
        return _stopped("stopped; finished stages are kept")


def _of_the_device(message: str) -> str:
    """One line for a device that is busy or too small, from PyTorch's message; empty for other errors.

    PyTorch has no class of its own for most of these, and importing it here would take seconds.
    """
    if "busy or unavailable" in message:
        return "the GPU is busy with another process; wait, or choose another one: CUDA_VISIBLE_DEVICES=1"
    if "out of memory" in message or "can't allocate memory" in message:
        return (
            "memory ran out; close what else uses it, or give fewer windows at a time: --train.micro-batch 16, "
            "--score.batch 16 (`twotower plan` counts what training takes)"
        )
    return ""


def _failed(reason: str, code: int) -> int:
    if not leads():
        time.sleep(PATIENCE_WITH_THE_FIRST)
        reason = f"process {os.environ.get('RANK')}: {reason}"
    return fail(reason, code)


def _stopped(reason: str) -> int:
    """Of several processes the first one says it."""
    return fail(f"{reason}, and the same command continues from there", INTERRUPTED) if leads() else INTERRUPTED
