"""A run that is made again with the settings in its folder, and the first file that differs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..pipeline import make
from ..runs.provenance import provenance
from ..runs.records import as_asked, load_config, read_json, read_records
from ..runs.stages import INSTRUMENTS, stages_of
from ..system.errors import InputError

TIMED = frozenset({"training.json", "report.html", "figures"})
"""Files that hold times or versions, and so may differ between equal runs."""


def rerun(folder: Path, out: Path, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Repeat a run in `out` with the settings in its folder, up to the stage it had reached, and compare the results.

    Returns `same`: whether every artifact has the same digest but for those that hold times; `first`: the first that
    differs, in the order of the stages, or null; and `reasons`: what differs between the two in versions, threads and
    machine, in words. Raises `InputError` if the folder is not a run, nothing in it is finished, or `out` is in use.
    """
    config, before = load_config(folder), read_records(folder)
    finished = [name for name in stages_of(config) if name in before]
    if not finished:
        raise InputError(f"{folder}: no stage is finished, so there is nothing to compare with")
    if out.exists() and any(out.iterdir()):
        raise InputError(f"--out: {out} exists; give a folder that does not, so that the run is made from nothing")
    then = read_json(folder / "provenance.json", "without it the versions of the run are not known")
    for reason in (reasons := differences(then, provenance(config))):
        say(f"rerun: {reason}")
    of_instruments = {name: as_asked(config, name, before) for name in finished if name in INSTRUMENTS}
    make(config, out, tuple(finished), say=say, own=of_instruments)
    after = read_records(out)
    for stage in finished:
        old, new = (records[stage]["outputs"] for records in (before, after))
        for name in stages_of(config)[stage].outputs:
            if name not in TIMED and old[name]["digest"] != new[name]["digest"]:
                return {"same": False, "first": name, "stage": stage, "reasons": reasons}
    return {"same": True, "first": None, "stage": None, "reasons": reasons}


def differences(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What may make two runs differ, from their `provenance.json`: a line each."""
    lines = []
    for name, version in now["versions"].items():
        was = then.get("versions", {}).get(name)
        if was != version:
            lines.append(f"{name} was {was or 'not installed'} and is {version or 'not installed'}")
    for key, meaning in (("python", "Python"), ("git_revision", "the revision of the code")):
        if then.get(key) != now[key]:
            lines.append(f"{meaning} was {then.get(key)} and is {now[key]}")
    for key, value in now["machine"].items():
        was = then.get("machine", {}).get(key)
        if was != value:
            lines.append(f"the machine's {key} was {was} and is {value}")
    return lines
