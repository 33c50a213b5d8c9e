"""What a study is made of, on disk: `study.yaml`, its grid and settings; `manifest.jsonl`, a line for each run."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ..comparison.grid import Grid, Job
from ..config.conversion import plain, record_from
from ..config.schema import RunConfig
from ..config.settings import by_name, changed, from_dict, to_dict
from ..runs.records import SafeDumper, SafeLoader, load_config
from ..runs.stages import OPERATIONAL
from ..runs.writing import make_folder, write_text
from ..system.errors import InputError, one_line

STUDY, MANIFEST = "study.yaml", "manifest.jsonl"


@dataclass(frozen=True)
class Line:
    """One run of a study, as the manifest has it."""

    name: str
    folder: str
    """Relative to the study's."""
    seconds: float | None
    """About how long it takes on the machine that planned it, with one thread; None if it was finished by then."""
    group: str
    stranger: bool
    config: RunConfig
    directory: str = ""
    """Where the study was planned: from there relative paths of its settings lead. Empty in earlier manifests."""


def claim(out: Path, grid: Grid, planned: Iterable[Job]) -> None:
    """Make the study's folder, or continue it: the runs that it already plans must be among the planned ones.

    Raises `InputError` if `out` holds something else, or a study with another grid.
    """
    mine = {job.name: job.config for job in planned}
    if (out / STUDY).is_file():
        for name, known in read_study(out).items():
            if mine.get(name) != known:
                raise InputError(
                    f"{out} holds a study of a different grid (its run {name} has other settings); give another "
                    "--out, or a grid that contains it"
                )
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"--out: {out} exists and is not a study; give another folder")
    make_folder(out)
    runs = {name: to_dict(config) for name, config in mine.items()}
    content: dict[str, Any] = {
        name: list(getattr(grid, name)) for name in ("presets", "corpora", "seeds", "vary", "set")
    }
    content |= {"strangers": grid.strangers, "runs": runs}
    write_text(out / STUDY, yaml.dump(content, sort_keys=False, Dumper=SafeDumper))


def read_study(out: Path) -> dict[str, RunConfig]:
    """The settings of each run of a study, by name. Raises `InputError` for a folder that holds none."""
    path = out / STUDY
    if not path.is_file():
        raise InputError(f"{out} is not a study (it has no {STUDY}); make one with `twotower study … --out {out}`")
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), SafeLoader)
        runs: dict[str, Any] = values["runs"]
        return {str(name): _planned(config, f"{path}: {name}") for name, config in runs.items()}
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is damaged ({one_line(error)}); `twotower study … --plan --out {out}` writes it "
            "again once it is moved away"
        ) from None


def _planned(values: Any, where: str) -> RunConfig:
    """The settings of a run. Raises `InputError` for settings that this version does not know."""
    try:
        return from_dict(values, where)
    except InputError as error:
        raise InputError(
            f"{error}; if another version of twotower planned this study, go on with that version, or plan it again "
            "in another folder"
        ) from None


def write_manifest(out: Path, planned: Iterable[Job], threads: int, seconds: Mapping[str, float]) -> list[Line]:
    """Write a line for each planned run of the study in `out`; `seconds` are the estimates of those still to run."""
    study = _digest(out)
    lines = [
        Line(
            job.name, f"runs/{job.name}", seconds.get(job.name), job.group, job.stranger,
            replace(job.config, threads=threads), os.getcwd(),
        )
        for job in planned
    ]  # fmt: skip
    write_text(out / MANIFEST, "".join(json.dumps({"study": study} | plain(line)) + "\n" for line in lines))
    return lines


def read_manifest(out: Path, only: str | None = None) -> list[Line]:
    """The runs of a study, or the one that is called `only`.

    Raises `InputError` if there is no manifest, a line is damaged, the manifest belongs to another study than the
    `study.yaml` beside it, or it has no run of that name.
    """
    path = out / MANIFEST
    again = f"`twotower study … --plan --out {out}` writes it"
    if not path.is_file():
        raise InputError(f"{out} has no {MANIFEST}; {again}")
    study, lines = _digest(out), []
    for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        where = f"{path}:{number}"
        try:
            values = json.loads(text)
            if values.pop("study") != study:
                raise InputError(f"{where}: belongs to another study than {out / STUDY}; {again} again")
            config = _planned(values.pop("config"), where)
            line = record_from(Line, values | {"config": {}}, where)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{where}: is not a line of a manifest ({error}); {again} again") from None
        if only is not None and line.name != only:
            continue
        if line.folder != f"runs/{line.name}" or Path(line.name).name != line.name:
            raise InputError(f"{where}: {line.folder!r} is not the folder runs/NAME of a run; {again} again")
        lines.append(replace(line, config=config))
    if only is not None and not lines:
        raise InputError(f"{path}: has no run {only!r}; give one that `twotower study status {out}` lists")
    return lines


def configure(folder: Path, config: RunConfig) -> RunConfig:
    """Write `config.yaml` where a folder has none; returns the settings it has, which may be of other threads.

    Raises `InputError` if it was made with other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "config.yaml").is_file():
        write_text(folder / "config.yaml", yaml.dump(to_dict(config), sort_keys=False, Dumper=SafeDumper))
        return config
    existing = load_config(folder)
    ignored, wanted = OPERATIONAL | {"threads", "preset", "protocol"}, by_name(config)
    for key, has in changed(existing, config).items():
        if key in ignored or key.startswith("know."):
            continue
        raise InputError(
            f"{folder}: was made with {key} = {has}, and the study has {wanted[key]}; "
            "move the folder away, or plan the study again in another --out"
        )
    return existing


def _digest(out: Path) -> str:
    path = out / STUDY
    if not path.is_file():
        raise InputError(f"{out} is not a study (it has no {STUDY}); make one with `twotower study … --out {out}`")
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
