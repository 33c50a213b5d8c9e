"""The runs below a folder: how far each has come, whether it is whole, and its main figures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.conversion import Partial, plain, record_from
from ..config.schema import RunConfig
from ..system.errors import InputError
from .exported import faults_of, is_exported
from .locking import at_work
from .records import Records, damage_error, first_damaged, load_config, read_json, read_records, up_to_date
from .stages import main_of

if TYPE_CHECKING:
    from ..statistics.intervals import Interval

FINISHED, UNFINISHED, RUNNING, DAMAGED = "finished", "unfinished", "running", "damaged"
MARKS = ("config.yaml", "stages.json", ".lock")
"""Files that a run folder has, even while its first stage is running."""
PREPARED = "prepared"
"""The folder of a study that holds the text its runs share, and no run."""


@dataclass(frozen=True)
class MainFigures:
    """The main figures of `results.json`, None where a run has none."""

    tokens: int | None
    """Of training; None for a comparison of models."""
    perplexity: float | None
    """Of the model, on held-out text."""
    size: float | None
    """D: by how much the towers differ, in nats."""
    size_low: float | None
    size_high: float | None
    surplus: float | None
    """How much better all towers together are than the better one, in nats per token."""
    surplus_low: float | None
    surplus_high: float | None
    verdict: str | None
    """Whether they divide the work."""

    @classmethod
    def of(
        cls,
        tokens: int | None,
        perplexity: float | None,
        size: Interval | None,
        surplus: Interval | None,
        verdict: str | None,
    ) -> MainFigures:
        """The same from the estimates."""
        first, second = _ends(size), _ends(surplus)
        return cls(tokens, perplexity, first[0], first[1], first[2], second[0], second[1], second[2], verdict)


def _ends(figure: Interval | None) -> tuple[float, float, float] | tuple[None, None, None]:
    return (figure.estimate, figure.low, figure.high) if figure else (None, None, None)


@dataclass(frozen=True)
class _Figure(Partial):
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class _Division(Partial):
    size: _Figure | None
    surplus: _Figure | None = None
    verdict: str | None = None


@dataclass(frozen=True)
class _Perplexity(Partial):
    joint: float


@dataclass(frozen=True)
class _Training(Partial):
    tokens: int
    heldout_perplexity: _Perplexity


@dataclass(frozen=True)
class _Results(Partial):
    """What a list reads of `results.json`: to import all that makes the rest would take seconds."""

    division: _Division | None
    training: _Training | None = None


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
    figures: MainFigures | None = None
    """None before the stage `analyze`."""

    def plain(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        config = self.config
        settings = {} if config is None else {
            "corpus": "+".join(config.prepare.corpus), "preset": config.preset, "seed": config.seed,
            "family": config.model.family, "towers": config.model.towers, "cooperation": config.model.cooperation,
        }  # fmt: skip
        facts = {"run": str(self.folder), "state": self.state, "note": self.note, **settings}
        return facts | plain(self.figures) if self.figures else facts


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
            # Controls are runs of their own, beside the run they control.
            below[:] = [subfolder for subfolder in below if subfolder == "controls"]
        else:
            shared = {PREPARED} if "study.yaml" in files else set()
            below[:] = [subfolder for subfolder in below if not subfolder.startswith(".") and subfolder not in shared]


def _unreadable(error: OSError) -> None:
    raise InputError(
        f"{error.filename} cannot be read ({error.strerror}); give a folder that you can read in full"
    ) from None


def look_at(folder: Path) -> Listed:
    """How far the run in a folder has come. Files whose size and time are unchanged are not read again."""
    try:
        config = load_config(folder)
    except InputError as error:
        busy = at_work(folder)
        return Listed(folder, RUNNING if busy else DAMAGED, "" if busy else str(error))
    try:
        if is_exported(folder):
            faults = faults_of(folder)
            state, note = (DAMAGED, faults[0]) if faults else (FINISHED, "an export")
            return Listed(folder, state, note, config, None if faults else _main_figures(folder))
        records = read_records(folder)
        figures = _main_figures(folder) if "analyze" in records else None
        state, note = _state(folder, config, records)
    except InputError as error:
        return Listed(folder, DAMAGED, str(error), config)
    return Listed(folder, state, note, config, figures)


def _state(folder: Path, config: RunConfig, records: Records) -> tuple[str, str]:
    coming = next((name for name in main_of(config) if not up_to_date(folder, config, name)), "")
    if at_work(folder):
        return RUNNING, coming
    for name, record in records.items():
        if damaged := first_damaged(folder, record):
            return DAMAGED, str(damage_error(folder, name, damaged))
    return (UNFINISHED, coming) if coming else (FINISHED, "")


def _main_figures(folder: Path) -> MainFigures:
    path = folder / "results.json"
    results = record_from(_Results, read_json(path, ""), str(path))
    training, division = results.training, results.division
    return MainFigures.of(
        training.tokens if training else None, training.heldout_perplexity.joint if training else None,
        division.size if division else None, division.surplus if division else None,
        division.verdict if division else None,
    )  # fmt: skip
