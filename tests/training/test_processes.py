"""Two processes on one machine (gloo) train the same towers as one."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml

import twotower
from launching import launch, torchrun
from small_runs import configure
from twotower import cli
from twotower.config.settings import to_dict
from twotower.modeling.configuration import READOUT_SETS
from twotower.runs.records import read_records, write_records
from twotower.runs.stages import STAGES
from twotower.scoring.direction import CONTEXTS
from twotower.system.processes import Processes

CLI = ("-m", "twotower.cli")


def curve(run):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [row["joint"] for row in rows if row["kind"] == "train"], [
        row["joint_nats"] for row in rows if row["kind"] == "heldout"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("shard", [False, True])
@pytest.mark.parametrize("family", ["gpt", "bert", "elmo", "hf:modernbert"])
def test_two_processes_follow_the_same_trajectory_as_one(family_runs, tmp_path, family, shard):
    out, finished = tmp_path / "two", family_runs(family)
    config = twotower.Run.load(finished).config
    twotower.run(config, out, stages=("prepare",))
    assert yaml.safe_load((out / "config.yaml").read_text()) == to_dict(config)
    if shard:
        done = torchrun(2, *CLI, "train", "--out", out, "--train.shard")
    else:
        accelerate = ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0"]
        done = launch(*accelerate, *CLI, "train", "--out", out)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads((out / "training.json").read_text())["processes"] == 2
    for losses, expected in zip(curve(out), curve(finished), strict=True):
        assert losses == pytest.approx(expected, rel=1e-5)


def test_a_launcher_that_starts_one_process_of_two_is_found_out(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert cli.main(["train", "--out", str(tmp_path / "run")]) == 2
    assert "add --multi_gpu" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("family", ["gpt", "bert"])
def test_two_processes_make_the_same_run_as_one(family_runs, tmp_path, family):
    """Training, readouts and scores; what the first process does alone follows from them."""
    out, finished = tmp_path / "two", family_runs(family)
    configure(out, twotower.Run.load(finished).config)
    for _ in range(2):  # the second time there is nothing to do
        done = torchrun(2, *CLI, "run", "--out", out)
        assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr.count("score: done before, skipped") == 1, done.stderr
    assert done.stdout.count(str(out / "report.html")) == 1, done.stdout
    one, two = (twotower.Run.load(run) for run in (finished, out))
    same = ["document", "position", "piece", "word", "upos"]
    assert two.scores()[same].equals(one.scores()[same])
    scores = pd.read_parquet(finished / "scores.parquet")
    between_sets = float(np.abs(scores["second_1"] - scores["readout_1"]).mean())
    for table in ("scores", "context", "direction"):
        a, b = (pd.read_parquet(run.path / f"{table}.parquet") for run in (one, two))
        assert list(a.columns) == list(b.columns) and len(a) == len(b)
        numbers = a.select_dtypes("number")
        parts = {name: set(name.split("_")) for name in numbers}
        of_readouts = [name for name in numbers if parts[name] & {*READOUT_SETS, *CONTEXTS}]
        exact = numbers.columns.drop(of_readouts)
        np.testing.assert_allclose(b[exact].to_numpy(), a[exact].to_numpy(), atol=2e-3)
        if of_readouts:  # rounding moves readouts far less than other initial weights and another order do
            assert np.abs(b[of_readouts] - a[of_readouts]).mean().max() < 0.05 * between_sets
    assert not [path for path in out.rglob("*") if "partial" in path.name or path.name == "parts"]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["gpt", "bert"])
def test_two_processes_score_a_finished_model_as_one_does(family_runs, tmp_path, family):
    out, finished = tmp_path / "two", family_runs(family)
    shutil.copytree(finished, out)
    records = read_records(out)
    before = {name: records["score"].outputs[name].digest for name in STAGES["score"].outputs}
    del records["score"]
    write_records(out, records)
    done = torchrun(2, *CLI, "score", "--out", out)
    assert done.returncode == 0, done.stderr[-2000:]
    after = read_records(out)["score"].outputs
    assert {name: after[name].digest for name in before} == before  # batches are the same, and so is every bit


@pytest.mark.slow
def test_bad_input_ends_all_processes_with_one_line(family_runs, tmp_path):
    out = tmp_path / "two"
    configure(out, twotower.Run.load(family_runs("gpt")).config)
    done = torchrun(2, *CLI, "run", "--out", out, "--train.batch", "3", "--overwrite")
    lines = [line for line in done.stderr.splitlines() if line.startswith("twotower: ")]
    assert done.returncode != 0
    assert len(lines) == 1 and "train.batch: 3 windows cannot be shared evenly by 2 processes" in lines[0], done.stderr


def test_a_command_that_makes_no_run_is_refused_under_a_launcher(monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    assert cli.main(["list"]) == 2
    assert "`twotower list` does not run under a launcher" in capsys.readouterr().err


def test_stretches_of_whole_batches_cover_every_row_once():
    for rows in (0, 1, 7, 8, 9, 100):
        for count in (1, 2, 3, 5):
            starts = [start for rank in range(count) for start in Processes(rank, count).starts(rows, 8)]
            assert starts == list(range(0, rows, 8)), (rows, count)
