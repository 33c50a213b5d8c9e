"""Resuming equals not stopping: every family, objective and optimizer, in one process and in two."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import twotower
from twotower.config.schema import OBJECTIVES
from twotower.runs.records import read_records
from twotower.runs.sharing import adopt
from twotower.system.errors import Interrupted
from twotower.training import loop

UPDATES = 12
RESUMED = pytest.mark.promise("a run that was interrupted and resumed gives the same bytes")
CASES = [
    pytest.param(family, objective, optimizer, marks=[RESUMED] if (objective, optimizer) == (usual, "adamw") else [])
    for family, (usual, *others) in OBJECTIVES.items()
    for objective in (usual, *others)
    for optimizer in ("adamw", "muon")
]
OTHERS = [("hf:llama", "causal"), ("hf:modernbert", "masked")]


@pytest.fixture(scope="module")
def prepared(small, tmp_path_factory):
    return twotower.run(small, tmp_path_factory.mktemp("prepared") / "run", stages=("prepare",)).path


def configured(small, family, objective, optimizer, **model):
    train = replace(
        small.train, tokens=UPDATES * 8 * 16, batch=8, masked=0.4, optimizer=optimizer, evaluation_tokens=600,
        readout_learning_rate=1e-2,
    )  # fmt: skip
    return replace(
        small, model=replace(small.model, family=family, objective=objective, dropout=0.1, **model), train=train
    )


def trained(config, prepared, out):
    """The digests of what the stage `train` wrote, but for `training.json`, which holds times."""
    adopt(out, prepared, "prepare")
    twotower.run(config, out, stages=("train",))
    return digests(out)


def digests(run):
    outputs = read_records(run)["train"]["outputs"]
    return {name: known["digest"] for name, known in outputs.items() if name != "training.json"}


def check(config, prepared, tmp_path, monkeypatch):
    whole = trained(config, prepared, tmp_path / "whole")
    updates, calls = loop.update, 0

    def interrupting(*arguments):
        nonlocal calls
        calls += 1
        if calls in (2, 7):
            signal.raise_signal(signal.SIGTERM)
        return updates(*arguments)

    monkeypatch.setattr(loop, "update", interrupting)
    for _ in range(2):
        with pytest.raises(Interrupted, match="checkpoint saved"):
            trained(config, prepared, tmp_path / "resumed")
    assert trained(config, prepared, tmp_path / "resumed") == whole
    assert calls == UPDATES  # nothing was done twice


@pytest.mark.parametrize(("family", "objective", "optimizer"), CASES)
def test_a_resumed_run_has_the_digests_of_one_that_was_not_stopped(
    small, prepared, tmp_path, monkeypatch, family, objective, optimizer
):
    check(configured(small, family, objective, optimizer), prepared, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize(("family", "objective"), OTHERS)
def test_so_has_any_backbone_of_transformers(small, prepared, tmp_path, monkeypatch, family, objective, optimizer):
    check(configured(small, family, objective, optimizer), prepared, tmp_path, monkeypatch)


@pytest.mark.parametrize("settings", [{"towers": 3}, {"cooperation": 0.5}, {"family": "bert", "positions": "relative"}])
def test_so_have_other_models(small, prepared, tmp_path, monkeypatch, settings):
    config = configured(small, "gpt", "auto", "adamw")
    check(replace(config, model=replace(config.model, **settings)), prepared, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "optimizer", "shard"),
    [
        ("gpt", "muon", False),
        ("bert", "muon", False),
        *((family, "adamw", shard) for family in OBJECTIVES for shard in (False, True)),
    ],
)  # muon is refused where parameters are sharded
def test_two_processes_resume_to_the_same_digests(small, prepared, tmp_path, family, optimizer, shard):
    config = configured(small, family, "auto", optimizer)
    config = replace(config, train=replace(config.train, shard=shard))
    for name, stop_at, expected in (("whole", 0, 0), ("resumed", 5, 130), ("resumed", 0, 0)):
        adopt(tmp_path / name, prepared, "prepare")
        twotower.run(config, tmp_path / name, stages=("prepare",))  # writes config.yaml, which the processes read
        done = subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
             str(Path(__file__).with_name("stopping_process.py")), str(tmp_path / name), str(stop_at)],
            capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert (done.returncode != 0) == (expected != 0), done.stderr[-3000:]
        assert ("checkpoint saved" in done.stderr) == (expected == 130), done.stderr[-3000:]
        assert "Error" not in done.stderr.replace("ChildFailedError", ""), done.stderr[-5000:]
    assert digests(tmp_path / "resumed") == digests(tmp_path / "whole")
