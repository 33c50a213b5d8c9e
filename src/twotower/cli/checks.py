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

    runs: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="RUN [RUN …]")] = ()
    """Run folders."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


@dataclass(frozen=True)
class RerunArguments:
    """What `rerun` takes."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="[RUN]")] = Path()
    """The run folder."""
    out: Path | None = None
    """Where to make it again (default: beside it, as RUN-again)."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def verify(command: Command, words: list[str]) -> int:
    """2 if a file is not what its stage wrote, with a line for each."""
    parsed = read(command, words, VerifyArguments())
    if not parsed.runs:
        raise InputError("verify: give one run folder or more")
    runs: list[dict[str, Any]] = []
    for run in parsed.runs:
        whole, faults = verification.verify(run)
        for fault in faults:
            fail(fault, BAD_INPUT)
        runs.append({"run": str(run), "whole": whole, "faults": faults})
    lines = [
        f"{checked['run']}: {checked['whole']} artifacts are as they were written"
        + (f", {len(checked['faults'])} not" if checked["faults"] else "")
        for checked in runs
    ]
    parsed.output.result({"runs": runs}, lines[-1], "\n".join(lines[:-1]))
    return BAD_INPUT if any(checked["faults"] for checked in runs) else SUCCESS


def rerun(command: Command, words: list[str]) -> int:
    """0 if the run came out the same, 1 if not."""
    parsed = read(command, words, RerunArguments())
    out = parsed.out or parsed.run.with_name(parsed.run.resolve().name + "-again")
    with parsed.output.progress():
        outcome = reruns.rerun(parsed.run, out, say=parsed.output.say)
    why = "; ".join(outcome.reasons) or "versions, threads and machine are the same, so an input file has changed"
    parsed.output.result(
        {
            "run": str(parsed.run), "again": str(out), "same": outcome.same, "first": outcome.first,
            "stage": outcome.stage, "reasons": list(outcome.reasons),
        },
        f"{out}: the same as {parsed.run}, to the byte (files that hold times or versions aside)"
        if outcome.same
        else f"{out}: {outcome.first} is the first that differs, of stage {outcome.stage}; likely reason: {why}",
    )  # fmt: skip
    return SUCCESS if outcome.same else FAILURE
