"""The joint phase and the readouts: deterministic, resumable, and each leaves alone what it must."""

import json
import shutil
import signal
import threading

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import twotower
from twotower.data.heldout import PreparedText
from twotower.system.errors import InputError, Interrupted
from twotower.training import loop
from twotower.training.checkpoints import find_checkpoint, load_checkpoint, save_checkpoint
from twotower.training.metrics import MetricsLog
from twotower.training.optimization import adamw, adamw_groups, linear_schedule


def test_another_seed_gives_other_bytes(finished, second_seed):
    first, second = (load_file(run / "trunk/model.safetensors") for run in (finished, second_seed))
    assert first.keys() == second.keys() and not any(torch.equal(first[name], second[name]) for name in first)


def test_minutes_become_tokens_once_and_the_tokens_repeat_the_run(with_settings, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "TIMED_SECONDS", 0.05)
    stages = ("prepare", "train")
    timed = twotower.run(with_settings(train={"minutes": 0.01}), tmp_path / "timed", stages=stages)
    recorded = json.loads((timed.path / "training.json").read_text())
    assert recorded["budget"]["minutes"] == 0.01 and recorded["budget"]["tokens"] == recorded["tokens"]
    counted = twotower.run(with_settings(train={"tokens": recorded["tokens"]}), tmp_path / "counted", stages=stages)
    assert (timed.path / "trunk/model.safetensors").read_bytes() == (
        counted.path / "trunk/model.safetensors"
    ).read_bytes()


@pytest.mark.promise("the readouts change nothing of the towers that they read")
def test_the_readout_stage_leaves_the_trunk_bit_identical(finished):
    trunk, model = load_file(finished / "trunk/model.safetensors"), load_file(finished / "model/model.safetensors")
    assert set(trunk) < set(model)
    assert all(torch.equal(trunk[name], model[name]) for name in trunk)
    assert {name.split(".")[1] for name in set(model) - set(trunk)} == {"readout", "second", "third", "fourth"}


def test_the_joint_norm_of_the_reference_changes_the_readouts_and_nothing_before_them(
    with_settings, finished, tmp_path
):
    copy = shutil.copytree(finished, tmp_path / "run")
    said: list[str] = []
    run = twotower.run(with_settings(readout={"norm": "joint"}), copy, overwrite=True, say=said.append)
    assert [line for line in said if "skipped" in line] == [
        f"{name}: done before, skipped" for name in ("prepare", "train")
    ]
    weights = load_file(copy / "model/model.safetensors")
    assert run.model().config.readout_norm == "joint" and "readouts.readout.1.norm.weight" not in weights
    assert "readouts.readout.1.norm.weight" in load_file(finished / "model/model.safetensors")


@pytest.mark.parametrize("settings", [{"precision": "bf16"}, pytest.param({"compile": True}, marks=pytest.mark.slow)])
def test_settings_meant_for_gpus_train_on_cpu_too(with_settings, tmp_path, settings):
    if "compile" in settings and shutil.which("g++") is None:
        pytest.skip("torch.compile needs a C++ compiler on CPU")
    tokens = 6 * 16 * 32
    config = with_settings(train={"tokens": tokens, "evaluations": 1, **settings}, readout={"tokens": tokens})
    run = twotower.run(config, tmp_path / "run", stages=("prepare", "train"))
    weights = load_file(run.path / "trunk" / "model.safetensors")
    assert all(value.isfinite().all() and value.dtype == torch.float32 for value in weights.values())
    assert not any("_orig_mod" in name for name in weights)


def test_watching_readouts_leave_the_towers_as_they_would_be_without_them(with_settings, tmp_path):
    watching = {"readout_share": 0.1}, {"readout_share": 1.0, "readout_learning_rate": 2e-2}
    runs = [
        twotower.run(with_settings(train=settings), tmp_path / str(number), stages=("prepare", "train"))
        for number, settings in enumerate(watching)
    ]
    trunks = [load_file(run.path / "trunk" / "model.safetensors") for run in runs]
    assert all(torch.equal(trunks[0][name], trunks[1][name]) for name in trunks[0])


