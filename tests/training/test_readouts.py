"""The stage `readout`: what is kept on disk while it runs, what it leaves, and when it stops."""

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

import twotower
from twotower.data.heldout import PreparedText
from twotower.modeling.model import TowersModel
from twotower.system.errors import InputError
from twotower.system.processes import ALONE
from twotower.training import readouts, state_cache
from twotower.training.readouts import reading_steps
from twotower.training.state_cache import StateCache, batches_of


def open_cache(run, folder, **settings):
    config = twotower.Run.load(run).config
    config = replace(config, readout=replace(config.readout, **settings))
    model = TowersModel.from_pretrained(run / "trunk").eval()
    return StateCache(model, PreparedText(run), config, folder, ALONE), model


def test_states_on_disk_are_those_of_the_frozen_towers(finished, tmp_path):
    cache, model = open_cache(finished, tmp_path / "states")
    with cache:
        part = cache.part(0)
        states, targets = part.rows(np.arange(64 * 16))
        batch = cache.batches.get(0)
        with torch.no_grad():
            outputs = torch.cat(model.tower_outputs(batch.inputs), dim=-1).flatten(0, 1)
        assert torch.equal(states, outputs) and torch.equal(targets, batch.targets.flatten())
        assert len(list((tmp_path / "states").iterdir())) == 2
    assert not list((tmp_path / "states").iterdir())


def test_text_is_read_in_parts_where_its_states_would_be_too_large(finished, tmp_path, monkeypatch):
    whole, _ = open_cache(finished, tmp_path / "one")
    with whole:
        assert whole.parts == 1
        states, targets = whole.part(0).rows(np.arange(whole.part(0).positions))
    monkeypatch.setattr(state_cache, "PART_BYTES", whole.part_bytes // 3)
    cut, _ = open_cache(finished, tmp_path / "many")
    with cut:
        assert cut.parts > 2
        each = [cut.part(number).rows(np.arange(cut.part(number).positions)) for number in range(cut.parts)]
        assert sum(path.stat().st_size for path in (tmp_path / "many").iterdir()) <= whole.part_bytes // 2
    assert torch.equal(torch.cat([part[0] for part in each]), states)
    assert torch.equal(torch.cat([part[1] for part in each]), targets)


def test_states_that_do_not_fit_the_disk_are_refused_with_a_remedy(finished, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(state_cache.shutil, "disk_usage", lambda path: usage._replace(free=1000))
    run = shutil.copytree(finished, tmp_path / "run")
    config = twotower.Run.load(run).config
    config = replace(config, readout=replace(config.readout, learning_rate=1e-2))
    before = (run / "model" / "model.safetensors").read_bytes()
    with pytest.raises(InputError, match=r"states take .* GB on disk .*lower --readout\.tokens"):
        twotower.run(config, run, stages=("readout",), overwrite=True)
    assert (run / "model" / "model.safetensors").read_bytes() == before


def test_every_position_is_read_once_in_an_order_of_the_sets_own(finished, tmp_path):
    cache, _ = open_cache(finished, tmp_path / "states")
    with cache:
        part = cache.part(0)
        first, again, second = (np.concatenate(list(batches_of(part, 100, seed, 0))) for seed in (1, 1, 2))
    assert (np.sort(first) == np.arange(part.positions)).all() and (first == again).all()
    assert (np.sort(second) == np.arange(part.positions)).all() and (first == second).mean() < 0.01


def test_readings_come_at_doublings_up_to_the_cap():
    assert reading_steps(1000, 100) == [125, 250, 500, 1000]
    assert reading_steps(7, 100) == [3, 7] and reading_steps(1, 100) == [1]


def test_readouts_say_whether_they_have_converged_and_leave_nothing_else(finished):
    notes = json.loads((finished / "readout.json").read_text())
    assert notes["stopped"] in ("converged", "validation no longer improves", "cap")
    assert (
        notes["converged"] == (notes["stopped"] == "converged") or notes["stopped"] == "validation no longer improves"
    )
    assert notes["doubling"] == notes["doublings"][-1] and notes["tokens"] <= notes["cap"]
    assert set(notes["doubling"]) == {"tokens", "perplexity", "agreement", "surplus", "converged"}
    assert set(notes["doubling"]["perplexity"]) == {"1", "2", "together"}
    assert not [path for path in finished.rglob("*") if "states" in path.name]


def test_converged_readouts_stop_before_the_cap(finished, tmp_path, monkeypatch):
    from twotower.training.convergence import compare

    def settled(*arguments):
        return replace(compare(*arguments), converged=True)

    monkeypatch.setattr(readouts, "compare", settled)
    monkeypatch.setattr(readouts, "FIRST_READING", 3000)
    run = shutil.copytree(finished, tmp_path / "run")
    config = twotower.Run.load(run).config
    config = replace(config, readout=replace(config.readout, learning_rate=1e-2))
    twotower.run(config, run, stages=("readout",), overwrite=True)
    notes = json.loads((run / "readout.json").read_text())
    assert notes["converged"] and notes["stopped"] == "converged" and notes["tokens"] < notes["cap"] / 2


def test_scores_have_every_readout_of_every_set(finished):
    run = twotower.Run.load(finished)
    scores = run.scores()
    assert set(run.model().config.head_names) < set(scores.columns)
    alone = scores[["readout_1", "readout_2"]].mean().max()
    assert abs(scores["readout_together"].mean() - alone) < 0.5
    assert {"readout_twice_1", "readout_twice_2"} < set(scores.columns) and "second_twice_1" not in scores.columns


def test_a_lens_is_trained_on_the_joint_models_decoder(finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    config = twotower.Run.load(run).config
    config = replace(config, readout=replace(config.readout, kind="lens", replicates=2))
    twotower.run(config, run, stages=("readout",), overwrite=True)
    model = twotower.Run.load(run).model()
    assert model.config.readout_kind == "lens" and json.loads((run / "readout.json").read_text())["kind"] == "lens"
    assert not [name for name, _ in model.readouts.named_parameters() if "decoder" in name]
    assert os.path.getsize(run / "model/model.safetensors") < os.path.getsize(finished / "model/model.safetensors")
