"""A run that is made again with the settings in its folder, and the first file that differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ..pipeline import make
from ..runs.provenance import Provenance, provenance, read_provenance
from ..runs.records import as_asked, load_config, read_records
from ..runs.stages import INSTRUMENTS, stages_of
from ..system.errors import InputError
from .runs import Run

TIMED = frozenset({"training.json", "report.html", "figures"})
"""Files that hold times or versions, and so may differ between equal runs."""


@dataclass(frozen=True)
class Rerun:
    """What `rerun` found."""

    again: Run
    """The run that was made again."""
    same: bool
    """Whether every file is the same to the byte, files that hold times or versions aside."""
    first: str | None
    """The first file that differs, in the order of the stages."""
    stage: str | None
    """The stage that wrote it."""
    reasons: tuple[str, ...]
    """What differs between then and now in versions, threads and machine."""


def rerun(folder: Path, out: Path, say: Callable[[str], None] = lambda _: None) -> Rerun:
    """Repeat a run in `out` with the settings in its folder, up to the stage it had reached, and compare the results.

    Raises `InputError` if the folder is not a run, nothing in it is finished, or `out` is in use.
    """
    config, before = load_config(folder), read_records(folder)
    finished = [name for name in stages_of(config) if name in before]
    if not finished:
        raise InputError(f"{folder}: no stage is finished, so there is nothing to compare with")
    if out.exists() and any(out.iterdir()):
        raise InputError(f"--out: {out} exists; give a folder that does not, so that the run is made from nothing")
    reasons = differences(read_provenance(folder), provenance(config))
    for reason in reasons:
        say(f"rerun: {reason}")
    of_instruments = {name: as_asked(config, name, before) for name in finished if name in INSTRUMENTS}
    make(config, out, tuple(finished), say=say, own=of_instruments)
    after = read_records(out)
    for stage in finished:
        old, new = (records[stage].outputs for records in (before, after))
        for name in stages_of(config)[stage].outputs:
            if name not in TIMED and old[name].digest != new[name].digest:
                return Rerun(Run(out), False, name, stage, reasons)
    return Rerun(Run(out), True, None, None, reasons)


def differences(then: Provenance, now: Provenance) -> tuple[str, ...]:
    """What may make two runs differ: a line each."""
    before, after = (
        {**provenance.versions, "Python": provenance.python, "the revision of the code": provenance.git_revision}
        | {f"the machine's {name}": value for name, value in asdict(provenance.machine).items()}
        for provenance in (then, now)
    )
    return tuple(
        f"{name} was {before.get(name) or 'absent'} and is {value or 'absent'}"
        for name, value in after.items()
        if before.get(name) != value
    )