def test_the_towers_learn_and_each_readout_does(finished):
    results = twotower.Run.load(finished).results()
    perplexity = results.training.heldout_perplexity
    rows = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    text = PreparedText(finished)
    unigram = np.exp(-text.log_frequencies[twotower.Run.load(finished).scores()["piece_id"]].mean())
    assert perplexity.joint < 512 * 0.7 and all(value < unigram for value in perplexity.towers)
    assert [row["step"] for row in rows if row["kind"] == "heldout"] == [16, 32, 48]


def test_checkpoints_restore_weights_and_moments_exactly_and_survive_a_crash(tmp_path):
    def trained(steps, module, optimizers):
        for step in range(steps):
            torch.manual_seed(step)
            module(torch.randn(4, 3)).square().sum().backward()
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()

    def fresh():
        torch.manual_seed(0)
        module = torch.nn.Linear(3, 2)
        return module, [adamw(adamw_groups(module.parameters(), 0.1, 0.01), (0.9, 0.98))]

    module, optimizers = fresh()
    trained(3, module, optimizers)
    save_checkpoint(tmp_path / "latest", module, optimizers, {"step": 3})
    trained(3, module, optimizers)
    restored, its_optimizers = fresh()
    assert load_checkpoint(find_checkpoint(tmp_path / "latest"), restored, its_optimizers) == {"step": 3}
    trained(3, restored, its_optimizers)
    assert torch.equal(restored.weight, module.weight)
    # As a crash between the two renames would leave it:
    (tmp_path / "latest").rename(tmp_path / "latest.old")
    assert find_checkpoint(tmp_path / "latest") == tmp_path / "latest.old"
    (tmp_path / "latest.old" / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(InputError, match="checkpoint is damaged"):
        load_checkpoint(tmp_path / "latest.old", *fresh())
    assert find_checkpoint(tmp_path / "latest") is None


def test_the_last_good_checkpoint_is_used_where_the_newest_is_damaged(tmp_path, capsys):
    module = torch.nn.Linear(3, 2)
    optimizers = [adamw(adamw_groups(module.parameters(), 0.1, 0.01), (0.9, 0.98))]
    module(torch.ones(1, 3)).sum().backward()
    optimizers[0].step()
    for step in (1, 2):
        save_checkpoint(tmp_path / "latest", module, optimizers, {"step": step})
    weights = tmp_path / "latest" / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    checkpoint = find_checkpoint(tmp_path / "latest")
    assert checkpoint == tmp_path / "latest.old" and "the checkpoint is damaged" in capsys.readouterr().err
    assert load_checkpoint(checkpoint, module, optimizers) == {"step": 1}


def test_a_closed_terminal_leaves_a_checkpoint(small, tmp_path, monkeypatch):
    updates, calls = loop.update, 0

    def interrupting(*arguments):
        nonlocal calls
        calls += 1
        if calls == 5:
            signal.raise_signal(signal.SIGHUP)
        return updates(*arguments)

    monkeypatch.setattr(loop, "update", interrupting)
    with pytest.raises(Interrupted, match="checkpoint saved"):
        twotower.run(small, tmp_path / "run", stages=("prepare", "train"))
    assert find_checkpoint(tmp_path / "run" / "checkpoints" / "latest")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_with_its_update_and_keeps_the_last_checkpoint(
    small, tmp_path, monkeypatch, value
):
    updates, calls = loop.update, 0

    def diverging(*arguments):
        nonlocal calls
        calls += 1
        if calls == 5:
            signal.raise_signal(signal.SIGTERM)
        nats = updates(*arguments)
        return nats * value if calls == 9 else nats

    monkeypatch.setattr(loop, "update", diverging)
    with pytest.raises(Interrupted):
        twotower.run(small, tmp_path / "run", stages=("prepare", "train"))
    with pytest.raises(InputError, match=r"at update 9 \(batch 8\); the checkpoint in .*latest was written before"):
        twotower.run(small, tmp_path / "run", stages=("prepare", "train"))
    assert find_checkpoint(tmp_path / "run" / "checkpoints" / "latest")
    monkeypatch.setattr(loop, "update", updates)
    twotower.run(small, tmp_path / "run", stages=("prepare", "train"))
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".pt", ".pkl", ".bin")]


