"""The runs of a study as job arrays of Slurm (https://slurm.schedmd.com/job_array.html): one script for each array."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..runs.writing import write_text
from ..system.errors import InputError
from .work import ClusterOptions

USUAL_MAX_ARRAY_SIZE = 1001
"""Slurm's own default of `MaxArraySize`: indices are below it. Taken where `scontrol` cannot be asked."""
OURS = ("array", "a", "output", "o", "error", "e", "wrap", "signal", "open-mode", "time", "t", "requeue", "no-requeue")
"""Options of sbatch that the script sets itself."""


def render(study: Path, runs: Sequence[str], threads: int, options: ClusterOptions, sbatch: Sequence[str] = ()) -> str:
    """The script of one array: task K makes the runs K * pack to (K + 1) * pack - 1 of those that it lists.

    `sbatch`: more options of sbatch, as on its command line.
    """
    tasks = -(-len(runs) // options.pack)
    limit = f"%{options.at_once}" if options.at_once else ""
    settings = [
        f"--job-name=twotower-{re.sub(r'[^A-Za-z0-9_.-]', '-', study.resolve().name)}",
        f"--array=0-{tasks - 1}{limit}",
        f"--output={_for_pattern(study.resolve() / 'slurm')}/%A_%a.log",
        "--open-mode=append",
        "--requeue" if options.requeue else "--no-requeue",
        f"--signal=B:USR1@{options.signal_before}",
    ]
    if options.time:
        settings.append(f"--time={options.time}")
    if threads:
        settings.append(f"--cpus-per-task={threads * options.pack}")
    lines = ["#!/bin/bash", *(f"#SBATCH {setting}" for setting in settings)]
    if sbatch:
        lines.append(f"#SBATCH {shlex.join(sbatch)}")
    again = " --requeue" if options.requeue else ""
    return (
        "\n".join(lines)
        + f"""
study={shlex.quote(str(study.resolve()))}
python={shlex.quote(sys.executable)}
runs=(
{chr(10).join("  " + shlex.quote(run) for run in runs)}
)
mine=("${{runs[@]:SLURM_ARRAY_TASK_ID*{options.pack}:{options.pack}}}")
if ! "$python" -c 'import twotower' 2>/dev/null; then
  why="twotower: node $(hostname): $python cannot import twotower; install it in a folder that all nodes share"
  for run in "${{mine[@]}}"; do echo "$why" >> "$study/runs/$run.log"; done
  echo "$why" >&2
  exit 2
fi
export OMP_NUM_THREADS={threads or "${SLURM_CPUS_PER_TASK:-1}"}
exec "$python" -m twotower.cli study work "$study" "${{mine[@]}}"{again}
"""
    )


def submit(
    study: Path, runs: Sequence[str], threads: int, options: ClusterOptions, sbatch: Sequence[str] = ()
) -> list[str]:
    """Write the scripts into `slurm/` and send them; returns the numbers of the jobs, or the scripts under `dry`.

    More tasks than the site lets an array have (`MaxArraySize`) become several arrays. Raises `InputError` if there is
    no sbatch, for options that cannot be, and if sbatch refuses; what was sent by then is named.
    """
    _check(options, sbatch)
    if not options.dry and shutil.which("sbatch") is None:
        raise InputError("--to slurm: there is no sbatch on PATH; run this on a machine that can send jobs to Slurm")
    size = max_array_size() * options.pack
    folder = study / "slurm"
    folder.mkdir(exist_ok=True)
    (study / "runs").mkdir(exist_ok=True)
    sent: list[str] = []
    for number, start in enumerate(range(0, len(runs), size)):
        script = folder / f"array{number}.sh"
        write_text(script, render(study, runs[start : start + size], threads, options, sbatch))
        if options.dry:
            sent.append(str(script))
            continue
        submitted = subprocess.run(["sbatch", "--parsable", str(script)], capture_output=True, text=True)
        if submitted.returncode:
            before = f"jobs {', '.join(sent)} were sent before and stay" if sent else "nothing was sent"
            raise InputError(f"{script}: sbatch refused it ({' '.join(submitted.stderr.split())}); {before}")
        sent.append(submitted.stdout.strip().partition(";")[0])
    return sent


def requeue() -> None:
    """Have the task of an array that this process is queue again. Raises `InputError` if Slurm refuses."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    job = f"{array}_{task}" if array else os.environ.get("SLURM_JOB_ID", "")
    try:
        scontrol = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True)
        refused = " ".join(scontrol.stderr.split()) if scontrol.returncode else ""
    except OSError as error:
        refused = str(error)
    if refused:
        raise InputError(f"job {job}: cannot queue again ({refused}); send it with `twotower study submit`")


def max_array_size() -> int:
    """The most tasks that one array may have here."""
    try:
        slurm_settings = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True).stdout
    except OSError:
        slurm_settings = ""
    match = re.search(r"^MaxArraySize\s*=\s*(\d+)", slurm_settings, re.MULTILINE)
    return max(1, int(match.group(1)) if match else USUAL_MAX_ARRAY_SIZE)


def _check(options: ClusterOptions, sbatch: Sequence[str]) -> None:
    for name, value, least in (
        ("pack", options.pack, 1), ("at-once", options.at_once, 0), ("signal-before", options.signal_before, 1),
    ):  # fmt: skip
        if value < least:
            raise InputError(f"--{name}: {value} is not possible; give {least} or more")
    if options.time and not re.fullmatch(r"(\d+-)?\d+(:\d+){0,2}", options.time):
        raise InputError(f"--time: {options.time!r} is no time limit; give minutes, H:M:S or D-H:M:S")
    for word in sbatch:
        key = word.lstrip("-").partition("=")[0] if word.startswith("-") else ""
        if key in OURS:
            raise InputError(f"{word}: twotower sets this option of sbatch itself; leave it out (see --help)")
        if "\n" in word:
            raise InputError(f"{word!r}: an option of sbatch has no line breaks")


def _for_pattern(path: Path) -> str:
    """A path as sbatch takes it in patterns of file names, where `%` has a meaning."""
    text = str(path).replace("%", "%%")
    if "\n" in text:
        raise InputError(f"{path}: Slurm takes no folder with a line break in its name")
    return shlex.quote(text)
