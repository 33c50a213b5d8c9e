"""Many runs, one question: a grid of presets, settings and seeds, run as far as it is missing, and compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from .config import RunConfig, from_dict, to_dict
from .errors import InputError
from .presets import preset
from .progress import Progress
from .runs import write_text
from .validation import validate

UTILIZATION = 0.3
"""Of the rate of large matrix products, what whole quickstart runs reached on a machine with two cores."""
PRODUCT, PRODUCTS = 512, 20


@dataclass(frozen=True)
class Grid:
    """Which runs a study is made of."""

    presets: tuple[str, ...] = ("quickstart",)
    """Presets to compare; NAME:0,1,2 gives one of them seeds of its own."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Seeds of each preset that has none of its own."""
    vary: tuple[str, ...] = ()
    """Settings to vary, each as KEY=VALUE,VALUE…: model.width=32,64. All combinations are run."""
    set: tuple[str, ...] = ()
    """Settings of all runs, each as KEY=VALUE: train.tokens=2000000."""
    strangers: bool = False
    """Also run strangers (model.cooperation=0) of every combination, as controls."""


@dataclass(frozen=True)
class Job:
    """One run of a study."""

    name: str
    config: RunConfig
    group: str
    """Preset and varied settings: what is the same over seeds."""
    stranger: bool


def jobs(grid: Grid) -> list[Job]:
    """The runs of a grid, strangers last. Raises `InputError` for an unknown preset or key, or a bad setting."""
    fixed = [_setting(text) for text in grid.set]
    varied = [[(key, value) for value in values] for key, values in (_settings(text) for text in grid.vary)]
    if not grid.presets or not grid.seeds:
        raise InputError("study: a grid needs at least one preset and one seed")
    if grid.strangers and any(key.replace("-", "_") == "model.cooperation" for one in varied for key, _ in one):
        raise InputError(
            "study: strangers are towers of cooperation 0; give --vary model.cooperation=0,… or --strangers, not both"
        )
    found = []
    for stranger in (False, True) if grid.strangers else (False,):
        for named, combination in product(grid.presets, list(product(*varied))):
            name, seeds = _own_seeds(named, grid.seeds)
            group = "-".join([name, *(f"{key}={value}" for key, value in combination)])
            for seed in seeds:
                config = replace(preset(name), seed=seed)
                for key, value in [*fixed, *combination]:
                    config = with_setting(config, key, value)
                if stranger:
                    config = replace(config, model=replace(config.model, cooperation=0.0))
                validate(config)
                label = f"{group}-seed{seed}" + ("-strangers" if stranger else "")
                alone = config.model.cooperation == 0 and config.model.towers > 1
                found.append(Job(label.replace("/", "_"), config, group, alone))
    if len({job.name for job in found}) < len(found):
        raise InputError("study: a preset, seed or value is named twice; name each once")
    return found


def _own_seeds(text: str, seeds: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    """A preset's name and seeds, from NAME or NAME:0,1,2."""
    name, colon, own = text.partition(":")
    if not colon:
        return name, seeds
    try:
        return name, tuple(int(seed) for seed in own.split(","))
    except ValueError:
        raise InputError(f"presets: {text!r} is not of the form NAME:SEED,SEED, such as quickstart-bert:0,1") from None


def _settings(text: str) -> tuple[str, list[Any]]:
    key, equals, values = text.partition("=")
    if not equals or not key or not values:
        raise InputError(f"vary: {text!r} is not of the form KEY=VALUE,VALUE, such as model.width=32,64")
    return key, [yaml.safe_load(value) for value in values.split(",")]


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise InputError(f"set: {text!r} is not of the form KEY=VALUE, such as train.tokens=2000000")
    return key, yaml.safe_load(value)


def with_setting(config: RunConfig, key: str, value: Any) -> RunConfig:
    """The configuration with one dotted key replaced. Raises `InputError` for one that does not exist."""
    values = to_dict(config)
    *path, last = key.replace("-", "_").split(".")
    inner = values
    for part in path:
        inner = inner.get(part, {}) if isinstance(inner, dict) else {}
    if not isinstance(inner, dict) or last not in inner:
        raise InputError(f"study: {key!r} is no setting; name one as in config.yaml, such as model.width or seed")
    if isinstance(inner[last], list) and not isinstance(value, list):
        value = [value]
    if isinstance(inner[last], float) and isinstance(value, int):
        value = float(value)
    inner[last] = value
    return from_dict(values, f"study: {key}")


def require_seeds(planned: Sequence[Job]) -> None:
    """Raise `InputError` if there is one seed only, and say what it cannot give."""
    if len({job.config.seed for job in planned}) == 1:
        raise InputError(
            f"study: one seed only ({planned[0].config.seed}); agreement between seeds, the class effect (seeds are "
            "its random effect), the excess over strangers and dose and response need several, because seeds differ "
            "more than settings do; give two or more --seeds, or use `twotower run` for one"
        )


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
    """Run what is missing of a grid, each run in `out/runs/NAME` by a process of its own, and compare what is there.

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
    from .preference.comparison import compare_runs
    from .report.study import render

    described = [(job.name, out / "runs" / job.name, job.group, job.stranger) for job in finished]
    study = compare_runs(described) | {"failed": failed}
    write_text(out / "study.json", json.dumps(study, indent=1) + "\n")
    write_text(out / "study.html", render(out.name, study))
    return study, failed


def _claim(out: Path, grid: Grid, planned: Iterable[Job]) -> None:
    """Make the study's folder, or go on with it: the runs that it already plans must be among the planned ones."""
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
        raise InputError(f"--out: {out} exists and is no study; give another folder")
    out.mkdir(parents=True, exist_ok=True)
    content = {"presets": list(grid.presets), "seeds": list(grid.seeds), "vary": list(grid.vary), "runs": mine}
    write_text(path, yaml.safe_dump(content, sort_keys=False))


def _run_missing(planned: list[Job], out: Path, workers: int, threads: int, say: Callable[[str], None]) -> list[str]:
    failed = []
    with Progress("study", len(planned), "run") as progress, ThreadPoolExecutor(workers) as pool:
        outcomes = pool.map(lambda job: _run(job, out, threads), planned)
        for job, error in zip(planned, outcomes, strict=True):
            if error:
                failed.append(job.name)
                say(f"study: {job.name} failed: {error} (see {out / 'runs' / job.name}.log)")
            progress.advance(1)
    return failed


def _run(job: Job, out: Path, threads: int) -> str:
    """Run one job in a process of its own; returns its last line if it failed. What is up to date takes seconds."""
    folder = out / "runs" / job.name
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "config.yaml").is_file():
        write_text(
            folder / "config.yaml", yaml.safe_dump(to_dict(replace(job.config, threads=threads)), sort_keys=False)
        )
    environment = dict(os.environ)
    if threads:
        environment["OMP_NUM_THREADS"] = str(threads)
    with folder.with_name(folder.name + ".log").open("w", encoding="utf-8") as log:
        done = subprocess.run(
            [sys.executable, "-m", "twotower.cli", "run", "--out", str(folder)], env=environment, stdout=log, stderr=log
        )
    if done.returncode == 0:
        return ""
    lines = folder.with_name(folder.name + ".log").read_text(encoding="utf-8").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"
