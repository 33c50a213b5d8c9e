"""How far runs are, from what processes have left in their folders, whatever became of the processes."""

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from twotower import cli
from twotower.comparison.grid import Grid, Job
from twotower.runs.locking import holder, lock
from twotower.studies.local import compare_lines, compare_study
from twotower.studies.manifest import Line, claim, write_manifest
from twotower.studies.status import run_status, study_status
from twotower.system.errors import InputError

HOLD = "import sys, time; from pathlib import Path; from twotower.runs.locking import lock\n" \
    "with lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"  # fmt: skip


@pytest.fixture
def study(small, tmp_path):
    """A planned study of four runs."""
    planned = [Job(f"small-seed{seed}", replace(small, seed=seed), "small", False) for seed in range(4)]
    out = tmp_path / "study"
    claim(out, Grid(), planned)
    write_manifest(out, planned, 1, {})
    return out


def state(study, number):
    return study_status(study)[number]


def held(run):
    run.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(run)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_a_live_process_is_running_and_a_killed_one_is_lost(study):
    run = study / "runs" / "small-seed0"
    assert state(study, 0).state == "waiting"
    process = held(run)
    try:
        status = state(study, 0)
        assert status.state == "running" and f"process {process.pid} on" in status.detail
        with pytest.raises(InputError, match=f"process {process.pid} on"), lock(run):
            pass
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert state(study, 0).state == "lost" and f"process {process.pid} on" in state(study, 0).detail
    with lock(run):
        assert state(study, 0).state == "running"
    assert state(study, 0).state == "waiting" and holder(run) == (False, None)


def test_logs_tell_failed_from_stopped(study):
    (study / "runs").mkdir()
    log = study / "runs" / "small-seed1.log"
    log.write_text(
        "train:  10%\rtrain:  20%\n\ntwotower: train.batch: 33 windows cannot be shared; give a multiple\n\n"
    )
    status = state(study, 1)
    assert (status.state, status.detail) == ("failed", "train.batch: 33 windows cannot be shared; give a multiple")
    with log.open("a") as stream:
        stream.write("# again\ntwotower: train: stopped after 8 of 9 updates; the same command continues from there\n")
    assert state(study, 1).state == "stopped"


def test_what_an_interrupted_command_says_is_known_as_stopped(study, monkeypatch, capsys):
    from twotower.cli import dispatch
    from twotower.system.errors import Interrupted

    for error in (KeyboardInterrupt(), Interrupted("train: stopped after 8 of 9 updates; checkpoint saved")):

        def stop(*_, error=error):
            raise error

        monkeypatch.setattr(dispatch, "_run", stop)
        assert cli.main(["study", "work"]) == 130
        (study / "runs").mkdir(exist_ok=True)
        (study / "runs" / "small-seed1.log").write_text(capsys.readouterr().err)
        assert state(study, 1).state == "stopped"


def test_finished_runs_are_compared_whatever_became_of_the_others(study, finished, second_seed, capsys):
    with pytest.raises(InputError, match="fewer than two runs"):
        compare_study(study)
    shutil.copytree(finished, study / "runs" / "small-seed0")
    shutil.copytree(second_seed, study / "runs" / "small-seed1")
    (study / "runs" / "small-seed2.log").write_text("twotower: no\n")
    assert [run.state for run in study_status(study)] == ["finished", "finished", "failed", "waiting"]
    assert cli.main(["study", "status", str(study)]) == 0
    output = capsys.readouterr().out
    assert "4 runs: 2 finished, 0 running, 0 stopped, 1 failed, 0 lost, 1 waiting" in output
    assert cli.main(["study", "compare", str(study)]) == 0
    comparison = json.loads((study / "study.json").read_text())
    assert [row["name"] for row in comparison["runs"]] == ["small-seed0", "small-seed1"]
    assert comparison["failed"] == ["small-seed2", "small-seed3"]
    assert cli.main(["study", "status", str(study), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out.partition("study.html\n")[2])["runs"]
    assert [row["state"] for row in rows] == ["finished", "finished", "failed", "waiting"]


def test_strangers_alone_are_compared_too(study, finished, small):
    """A control of runs that were made before needs no pairs beside it. Copies of one run agree in nothing."""
    lines = []
    for name in ("small-seed0", "small-seed1"):
        shutil.copytree(finished, study / "runs" / name)
        lines.append(Line(name, f"runs/{name}", None, "small", True, small))
    comparison = compare_lines(lines, study, [])
    assert [row.stranger for row in comparison.runs] == [True, True]
    assert (study / "study.html").is_file() and comparison.profiles_of_strangers is None


def test_a_damaged_record_is_a_failure_that_names_the_file(study, small):
    run = study / "runs" / "small-seed0"
    run.mkdir(parents=True)
    (run / "stages.json").write_text("{")
    status = run_status(study, "small-seed0", small)
    assert status.state == "failed" and "stages.json is damaged" in status.detail


def test_a_run_that_another_process_makes_is_left_alone_with_its_log(study):
    run = study / "runs" / "small-seed3"
    process = held(run)
    log = run.with_name("small-seed3.log")
    log.write_text("train: 10%\n")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "twotower.cli", "study", "work", str(study), "small-seed3"],
            capture_output=True, text=True,
        )  # fmt: skip
    finally:
        process.kill()
        process.communicate()
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "another twotower process is at work in this folder" in done.stderr
    assert log.read_text() == "train: 10%\n" and not (run / "config.yaml").exists()
