"""Two processes on one machine (gloo) train the same towers as one."""

import json
import os
import subprocess
import sys

import pytest

import twotower
from twotower import cli
from twotower.config import to_dict


def curve(run):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [row["joint"] for row in rows if row["kind"] == "train"], [
        row["joint_nats"] for row in rows if row["kind"] == "heldout"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("shard", [False, True])
@pytest.mark.parametrize("family", ["gpt", "bert", "elmo", "hf:modernbert"])
def test_two_processes_follow_the_same_trajectory_as_one(family_runs, tmp_path, family, shard):
    import yaml

    out, finished = tmp_path / "two", family_runs(family)
    config = twotower.Run.load(finished).config
    twotower.run(config, out, stages=("prepare",))
    assert yaml.safe_load((out / "config.yaml").read_text()) == to_dict(config)
    launchers = {
        False: ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0"],
        True: ["torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
    }
    launch = [sys.executable, "-m", *launchers[shard], "-m", "twotower.cli"]
    for _ in range(2):  # the second time there is nothing to do, for either process
        done = subprocess.run(
            [*launch, "train", "--out", str(out), "--train.shard" if shard else "--train.no-shard"],
            capture_output=True, text=True, timeout=240, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
    assert "done before, skipped" in done.stderr
    assert json.loads((out / "training.json").read_text())["processes"] == 2
    for one, two in zip(curve(finished), curve(out), strict=True):
        assert two == pytest.approx(one, rel=1e-5)


def test_a_launcher_that_starts_one_process_of_two_is_found_out(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert cli.main(["train", "--out", str(tmp_path / "run")]) == 2
    assert "add --multi_gpu" in capsys.readouterr().err


def test_only_training_runs_under_a_launcher(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert cli.main(["run", "--out", str(tmp_path / "run")]) == 2
    assert "only `twotower train` runs under a launcher" in capsys.readouterr().err
