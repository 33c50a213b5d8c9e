"""`twotower verify` and `twotower rerun`: whether a run is unchanged, and comes out the same again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from ..api import rerun as reruns
from ..runs import verification
from ..system.errors import InputError
from .options import Command, read
from .output import BAD_INPUT, FAILURE, SUCCESS, Output, fail


@dataclass(frozen=True)
class VerifyArguments:
    """What `verify` takes."""

    runs: tyro.conf.Positional[tuple[Path, ...]] = ()
    """Run folders."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


@dataclass(frozen=True)
class RerunArguments:
    """What `rerun` takes."""

    run: tyro.conf.Positional[Path] = Path()
    """The run folder."""
    out: Path | None = None
    """Where to make it again (default: beside it, as RUN-again)."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def verify(command: Command, words: list[str]) -> int:
    """2 if a file is not what its stage wrote, with a line for each."""
    parsed = read(command, words, VerifyArguments())
    if not parsed.runs:
        raise InputError("verify: give one run folder or more")
    found: list[dict[str, Any]] = []
    for run in parsed.runs:
        whole, faults = verification.verify(run)
        for fault in faults:
            fail(fault, BAD_INPUT)
        found.append({"run": str(run), "whole": whole, "faults": faults})
    lines = [
        f"{one['run']}: {one['whole']} artifacts are what was written"
        + (f", {len(one['faults'])} are not" if one["faults"] else "")
        for one in found
    ]
    parsed.output.result({"runs": found}, lines[-1], "\n".join(lines[:-1]))
    return BAD_INPUT if any(one["faults"] for one in found) else SUCCESS


def rerun(command: Command, words: list[str]) -> int:
    """0 if the run came out the same, 1 if not."""
    parsed = read(command, words, RerunArguments())
    out = parsed.out or parsed.run.with_name(parsed.run.resolve().name + "-again")
    with parsed.output.progress():
        found = reruns.rerun(parsed.run, out, say=parsed.output.say)
    why = (
        "; ".join(found["reasons"]) or "versions, threads and machine are the same, so a file that was read has changed"
    )
    parsed.output.result(
        {"run": str(parsed.run), "again": str(out), **found},
        f"{out}: the same as {parsed.run}, to the byte (files that hold times or versions aside)"
        if found["same"]
        else f"{out}: {found['first']} is the first that differs, of stage {found['stage']}; likely reason: {why}",
    )
    return SUCCESS if found["same"] else FAILURE
