"""A study: makes the runs of a grid that are missing, and compares them all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import yaml

from .comparison.grid import Grid, Job, jobs, require_seeds
from .config import RunConfig, flatten, to_dict
from .errors import InputError
from .finished import Run
from .progress import Progress
from .runs.records import read_records
from .runs.sharing import address, adopt
from .runs.stages import OPERATIONAL
from .runs.writing import without_nan, write_text

UTILIZATION = 0.3
"""Of the rate of large matrix products, what whole quickstart runs reached on a machine with two cores."""
PRODUCT, PRODUCTS = 512, 20


def estimate_seconds(planned: Sequence[Job]) -> list[float]:
    """About how long each run takes with one thread on this machine: its operations over the rate of its products.

    The rate is that of a timed matrix product times `UTILIZATION`. Reading and tagging the text is left out.
    """
    if not planned:
        return []
    import torch

    from .plan import Machine, make_plan

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    square = torch.ones(PRODUCT, PRODUCT)
    torch.mm(square, square)
    begin = time.perf_counter()
    for _ in range(PRODUCTS):
        torch.mm(square, square)
    rate = PRODUCTS * 2 * PRODUCT**3 / (time.perf_counter() - begin)
    torch.set_num_threads(threads)
    machine = Machine(tflops=rate / 1e12, utilization=UTILIZATION)
    known: dict[RunConfig, float] = {}
    for job in planned:
        key = replace(job.config, seed=0)
        if key not in known:
            known[key] = 3600 * sum(make_plan(key, machine).hours[1].values())
    return [known[replace(job.config, seed=0)] for job in planned]


def run_study(
    grid: Grid, out: Path, workers: int = 1, threads: int = 0, say: Callable[[str], None] = lambda _: None
) -> tuple[dict[str, Any], list[str]]:
    """Run what is missing from a grid, each run in `out/runs/NAME` in a process of its own, and compare all runs.

    Writes `study.yaml` (the grid), `study.json` and `study.html` into `out`. A run that fails does not stop the others.
    Returns what `study.json` holds and the names of the runs that failed. Raises `InputError` if `out` holds the study
    of another grid, the grid has one seed only, or fewer than two runs are finished.
    """
    planned = jobs(grid)
    require_seeds(planned)
    _claim(out, grid, planned)
    failed = _run_missing(planned, out, workers, threads, say)
    finished = [job for job in planned if job.name not in failed]
    if len([job for job in finished if not job.stranger]) < 2:
        raise InputError(f"study: fewer than two runs of {out} are finished, and one cannot be compared with itself")
    described = [(job.name, out / "runs" / job.name, job.group, job.stranger) for job in finished]
    return _compare(described, out, failed), failed


def compare_folders(folders: Sequence[Path], out: Path) -> dict[str, Any]:
    """Compare finished runs, wherever they are; writes `study.json` and `study.html` into `out` and returns the former.

    Runs are of one group if they have the same preset, corpus and settings, whatever their seeds. Raises `InputError`
    for a folder that is not a finished run, for two with the same name, or for fewer than two.
    """
    if len(folders) < 2:
        raise InputError("compare: give two run folders or more")
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "study.json").is_file())):
        raise InputError(f"--out: {out} exists and holds no comparison; give another folder")
    described = describe(folders)
    out.mkdir(parents=True, exist_ok=True)
    return _compare(described, out, [])


def describe(folders: Sequence[Path]) -> list[tuple[str, Path, str, bool]]:
    """Name, folder, group and whether it is a pair of strangers, of run folders (see `compare_folders`)."""
    names = [folder.resolve().name for folder in folders]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"compare: two folders are called {twice}; rename one, so that the page can tell them apart")
    configs = [Run.load(folder).config for folder in folders]
    settings = [
        {key: value for key, value in flatten(to_dict(config)).items()
         if key not in OPERATIONAL | {"preset", "seed", "threads", "model.cooperation", "prepare.corpus"}}
        for config in configs
    ]  # fmt: skip
    kinds = [(config.preset, "+".join(Path(part).name for part in config.prepare.corpus)) for config in configs]
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


def _compare(described: Sequence[tuple[str, Path, str, bool]], out: Path, failed: list[str]) -> dict[str, Any]:
    from .comparison.compare import compare_runs
    from .report.study import render

    links = {name: os.path.relpath(folder / "report.html", out) for name, folder, _, _ in described}
    study: dict[str, Any] = without_nan(compare_runs(described)) | {"failed": failed, "links": links}
    write_text(out / "study.json", json.dumps(study, indent=1, allow_nan=False) + "\n")
    write_text(out / "study.html", render(out.name, study, out / "figures"))
    return study


def _claim(out: Path, grid: Grid, planned: Iterable[Job]) -> None:
    """Make the study's folder, or continue it: the runs that it already plans must be among the planned ones."""
    path = out / "study.yaml"
    mine = {job.name: to_dict(job.config) for job in planned}
    if path.is_file():
        known = yaml.safe_load(path.read_text(encoding="utf-8"))["runs"]
        other = [name for name in known if mine.get(name) != known[name]]
        if other:
            raise InputError(
                f"{out}: is the study of another grid (it has {other[0]}, with settings of its own); give another "
                "--out, or a grid that contains it"
            )
    elif out.exists() and any(out.iterdir()):
        raise InputError(f"--out: {out} exists and is not a study; give another folder")
    out.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {
        name: list(getattr(grid, name)) for name in ("presets", "corpora", "seeds", "vary", "set")
    }
    content |= {"strangers": grid.strangers, "runs": mine}
    write_text(path, yaml.safe_dump(content, sort_keys=False))


