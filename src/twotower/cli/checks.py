"""`twotower verify` and `twotower rerun`: whether a run is what was written, and comes out the same again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from .. import rerun as reruns
from ..errors import InputError
from ..runs import verification
from .options import Command, read
from .output import BAD_INPUT, FAILURE, SUCCESS, fail, say, show


@dataclass(frozen=True)
class VerifyArguments:
    """What `verify` takes."""

    runs: tyro.conf.Positional[tuple[Path, ...]] = ()
    """Run folders."""


@dataclass(frozen=True)
class RerunArguments:
    """What `rerun` takes."""

    run: tyro.conf.Positional[Path] = Path()
    """The run folder."""
    out: Path | None = None
    """Where to make it again (default: beside it, as RUN-again)."""


def verify(command: Command, words: list[str]) -> int:
    """2 if a file is not what its stage wrote, with a line for each."""
    parsed = read(command, words, VerifyArguments())
    if not parsed.runs:
        raise InputError("verify: give one run folder or more")
    faulty = False
    for run in parsed.runs:
        whole, faults = verification.verify(run)
        for fault in faults:
            fail(fault, BAD_INPUT)
        faulty |= bool(faults)
        show(f"{run}: {whole} artifacts are what was written" + (f", {len(faults)} are not" if faults else ""))
    return BAD_INPUT if faulty else SUCCESS


def rerun(command: Command, words: list[str]) -> int:
    """0 if the run came out the same, 1 if not."""
    parsed = read(command, words, RerunArguments())
    out = parsed.out or parsed.run.with_name(parsed.run.resolve().name + "-again")
    found = reruns.rerun(parsed.run, out, say=say)
    if found["same"]:
        show(f"{out}: the same as {parsed.run}, to the byte (files that hold times or versions aside)")
        return SUCCESS
    why = (
        "; ".join(found["reasons"]) or "versions, threads and machine are the same, so a file that was read has changed"
    )
    show(f"{out}: {found['first']} is the first that differs, of stage {found['stage']}; likely reason: {why}")
    return FAILURE
