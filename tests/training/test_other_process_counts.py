"""A run that was stopped goes on with another number of processes, sharded or not, along the same trajectory."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import twotower
from launching import torchrun, train
from twotower import cli
from twotower.config.schema import OBJECTIVES
from twotower.runs.checkpoint_index import INDEX, read_index, shard_name
from twotower.runs.sharing import adopt
from twotower.system.errors import InputError
from twotower.training.checkpoints import find_checkpoint
from twotower.training.loop import require_even_shares

UPDATES, BATCH = 12, 6


def configured(small, family, shard):
    train = replace(
        small.train, tokens=UPDATES * BATCH * 16, batch=BATCH, masked=0.4, evaluations=6, evaluation_tokens=300,
        shard=shard,
    )  # fmt: skip
    return replace(small, model=replace(small.model, family=family), train=train)


def train_as(run, config, processes, stop_at=0):
    """Train by a configuration in so many processes, one of which may stop at update `stop_at`; what was said."""
    twotower.run(config, run, stages=("prepare",))  # writes config.yaml, which the processes read
    if processes == 1 and not stop_at:
        assert cli.main(["train", "--out", str(run)]) == 0
        return ""
    return train(run, processes, stop_at)


def checkpoint(run):
    return sorted(path.name for path in (run / "checkpoints" / "latest").iterdir())


def curve(run):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(row["step"], row.get("joint", row.get("joint_nats"))) for row in rows]


def same_losses(run, other):
    (steps, losses), (its_steps, its_losses) = (zip(*curve(trained), strict=True) for trained in (run, other))
    assert steps == its_steps and losses == pytest.approx(its_losses, rel=1e-5)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("family", OBJECTIVES)
def test_a_run_goes_on_with_any_number_of_processes(small, prepared, tmp_path, family):
    sharded, plain = configured(small, family, shard=True), configured(small, family, shard=False)
    for name in ("whole", "from two", "from one"):
        adopt(tmp_path / name, prepared, "prepare")
    train_as(tmp_path / "whole", plain, 1)

    train_as(tmp_path / "from two", sharded, 2, stop_at=5)
    assert checkpoint(tmp_path / "from two") == [shard_name(0, 2), shard_name(1, 2), INDEX]
    for count in (1, 3):
        shutil.copytree(tmp_path / "from two", tmp_path / f"two to {count}")
    train_as(tmp_path / "two to 1", sharded, 1)
    same_losses(tmp_path / "two to 1", tmp_path / "whole")

    train_as(tmp_path / "two to 3", sharded, 3, stop_at=4)
    assert checkpoint(tmp_path / "two to 3") == [*(shard_name(number, 3) for number in range(3)), INDEX]
    newest = tmp_path / "two to 3" / "checkpoints" / "latest" / shard_name(2, 3)
    newest.write_bytes(newest.read_bytes()[:-1])  # so the shards of two are used, by all three and by the next two
    output = train_as(tmp_path / "two to 3", plain, 2)
    assert output.count("latest: the checkpoint is damaged") == 1
    same_losses(tmp_path / "two to 3", tmp_path / "whole")
    assert json.loads((tmp_path / "two to 3" / "training.json").read_text())["resumed"] == 1

    train_as(tmp_path / "from two", sharded, 3)
    same_losses(tmp_path / "from two", tmp_path / "whole")
    assert json.loads((tmp_path / "from two" / "training.json").read_text())["processes"] == 3

    train_as(tmp_path / "from one", plain, 1, stop_at=5)
    assert checkpoint(tmp_path / "from one") == ["model.safetensors", "optimizer.safetensors", INDEX]
    train_as(tmp_path / "from one", sharded, 2)
    same_losses(tmp_path / "from one", tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("harm", ["full", "killed"])
def test_a_process_that_cannot_write_its_shard_stops_all_and_costs_one_checkpoint(small, prepared, tmp_path, harm):
    config = configured(small, "gpt", shard=True)
    config = replace(config, train=replace(config.train, checkpoint_seconds=1e-9))
    run = tmp_path / "run"
    for out in (run, tmp_path / "whole"):
        adopt(out, prepared, "prepare")
    train_as(tmp_path / "whole", config, 1)
    twotower.run(config, run, stages=("prepare",))
    done = torchrun(2, Path(__file__).with_name("failing_process.py"), run, 3, harm)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if line.startswith("twotower: ")]
    assert harm == "killed" or (len(lines) == 1 and "no space left" in lines[0] and shard_name(1, 2) in lines[0]), lines
    left = find_checkpoint(run / "checkpoints" / "latest")
    assert left == run / "checkpoints" / "latest" and read_index(left).state["step"] == 2
    train_as(run, config, 1)
    same_losses(run, tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("shard", [False, True])
def test_processes_save_on_the_way_and_train_on(small, prepared, tmp_path, shard):
    config = configured(small, "gpt", shard)
    config = replace(config, train=replace(config.train, checkpoint_seconds=1e-9))
    for name in ("run", "whole"):
        adopt(tmp_path / name, prepared, "prepare")
    train_as(tmp_path / "whole", config, 1)
    output = train_as(tmp_path / "run", config, 2)
    assert "Traceback" not in output
    same_losses(tmp_path / "run", tmp_path / "whole")


def test_a_number_of_processes_that_cannot_share_a_batch_is_told_one_that_can():
    for batch, count in ((6, 1), (6, 2), (6, 6), (32, 8)):
        require_even_shares(batch, count)
    with pytest.raises(InputError, match=r"6 windows cannot be shared evenly by 4 processes; start 3 \(a run may"):
        require_even_shares(6, 4)