def test_metrics_after_the_checkpoint_and_half_lines_are_dropped_on_resume(tmp_path):
    with MetricsLog(tmp_path / "work", 0) as log:
        for step in (1, 2, 3):
            log.write(step, "train", {"joint": 1.0})
    with (tmp_path / "work" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "ki')
    with MetricsLog(tmp_path / "work", 2) as log:
        log.write(3, "train", {"joint": 2.0})
    rows = [json.loads(line) for line in (tmp_path / "work" / "metrics.jsonl").read_text().splitlines()]
    assert [(row["step"], row["joint"]) for row in rows] == [(1, 1.0), (2, 1.0), (3, 2.0)]


def test_interruption_works_from_another_thread_without_signals():
    """A notebook runs things outside the main thread, where signals cannot be caught."""
    from twotower.training.interruption import Interruption

    seen = []

    def inside():
        with Interruption() as interruption:
            seen.append(interruption.requested)

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [False]


@pytest.mark.parametrize("family", ["gpt", "bert"])
def test_micro_batches_give_the_same_towers_as_whole_batches(with_settings, tmp_path, family):
    def trained(micro_batch):
        train = {"tokens": 12 * 16 * 32, "micro_batch": micro_batch, "evaluations": 1, "learning_rate": 1e-3}
        run = twotower.run(
            with_settings(model={"family": family}, train=train, readout={"tokens": 6 * 16 * 32}),
            tmp_path / str(micro_batch),
            stages=("prepare", "train", "readout"),
        )
        losses = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
        weights = load_file(run.path / "model" / "model.safetensors")
        return weights, [row["joint_nats"] for row in losses if row["kind"] == "heldout"]

    (whole, nats), (parts, its_nats) = trained(0), trained(5)
    assert its_nats == pytest.approx(nats, rel=1e-5)
    # Readouts train on states that are kept, and amplify how these are rounded.
    towers = [name for name in whole if not name.startswith("readouts.")]
    assert towers
    for name in towers:
        assert (whole[name] - parts[name]).norm() <= 1e-3 * whole[name].norm() + 1e-5, name


def test_the_papers_protocol_is_that_of_its_released_scripts():
    config = twotower.preset("paper-bert-large")
    assert config.train.batch * config.train.window * 12_500 == config.train.tokens
    assert config.readout.batch * config.train.window * 3_000 == config.readout.tokens
    steps = config.train.tokens // (config.train.batch * config.train.window)
    shares = [linear_schedule(step, steps, config.train.warmup) for step in range(steps)]
    assert shares.index(1.0) == 999 and shares[999:1001] == [1.0, 1.0]  # 1,000 updates, not 1,000 micro-batches
    assert config.train.learning_rate == 1e-3 and config.train.betas == (0.9, 0.98) and config.model.dropout == 0.1
    overlaid = twotower.preset("standard", protocol="paper")
    assert overlaid.train == config.train and overlaid.model.width == twotower.preset("standard").model.width


def test_a_model_for_another_vocabulary_is_refused(finished, tmp_path):
    from twotower.training.readouts import train_readouts

    copy = shutil.copytree(finished, tmp_path / "run")
    frequencies = np.load(copy / "data" / "frequencies.npy")
    np.save(copy / "data" / "frequencies.npy", np.append(frequencies, np.zeros(8, dtype=np.int64)))
    with pytest.raises(InputError, match="embedding has 512 rows, and the text was prepared with a vocabulary of 520"):
        train_readouts(twotower.Run.load(finished).config, copy, tmp_path / "out")
