"""Runs that are killed in the middle go on to the same bytes: in a warm process, under Slurm, under Ray."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace

import pytest

from small_runs import configure
from twotower.comparison.grid import Grid, Job
from twotower.runs.locking import holder
from twotower.runs.records import read_records
from twotower.runs.stages import MAIN
from twotower.studies.manifest import claim, write_manifest
from twotower.studies.status import study_status
from twotower.system.workers import Worker

SAME = ("trunk", "emergence.parquet", "scores.parquet", "results.json")
COMMAND = [sys.executable, "-m", "twotower.cli"]
PATIENCE = 300


def planned(config, out, seeds=1):
    """A study whose runs are long enough to be met in the middle of `train`."""
    jobs = [Job(f"small-seed{seed}", replace(config, seed=seed), "small", False) for seed in range(seeds)]
    claim(out, Grid(), jobs)
    write_manifest(out, jobs, 1, {})
    return [out / "runs" / job.name for job in jobs]


@pytest.fixture
def longer(small):
    return replace(small, train=replace(small.train, tokens=20 * small.train.tokens, checkpoint_seconds=1.0))


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)


def in_the_middle(run):
    """Wait until a run has saved a checkpoint; returns the process that makes it."""
    wait_for(lambda: (run / "checkpoints" / "latest").exists() and holder(run)[1], f"a checkpoint of {run}")
    return holder(run)[1].process


def made(run):
    """What came out, by name."""
    return {name: record.digest for stage in read_records(run).values() for name, record in stage.outputs.items()
            if name in SAME}  # fmt: skip


def resumed(run):
    return json.loads((run / "training.json").read_text())["resumed"]


def whole(config, out):
    """What comes out of a run that nothing interrupts, in a process of its own."""
    configure(out, config)
    subprocess.run([*COMMAND, "run", "--out", str(out)], check=True, capture_output=True)
    return made(out)


@pytest.mark.slow
def test_a_warm_process_makes_the_same_bytes_and_outlives_a_run_that_is_killed(small, finished, tmp_path):
    (run,) = planned(small, tmp_path / "study")
    words = ["study", "work", str(tmp_path / "study"), run.name]
    worker = Worker("twotower.cli.warm", {"OMP_NUM_THREADS": "1"})
    with closing(worker):
        assert worker.ask(["study", "work", str(tmp_path / "study"), "no such run"]) == 2
        killer = threading.Thread(target=lambda: (wait_for(lambda: (run / ".train.partial").is_dir(), "train"),
                                                  os.kill(holder(run)[1].process, signal.SIGKILL)))  # fmt: skip
        killer.start()
        assert worker.ask(words) == -signal.SIGKILL
        killer.join()
        assert study_status(tmp_path / "study")[0].state == "lost"
        warm = worker._process.pid
        assert worker.ask(words) == 0 and worker._process.pid == warm
    assert study_status(tmp_path / "study")[0].state == "finished"
    assert made(run) == made(finished) and made(run).keys() == set(SAME)


@pytest.mark.slow
def test_relative_paths_lead_from_where_a_study_was_planned(small, corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(corpus.parent)
    (run,) = planned(replace(small, prepare=replace(small.prepare, corpus=(corpus.name,))), tmp_path / "study")
    monkeypatch.chdir(tmp_path)
    done = subprocess.run([*COMMAND, "study", "work", "study", run.name], capture_output=True, text=True)
    assert done.returncode == 0, (run.parent / f"{run.name}.log").read_text()
    assert set(read_records(run)) == set(MAIN)


@pytest.mark.slow
def test_ray_tries_a_lost_worker_again_and_the_bytes_are_the_same(longer, tmp_path):
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'twotower[ray]'")
    first, second = planned(longer, tmp_path / "study", seeds=2)
    words = ["study", "submit", str(tmp_path / "study"), "--to", "ray", "--jobs", "2"]
    process = subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    os.kill(in_the_middle(first), signal.SIGKILL)
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert "2 runs: 2 finished" in said and resumed(first) == 1 and set(read_records(second)) == set(MAIN)
    assert made(first) == whole(longer, tmp_path / "whole")


def slurm(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


@pytest.mark.slow
def test_slurm_queues_again_at_the_time_limit_and_by_request_and_the_bytes_are_the_same(longer, tmp_path):
    if shutil.which("sbatch") is None or slurm("sinfo").returncode:
        pytest.skip("no Slurm here: it needs sbatch on PATH and a controller that answers")
    study = tmp_path / "study"
    first, second = planned(longer, study, seeds=2)
    done = slurm(*COMMAND, "study", "submit", str(study), "--to", "slurm", "--time", "10", "--", "--parsable")
    assert done.returncode == 0, done.stderr
    job = done.stdout.partition("jobs: ")[2].split()[0]
    try:
        os.kill(in_the_middle(first), signal.SIGUSR1)  # as Slurm does before the time limit
        in_the_middle(second)
        assert slurm("scontrol", "requeue", f"{job}_1").returncode == 0
        wait_for(lambda: {run.state for run in study_status(study)} <= {"stopped", "lost"}, "both to be stopped")
        assert "the queued job continues from there" in study_status(study)[0].detail
        wait_for(lambda: {run.state for run in study_status(study)} == {"finished"}, "both to be finished")
    finally:
        slurm("scancel", job)
    assert resumed(first) >= 1 and resumed(second) >= 1
    assert made(first) == whole(longer, tmp_path / "whole")
