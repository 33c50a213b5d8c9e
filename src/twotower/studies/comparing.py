"""What runs say together: `study.json` and `study.html`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.conversion import as_json
from ..config.schema import flatten, to_dict
from ..data.corpus_names import short_name
from ..runs.finished import RunFolder
from ..runs.stages import OPERATIONAL
from ..runs.writing import make_folder, write_text
from ..system.errors import InputError

if TYPE_CHECKING:
    from ..comparison.study import Study


def compare_folders(folders: Sequence[Path], out: Path) -> Study:
    """Compare finished runs, wherever they are; writes `study.json` and `study.html` into `out` and returns the former.

    Runs are of one group if they have the same preset, corpus and settings, whatever their seeds. Raises `InputError`
    for a folder that is not a finished run, for two with the same name, or for fewer than two.
    """
    if len(folders) < 2:
        raise InputError("compare: give two run folders or more")
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "study.json").is_file())):
        raise InputError(f"--out: {out} exists and holds no comparison; give another folder")
    described = describe(folders)
    make_folder(out)
    return compare_described(described, out, [])


def describe(folders: Sequence[Path]) -> list[tuple[str, Path, str, bool]]:
    """Name, folder, group and whether it is a pair of strangers, of run folders (see `compare_folders`)."""
    names = [folder.resolve().name for folder in folders]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"compare: two folders are called {twice}; rename one, so that the page can tell them apart")
    configs = [RunFolder(folder).config for folder in folders]
    settings = [
        {key: value for key, value in flatten(to_dict(config)).items()
         if key not in OPERATIONAL | {"preset", "seed", "threads", "model.cooperation", "prepare.corpus"}}
        for config in configs
    ]  # fmt: skip
    kinds = [(config.preset, short_name(config.prepare.corpus)) for config in configs]
    several = len({corpus for _, corpus in kinds}) > 1
    found = []
    for folder, name, config, mine, kind in zip(folders, names, configs, settings, kinds, strict=True):
        alike = [one for one, other in zip(settings, kinds, strict=True) if other == kind]
        varied = [key for key in mine if any(one[key] != mine[key] for one in alike)]
        parts = [kind[0], *([kind[1]] if several else []), *(f"{key}={mine[key]}" for key in varied)]
        if 0 < config.model.cooperation < 1:
            parts.append(f"model.cooperation={config.model.cooperation}")
        found.append((name, folder, "-".join(parts), config.model.cooperation == 0 and config.model.towers > 1))
    return found


def compare_described(described: Sequence[tuple[str, Path, str, bool]], out: Path, failed: list[str]) -> Study:
    """Compare runs that are given as name, folder, group and whether they are strangers (see `compare_folders`)."""
    from ..comparison.compare import compare_runs
    from ..report.study import render

    links = {name: os.path.relpath(folder / "report.html", out) for name, folder, _, _ in described}
    study = replace(compare_runs(described), failed=failed, links=links)
    write_text(out / "study.json", as_json(study, indent=1))
    write_text(out / "study.html", render(out.name, study, out / "figures"))
    return study
