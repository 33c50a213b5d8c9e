"""Job arrays: the scripts, and what becomes of them where Slurm refuses or a node lacks the environment."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from twotower import cli
from twotower.comparison.grid import Grid, jobs
from twotower.studies.manifest import claim, write_manifest
from twotower.studies.on_slurm import render, submit
from twotower.studies.work import ClusterOptions
from twotower.system.errors import InputError


@pytest.fixture
def study(tmp_path):
    grid = Grid(seeds=tuple(range(5)))
    claim(tmp_path / "a study", grid, jobs(grid))
    write_manifest(tmp_path / "a study", jobs(grid), 2, {})
    return tmp_path / "a study"


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Put executable scripts first on PATH: commands(sbatch="…")."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def add(**bodies):
        for name, body in bodies.items():
            (folder / name).write_text(f"#!/bin/bash\n{body}\n")
            (folder / name).chmod(0o755)

    return add


RUNS = [f"quickstart-seed{seed}" for seed in range(5)]


def ran_by(script, task, tmp_path):
    """What a task of the array would start, with an interpreter that says it instead."""
    python = tmp_path / "python"
    python.write_text('#!/bin/bash\n[ "$1" = -c ] || echo "$OMP_NUM_THREADS: $*"\n')
    python.chmod(0o755)
    lines = [f"python={python}" if line.startswith("python=") else line for line in script.splitlines()]
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)], env=dict(os.environ, SLURM_ARRAY_TASK_ID=str(task)), capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_run_is_in_one_task_and_tasks_are_packed(study, tmp_path):
    script = render(study, RUNS, 2, ClusterOptions(pack=2, at_once=4, time="4:00:00"), ("-p", "gpu", "--mem=8G"))
    for line in ("--array=0-2%4", "--requeue", "--signal=B:USR1@120", "--time=4:00:00", "--cpus-per-task=4"):
        assert f"#SBATCH {line}\n" in script
    assert "#SBATCH -p gpu --mem=8G\n" in script
    started = [ran_by(script, task, tmp_path) for task in range(3)]
    assert [one.split()[-3:] for one in started] == [
        [*RUNS[0:2], "--requeue"], [*RUNS[2:4], "--requeue"], ["study", RUNS[4], "--requeue"],
    ]  # fmt: skip
    assert all(one.startswith(f"2: -m twotower.cli study work {study} ") for one in started)
    assert "--requeue" not in ran_by(render(study, RUNS, 2, ClusterOptions(requeue=False)), 0, tmp_path)


def test_names_are_never_read_as_shell(study, tmp_path):
    hostile = ["$(touch bad)", "a b", "'; touch bad"]
    script = render(study, hostile, 0, ClusterOptions(pack=3))
    assert ran_by(script, 0, tmp_path) == f"1: -m twotower.cli study work {study} {' '.join(hostile)} --requeue"


def test_a_node_without_the_environment_says_so_in_the_log_of_each_run(study):
    (study / "runs").mkdir()
    lines = render(study, RUNS, 1, ClusterOptions(pack=2)).splitlines()
    script = "\n".join("python=/absent/python" if line.startswith("python=") else line for line in lines)
    done = subprocess.run(["bash", "-c", script], env=dict(os.environ, SLURM_ARRAY_TASK_ID="1"), capture_output=True)
    assert done.returncode == 2
    logs = sorted((study / "runs").glob("*.log"))
    assert [log.stem for log in logs] == RUNS[2:4]
    assert all("/absent/python cannot import twotower" in log.read_text() for log in logs)
    from twotower.studies.status import study_status

    assert [run.state for run in study_status(study)] == ["waiting", "waiting", "failed", "failed", "waiting"]


def test_the_sites_limit_splits_arrays(study, commands):
    commands(
        scontrol='echo "MaxArraySize            = 2"',
        sbatch='echo "$@" >> "$(dirname "$0")/sent"; grep -c . "$(dirname "$0")/sent"',
    )
    assert submit(study, RUNS, 1, ClusterOptions()) == ["1", "2", "3"]
    scripts = [(study / "slurm" / f"array{number}.sh").read_text() for number in range(3)]
    assert [f"--array=0-{last}\n" in script for last, script in zip((1, 1, 0), scripts, strict=True)] == [True] * 3
    assert all(sum(run in script for script in scripts) == 1 for run in RUNS)


def test_a_queue_that_refuses_is_one_line_and_what_was_sent_is_named(study, commands, capsys):
    commands(sbatch='echo "sbatch: error: invalid partition specified: gpu" >&2; exit 1', scontrol="exit 1")
    assert cli.main(["study", "submit", str(study), "--to", "slurm", "--", "--partition=gpu"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert (
        len(lines) == 2 and "sbatch refused it (sbatch: error: invalid partition specified: gpu); nothing" in lines[1]
    )
    body = (
        'here=$(dirname "$0"); [ -e "$here/once" ] && { echo "limit reached" >&2; exit 1; }; touch "$here/once"; echo 7'
    )
    commands(sbatch=body, scontrol='echo "MaxArraySize = 2"')
    with pytest.raises(InputError, match=r"\(limit reached\); jobs 7 were sent before and stay"):
        submit(study, RUNS, 1, ClusterOptions())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "slurm"], "there is no sbatch on PATH"),
        (["--to", "slurm", "--pack", "0"], "--pack: 0 is not possible"),
        (["--to", "slurm", "--time", "soon"], "'soon' is no time limit"),
        (["--to", "slurm", "--", "--array=0-9"], "twotower sets this option of sbatch itself"),
        (["--to", "ray", "--", "--partition=gpu"], "options after -- are sbatch's"),
        (["--to", "pbs"], "--to"),
    ],
)
def test_what_cannot_be_sent_is_one_line(study, words, message, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/absent")
    assert cli.main(["study", "submit", str(study), *words]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("study: 5 of 5 runs")]
    assert len(lines) == 1 and message in lines[0] and not (study / "runs").exists()


def test_a_task_asks_for_itself_to_be_queued_again(commands, monkeypatch):
    from twotower.studies import on_slurm

    commands(scontrol='echo "$@" > "$(dirname "$0")/asked"')
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "12")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    on_slurm.requeue()
    log = shutil.which("scontrol").replace("scontrol", "asked")
    assert Path(log).read_text() == "requeue 12_3\n"
    commands(scontrol='echo "Requested operation is presently disabled" >&2; exit 1')
    with pytest.raises(InputError, match=r"job 12_3: cannot queue again \(Requested operation is presently disabled\)"):
        on_slurm.requeue()