def _run_missing(planned: list[Job], out: Path, workers: int, threads: int, say: Callable[[str], None]) -> list[str]:
    failed = []
    locks = {address(job.config, "prepare"): Lock() for job in planned}
    with Progress("study", len(planned), "run") as progress, ThreadPoolExecutor(workers) as pool:
        outcomes = pool.map(lambda job: _run(job, out, threads, locks[address(job.config, "prepare")]), planned)
        for job, error in zip(planned, outcomes, strict=True):
            if error:
                failed.append(job.name)
                say(f"study: {job.name} failed: {error} (see {out / 'runs' / job.name}.log)")
            progress.advance(1)
    return failed


def _run(job: Job, out: Path, threads: int, text: Lock) -> str:
    """Run one job in a process of its own; returns its last line if it failed. What is up to date takes seconds.

    Jobs that agree on it share their prepared text, `out/prepared/ADDRESS`, which the first of them makes; `text` is
    the lock of that.
    """
    config, folder = replace(job.config, threads=threads), out / "runs" / job.name
    log = folder.with_name(folder.name + ".log")
    _configure(folder, config)
    if "prepare" not in read_records(folder):
        prepared = out / "prepared" / address(config, "prepare")
        with text:
            if "prepare" not in read_records(prepared):
                _configure(prepared, config)
                if error := _command("prepare", prepared, threads, log):
                    return error
        adopt(folder, prepared, "prepare")
    return _command("run", folder, threads, log)


def _configure(folder: Path, config: RunConfig) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "config.yaml").is_file():
        write_text(folder / "config.yaml", yaml.safe_dump(to_dict(config), sort_keys=False))


def _command(command: str, folder: Path, threads: int, log: Path) -> str:
    """One command in a process of its own; its last line if it failed."""
    environment = dict(os.environ)
    if threads:
        environment["OMP_NUM_THREADS"] = str(threads)
    words = [sys.executable, "-m", "twotower.cli", command, "--out", str(folder)]
    with log.open("w", encoding="utf-8") as stream:
        done = subprocess.run(words, env=environment, stdout=stream, stderr=stream)
    if done.returncode == 0:
        return ""
    lines = log.read_text(encoding="utf-8").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"
