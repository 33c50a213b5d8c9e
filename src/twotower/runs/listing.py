"""The runs below a folder: how far each has come, whether it is whole, and its main figures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..config.schema import RunConfig
from ..system.errors import InputError
from .locking import at_work
from .records import damage_error, first_damaged, load_config, read_json, read_records, up_to_date
from .stages import MAIN

FINISHED, UNFINISHED, RUNNING, DAMAGED = "finished", "unfinished", "running", "damaged"
MARKS = ("config.yaml", "stages.json", ".lock")
"""What tells a run folder, be it one that is in its first stage."""
PREPARED = "prepared"
"""The folder of a study that holds the text its runs share, and no run."""


@dataclass(frozen=True)
class Listed:
    """A run, as `twotower list` shows it."""

    folder: Path
    state: str
    """`finished`: every stage is up to date; `unfinished`; `running`: a process is at work in it; or `damaged`."""
    note: str = ""
    """The next stage of an unfinished run; what is wrong with a damaged one, and what to do."""
    config: RunConfig | None = None
    """None where it cannot be read."""
    figures: dict[str, Any] = field(default_factory=dict)
    """See `figures_of`; empty before the stage `analyze`."""

    def plain(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        config = self.config
        settings = {} if config is None else {
            "corpus": "+".join(config.prepare.corpus), "preset": config.preset, "seed": config.seed,
            "family": config.model.family, "towers": config.model.towers, "cooperation": config.model.cooperation,
        }  # fmt: skip
        return {"run": str(self.folder), "state": self.state, "note": self.note, **settings, **self.figures}


def run_folders(folder: Path) -> list[Path]:
    """The run folders below a folder, itself included, in the order of their names; links are not followed.

    Raises `InputError` if there is no such folder.
    """
    try:
        exists = folder.is_dir()
    except OSError as error:  # a name that is too long
        raise InputError(f"{folder} cannot be read ({error.strerror}); give another folder") from None
    if not exists:
        raise InputError(f"{folder} is not a folder; give one that holds runs, such as runs or studies")
    return sorted(_walk(folder))


def _walk(folder: Path) -> Iterator[Path]:
    for name, below, files in os.walk(folder, onerror=_unreadable):
        here = Path(name)
        if any(mark in files for mark in MARKS):
            yield here
            below[:] = [one for one in below if one == "controls"]  # runs of their own, beside the run they control
        else:
            shared = {PREPARED} if "study.yaml" in files else set()
            below[:] = [one for one in below if not one.startswith(".") and one not in shared]


def _unreadable(error: OSError) -> None:
    raise InputError(f"{error.filename} cannot be read ({error.strerror}); give a folder of which all can be") from None


def look_at(folder: Path) -> Listed:
    """How far the run in a folder has come. Files whose size and time are unchanged are not read again."""
    try:
        config = load_config(folder)
    except InputError as error:
        busy = at_work(folder)
        return Listed(folder, RUNNING if busy else DAMAGED, "" if busy else str(error))
    try:
        records = read_records(folder)
        figures = figures_of(read_json(folder / "results.json", "")) if "analyze" in records else {}
        state, note = _state(folder, config, records)
    except InputError as error:
        return Listed(folder, DAMAGED, str(error), config)
    return Listed(folder, state, note, config, figures)


def _state(folder: Path, config: RunConfig, records: dict[str, Any]) -> tuple[str, str]:
    coming = next((name for name in MAIN if not up_to_date(folder, config, name)), "")
    if at_work(folder):
        return RUNNING, coming
    for name, record in records.items():
        if damaged := first_damaged(folder, record):
            return DAMAGED, str(damage_error(folder, name, damaged))
    return (UNFINISHED, coming) if coming else (FINISHED, "")


def runs_below(folder: Path, each: Callable[[Listed], object] = lambda _: None) -> list[Listed]:
    """Every run below a folder. `each` is told of one after the other, as they are looked at."""
    found = []
    for one in run_folders(folder):
        found.append(look_at(one))
        each(found[-1])
    return found


def figures_of(results: dict[str, Any]) -> dict[str, Any]:
    """The main figures of `results.json`, null where a run has none.

    `tokens` of training; held-out `perplexity` of the model; `size` D of the difference between towers and their
    `surplus`, in nats per token, each with `_low` and `_high`; the `verdict` on whether they divide the work.
    """
    division, training = results.get("division") or {}, results["training"]
    figures = {"tokens": training["tokens"], "perplexity": training["heldout_perplexity"]["joint"]}
    for name in ("size", "surplus"):
        values = division.get(name) or {}
        figures |= {name: values.get("estimate"), f"{name}_low": values.get("low"), f"{name}_high": values.get("high")}
    return figures | {"verdict": division.get("verdict")}
