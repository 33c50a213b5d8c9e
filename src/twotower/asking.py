"""Ask a finished run, and its controls, what their towers know: the instruments in order, each kept when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from .config.instruments import INSTRUMENTS
from .config.schema import RunConfig
from .config.settings import with_settings
from .pipeline import make
from .runs.finished import RunFolder, require_towers
from .runs.records import as_asked, load_config, read_records
from .runs.stages import STAGES, producer_of, stage_settings
from .system.errors import InputError

SCALE = "scale"
"""The instrument that asks the controls, too."""


def know(
    out: Path | str,
    given: Mapping[str, Any] | None = None,
    only: Iterable[str] = (),
    overwrite: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> RunFolder:
    """Ask what each tower of the finished run in `out` knows, then bring its results and its report up to date.

    Args:
        out: the run folder.
        given: settings of `know`, by name, for the instruments that are asked now; each instrument keeps those that it
            was asked with before, and takes the run's last ones where it was not asked yet.
        only: the instruments, by name (default: all that have what they need).
        overwrite: redo instruments that were asked with other settings or whose files are damaged.
        say: told what is done, what is skipped, and what is left out for want of a treebank or the like.

    Raises `InputError` if the run is not finished, and for files that cannot be used.
    """
    folder, given = Path(out), given or {}
    config = with_settings(load_config(folder), {"know": given}, "know")
    require_towers(config, folder)
    records = read_records(folder)
    if "score" not in records:
        raise InputError(f"{folder}: the run is not finished; continue with `twotower run --out {folder}`")
    chosen = tuple(dict.fromkeys(only))
    if unknown := [name for name in chosen if name not in INSTRUMENTS]:
        raise InputError(f"--only: {unknown[0]!r} is not an instrument; instruments: {', '.join(INSTRUMENTS)}")
    before = {name: as_asked(config, name, records) for name in INSTRUMENTS}
    own = {name: with_settings(settings, {"know": given}, "know") for name, settings in before.items()}
    missing = {name: reason for name in INSTRUMENTS if (reason := INSTRUMENTS[name].lacking(own[name].know))}
    if unusable := [name for name in chosen if name in missing]:
        raise InputError(f"{unusable[0]}: this instrument lacks what it needs: {missing[unusable[0]]}")
    names = chosen or tuple(name for name in INSTRUMENTS if name not in missing)
    if not chosen:
        for name, reason in missing.items():
            say(f"{name}: left out: {reason}")
        for name in names if not overwrite else ():
            if name in records and (more := _more(before[name], own[name], name)):
                say(f"{name}: kept as it is, made without {', '.join(more)}; --overwrite makes it again with that")
                own[name] = before[name]
    dependent = [
        name for name in INSTRUMENTS
        if name in records and any(producer_of(artifact).name in names for artifact in STAGES[name].optional)
    ]  # fmt: skip
    for name in set(dependent) - set(names):
        own[name] = before[name]
    from .knowledge.given import tell_lists

    for name in names:
        if overwrite or name not in records or own[name] != before[name]:
            for line in tell_lists(own[name].know, name):
                say(line)
    if SCALE in {*names, *dependent}:
        instruments = [name for name in INSTRUMENTS if name != SCALE and name in {*names, *records}]
        _know_controls(folder, {name: own[name] for name in instruments}, overwrite, say)
    return make(config, folder, (*names, *dependent, "analyze", "report"), overwrite, say, own)


def _know_controls(folder: Path, own: Mapping[str, RunConfig], overwrite: bool, say: Callable[[str], None]) -> None:
    """Ask strangers and the pair that was planted by texts what the run is asked, with the same settings of `know`."""
    from .knowledge.scale import BESIDE

    for place in BESIDE:
        if "score" not in read_records(folder / place):
            raise InputError(
                f"{folder / place}: no finished run, which --controls needs; make it with "
                f"`twotower run --out {folder} --controls`"
            )
    for place in BESIDE:
        config = load_config(folder / place)
        same = {name: replace(config, know=settings.know) for name, settings in own.items()}
        make(config, folder / place, (*own, "analyze", "report"), overwrite, partial(_of_control, say, place), same)


def _of_control(say: Callable[[str], None], place: str, text: str) -> None:
    say(f"{place}: {text}")


def _more(before: RunConfig, now: RunConfig, name: str) -> list[str]:
    """The files that an instrument was made without, if its settings differ in nothing else."""
    old, new = (stage_settings(config, STAGES[name]) for config in (before, now))
    changed = [key for key in new if old[key] != new[key]]
    return changed if all(old[key] in ("", []) for key in changed) else []
