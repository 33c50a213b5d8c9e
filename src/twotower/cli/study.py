"""`twotower study` and `twotower compare`: what many runs say together (for studies on a cluster see `cluster.py`)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ..comparison.grid import Grid, jobs, require_seeds, set_texts, vary_texts
from ..config.settings import read_settings, require_known, setting_types, with_settings
from ..studies import are_diffs, compare_folders, compare_folders_of_diffs, estimate_seconds, run_study
from ..studies.local import compare_study
from ..studies.manifest import claim, write_manifest
from ..studies.status import is_finished
from ..system.durations import duration
from ..system.errors import InputError
from .helptext import STUDY
from .options import Command, peek, read, study_first
from .output import FAILURE, SUCCESS, Output, as_list, say

if TYPE_CHECKING:
    from ..comparison.study import Study


@dataclass(frozen=True)
class StudyArguments:
    """What `study` takes."""

    grid: Annotated[Grid, tyro.conf.arg(name="")] = field(default_factory=Grid)
    settings: Annotated[Path | None, tyro.conf.arg(name="config", metavar="FILE.yaml")] = None
    """A YAML file with any of these options, such as the study.yaml of another study. Options on the command line win
    over it."""
    out: Path = Path("studies/study")
    """The study's folder. What is finished there is kept, and a grid that contains it continues it."""
    jobs: int = 1
    """Runs at a time."""
    threads: int = 1
    """CPU threads of each run."""
    dry: tyro.conf.FlagCreatePairsOff[bool] = False
    """Only show what would be run."""
    plan: tyro.conf.FlagCreatePairsOff[bool] = False
    """Only write the study's manifest, a line for each run, for `twotower study submit`."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


@dataclass(frozen=True)
class CompareArguments:
    """What `compare` takes."""

    runs: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="RUN RUN [RUN …]")] = ()
    """Run folders, each with a name of its own: of towers, or comparisons of two models (`twotower diff`)."""
    out: Path = Path("studies/comparison")
    """The folder of the comparison."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


@dataclass(frozen=True)
class OneStudyArguments:
    """What `study status` and `study compare` take."""

    study: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="STUDY")] = STUDY
    """The study's folder."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def study(command: Command, words: list[str]) -> int:
    """Plan the grid, show it, run what is missing, and compare; 1 if a run failed."""
    path = peek(words, "--config")
    parsed = read(command, words, with_study_file(StudyArguments(), Path(path)) if path else StudyArguments())
    if parsed.jobs < 1 or parsed.threads < 0:
        raise InputError("--jobs must be 1 or more, --threads 0 (PyTorch's default) or more")
    output = parsed.output
    planned = jobs(parsed.grid)
    require_seeds(planned)
    missing = [job for job in planned if not is_finished(parsed.out / "runs" / job.name, job.config)]
    seconds = dict(zip((job.name for job in missing), estimate_seconds(missing), strict=True))
    for job in planned:
        state = f"to run, about {duration(seconds[job.name])}" if job.name in seconds else "finished"
        output.say(f"{job.name}  {job.config.train.tokens:,} tokens  {state}")
    cores = min(parsed.jobs, os.cpu_count() or 1)
    total = sum(seconds.values()) / cores
    output.say(
        f"study: about {duration(total)} for what is missing, {parsed.jobs} at a time, {_threads(parsed.threads)} each"
    )
    if parsed.dry:
        rows = [{"name": job.name, "tokens": job.config.train.tokens, "finished": job.name not in seconds,
                 "seconds": seconds.get(job.name)} for job in planned]  # fmt: skip
        if output.json or output.quiet:
            output.result({"runs": rows, "seconds": total}, f"study: {len(missing)} of {len(planned)} runs are missing")
        return SUCCESS
    if parsed.plan:
        claim(parsed.out, parsed.grid, planned)
        write_manifest(parsed.out, planned, parsed.threads, seconds)
        manifest = parsed.out / "manifest.jsonl"
        output.result(
            {"manifest": str(manifest), "runs": len(planned), "seconds": total},
            f"{manifest}: {len(planned)} runs; send them with twotower study submit {parsed.out}",
        )
        return SUCCESS
    with output.progress():
        compared, failed = run_study(parsed.grid, parsed.out, parsed.jobs, parsed.threads, say, seconds)
    _show(compared, parsed.out, output)
    return FAILURE if failed else SUCCESS


def compare(command: Command, words: list[str]) -> int:
    """Compare finished runs, or comparisons of models, wherever they are."""
    parsed = read(command, words, CompareArguments())
    if not are_diffs(parsed.runs):
        with parsed.output.progress():
            compared = compare_folders(parsed.runs, parsed.out)
        return _show(compared, parsed.out, parsed.output)
    from ..report.diffs import conclusions_of_diffs, finding_of_diffs

    diffs = compare_folders_of_diffs(parsed.runs, parsed.out)
    sentences = [finding_of_diffs(diffs), *conclusions_of_diffs(diffs)]
    page = parsed.out / "diffs.html"
    data = {"study": str(parsed.out), "conclusions": sentences, "page": str(page)}
    parsed.output.result(data, f"compare: {page}", as_list(sentences))
    return SUCCESS


def compare_one(command: Command, words: list[str]) -> int:
    """Compare what is finished of a study."""
    parsed = read(command, study_first(command, words), OneStudyArguments())
    with parsed.output.progress():
        compared = compare_study(parsed.study)
    return _show(compared, parsed.study, parsed.output)


def with_study_file(arguments: StudyArguments, path: Path) -> StudyArguments:
    """The arguments with those of a YAML file, under their names on the command line. Raises `InputError` as it does.

    `set` and `vary` may be mappings there: `vary: {model.width: [32, 64]}`. The `runs` that a `study.yaml` lists follow
    from its other settings.
    """
    values = {str(name).replace("-", "_"): value for name, value in read_settings(path).items() if name != "runs"}
    for name, texts in (("set", set_texts), ("vary", vary_texts)):
        if isinstance(values.get(name), dict):
            values[name] = list(texts(values[name], f"{path}: {name}"))
    own = setting_types(StudyArguments).keys()
    of_grid = {name.removeprefix("grid.") for name in own if name.startswith("grid.")}
    known = {name for name in own if not name.startswith(("grid.", "output.", "settings"))} | of_grid
    require_known(values, sorted(known), str(path))
    grid = with_settings(arguments.grid, {key: values[key] for key in values if key in of_grid}, str(path))
    rest = with_settings(arguments, {key: values[key] for key in values if key not in of_grid}, str(path))
    return replace(rest, grid=grid)


def _show(compared: Study, out: Path, output: Output) -> int:
    """The conclusions of a comparison, and where its page is."""
    from ..report.study_answers import conclusions

    sentences = conclusions(compared)
    page = out / "study.html"
    data = {"study": str(out), "conclusions": sentences, "failed": compared.failed, "page": str(page)}
    output.result(data, f"study: {page}", as_list(sentences))
    return SUCCESS


def _threads(count: int) -> str:
    return {0: "PyTorch's number of threads", 1: "one thread"}.get(count, f"{count} threads")
