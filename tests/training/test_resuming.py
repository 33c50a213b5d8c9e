"""Resuming equals not stopping: every family, objective and optimizer, in one process and in two."""

import json
import signal
from dataclasses import replace

import pytest

import twotower
from launching import train
from twotower.config.schema import OBJECTIVES
from twotower.runs.records import read_records
from twotower.runs.sharing import adopt
from twotower.system.errors import Interrupted
from twotower.training import loop

UPDATES = 12
RESUMED = pytest.mark.promise("a run that was interrupted and resumed gives the same bytes")
OPTIMIZERS = ("adamw", "muon")
CASES = [
    *(pytest.param({"family": family, "objective": objective}, optimizer,
                   marks=[RESUMED] if (objective, optimizer) == (usual, "adamw") else [])
      for family, (usual, *others) in OBJECTIVES.items() for objective in (usual, *others) for optimizer in OPTIMIZERS),
    *(pytest.param({"family": family, "objective": "auto"}, optimizer, marks=pytest.mark.slow)
      for family in ("hf:llama", "hf:modernbert") for optimizer in OPTIMIZERS),
    *((model, "adamw") for model in (
        {"dropout": 0.0}, {"towers": 3}, {"cooperation": 0.5}, {"family": "bert", "positions": "relative"})),
]  # fmt: skip


def configured(small, optimizer, **model):
    train = replace(
        small.train, tokens=UPDATES * 8 * 16, batch=8, masked=0.4, optimizer=optimizer, evaluation_tokens=600,
        readout_learning_rate=1e-2,
    )  # fmt: skip
    return replace(small, model=replace(small.model, **{"dropout": 0.1} | model), train=train)


def trained(config, prepared, out):
    """The digests of what the stage `train` wrote, but for `training.json`, which holds times."""
    adopt(out, prepared, "prepare")
    twotower.run(config, out, stages=("train",))
    return digests(out)


def digests(run):
    outputs = read_records(run)["train"].outputs
    return {name: known.digest for name, known in outputs.items() if name != "training.json"}


@pytest.mark.parametrize(("model", "optimizer"), CASES)
def test_a_resumed_run_has_the_digests_of_one_that_was_not_stopped(
    small, prepared, tmp_path, monkeypatch, model, optimizer
):
    config = configured(small, optimizer, **model)
    whole = trained(config, prepared, tmp_path / "whole")
    update, updates = loop.update, 0
    stops = {2: signal.SIGINT, 7: signal.SIGTERM}

    def interrupting(*arguments):
        nonlocal updates
        updates += 1
        if updates in stops:
            signal.raise_signal(stops[updates])
        return update(*arguments)

    monkeypatch.setattr(loop, "update", interrupting)
    for _ in stops:
        with pytest.raises(Interrupted, match="checkpoint saved"):
            trained(config, prepared, tmp_path / "resumed")
    assert trained(config, prepared, tmp_path / "resumed") == whole
    assert updates == UPDATES  # nothing was done twice
    assert json.loads((tmp_path / "resumed" / "training.json").read_text())["resumed"] == 2
    assert not (tmp_path / "resumed" / "checkpoints").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("family", "optimizer", "shard"), [
    ("gpt", "adamw", False), ("gpt", "muon", False), *((family, "adamw", True) for family in OBJECTIVES),
])  # fmt: skip
def test_two_processes_resume_to_the_same_digests(small, prepared, tmp_path, family, optimizer, shard):
    config = configured(small, optimizer, family=family)
    config = replace(config, train=replace(config.train, shard=shard))  # muon is refused where parameters are sharded
    for name, stop_at in (("whole", 0), ("resumed", 5), ("resumed", 0)):
        adopt(tmp_path / name, prepared, "prepare")
        twotower.run(config, tmp_path / name, stages=("prepare",))  # writes config.yaml, which the processes read
        train(tmp_path / name, 2, stop_at)
    assert digests(tmp_path / "resumed") == digests(tmp_path / "whole")
