"""What runs say together: `study.json` and `study.html`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..comparison.grid import is_stranger
from ..config.conversion import as_json
from ..config.settings import by_name
from ..data.corpus_names import short_name
from ..runs.finished import RunFolder
from ..runs.stages import OPERATIONAL
from ..runs.writing import make_folder, write_text
from ..system.errors import InputError

if TYPE_CHECKING:
    from ..comparison.diffs import DiffsCompared
    from ..comparison.reading import Described
    from ..comparison.study import Study


def compare_folders(folders: Sequence[Path], out: Path) -> Study:
    """Compare finished runs, wherever they are; writes `study.json` and `study.html` into `out` and returns the former.

    Runs are of one group if they have the same preset, corpus and settings, whatever their seeds. Raises `InputError`
    for a folder that is not a finished run, for two with the same name, or for fewer than two.
    """
    _require_room(folders, out, "study.json")
    if are_diffs(folders):
        raise InputError("compare: these are comparisons of models; twotower.compare_diffs compares them")
    described = describe(folders)
    make_folder(out)
    return compare_described(described, out, [])


def compare_folders_of_diffs(folders: Sequence[Path], out: Path) -> DiffsCompared:
    """The same for finished comparisons of two models each: writes `diffs.json` and `diffs.html` into `out`."""
    from ..comparison.diffs import compare_diffs
    from ..report.diffs import render_diffs

    _require_room(folders, out, "diffs.json")
    if not are_diffs(folders):
        raise InputError("compare: these are runs of towers; twotower.compare compares them")
    compared = compare_diffs(folders)
    make_folder(out)
    write_text(out / "diffs.json", as_json(compared, indent=1))
    write_text(out / "diffs.html", render_diffs(out.name, compared))
    return compared


def are_diffs(folders: Sequence[Path]) -> bool:
    """Whether the folders are comparisons of models, not runs of towers. Raises `InputError` for some of either."""
    kinds = {bool(RunFolder(folder).config.diff.models): folder for folder in folders}
    if len(kinds) > 1:
        raise InputError(
            f"compare: {kinds[True]} is a comparison of models and {kinds[False]} a run of towers; give folders of one "
            "kind"
        )
    return True in kinds


def _require_room(folders: Sequence[Path], out: Path, written: str) -> None:
    """Raise `InputError` for too few folders, for two of one name, and for a folder that holds anything else."""
    if len(folders) < 2:
        raise InputError("compare: give two run folders or more")
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / written).is_file())):
        raise InputError(f"--out: {out} exists and holds no comparison of this kind; give another folder")
    names = [folder.resolve().name for folder in folders]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"compare: two folders are called {twice}; rename one, so that the page can tell them apart")


def describe(folders: Sequence[Path]) -> list[Described]:
    """Name, folder, group and whether it is a pair of strangers, of run folders (see `compare_folders`)."""
    names = [folder.resolve().name for folder in folders]
    configs = [RunFolder(folder).config for folder in folders]
    settings = [
        {key: value for key, value in by_name(config).items()
         if key not in OPERATIONAL | {"preset", "seed", "threads", "model.cooperation", "prepare.corpus"}
         and not key.startswith("know.")}  # what towers were asked makes them no others
        for config in configs
    ]  # fmt: skip
    kinds = [(config.preset, short_name(config.prepare.corpus)) for config in configs]
    several = len({corpus for _, corpus in kinds}) > 1
    varied: dict[tuple[str, str], list[str]] = {}
    for kind in set(kinds):
        alike = [run_settings for run_settings, other in zip(settings, kinds, strict=True) if other == kind]
        varied[kind] = [key for key in alike[0] if any(run_settings[key] != alike[0][key] for run_settings in alike)]
    described = []
    for folder, name, config, mine, kind in zip(folders, names, configs, settings, kinds, strict=True):
        parts = [kind[0], *([kind[1]] if several else []), *(f"{key}={mine[key]}" for key in varied[kind])]
        if 0 < config.model.cooperation < 1:
            parts.append(f"model.cooperation={config.model.cooperation}")
        described.append((name, folder, "-".join(parts), is_stranger(config)))
    return described


def compare_described(described: Sequence[Described], out: Path, failed: list[str]) -> Study:
    """Compare runs that are given as name, folder, group and whether they are strangers (see `compare_folders`)."""
    from ..comparison.compare import compare_runs
    from ..report.study import render

    links = {name: os.path.relpath(folder / "report.html", out) for name, folder, _, _ in described}
    study = replace(compare_runs(described), failed=failed, links=links)
    write_text(out / "study.json", as_json(study, indent=1))
    write_text(out / "study.html", render(out.name, study, out / "figures"))
    return study
