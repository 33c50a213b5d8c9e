"""Planted divisions: what each tower sees, what it learns from, and what it gives."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from small_models import SIZE, VOCABULARY, model_for, text, watched
from twotower.config.schema import ModelConfig, RunConfig
from twotower.config.validation import validate
from twotower.modeling.layers import layer_states
from twotower.modeling.objectives import loss_weights, make_batch
from twotower.modeling.planted import dealt, owners_of
from twotower.system.errors import InputError


def seen_by(model, tower, place):
    """Which tokens of a row the state of a tower at one place depends on."""
    tower, time = model.towers[tower], int(model.config.window)
    embedded = torch.randn(1, time, int(model.config.embedding_size), requires_grad=True)
    (tower(embedded)[0, place] ** 3).sum().backward()
    return np.flatnonzero(embedded.grad[0].abs().sum(-1).numpy() > 0).tolist()


@pytest.mark.parametrize(("layers", "reach", "near"), [(1, 4, 4), (3, 4, 4), (2, 6, 5)])
def test_of_a_planted_reach_one_tower_sees_the_last_tokens_and_the_other_what_is_further_back(layers, reach, near):
    model = model_for("gpt", "causal", planted="reach", layers=layers, reach=reach)
    assert seen_by(model, 0, 10) == list(range(11 - near, 11))
    assert seen_by(model, 1, 10) == list(range(11 - reach))
    assert seen_by(model, 1, 2) == []


def test_with_the_dial_at_0_both_see_everything_as_they_would_without():
    plain = model_for("gpt", "causal")
    open_to_all = model_for("gpt", "causal", planted="reach", reach=4, dial=0.0)
    ids = torch.from_numpy(text("causal")[:, :-1])
    for one, other in zip(plain.tower_outputs(ids), open_to_all.tower_outputs(ids), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_an_idle_tower_gives_nothing_or_what_the_other_one_gives_at_every_layer():
    ids = torch.from_numpy(text("causal")[:, :-1])
    for idle, wanted in (("zero", torch.zeros_like), ("copy", torch.clone)):
        model = model_for("gpt", "causal", planted="idle", idle=idle)
        first, second = model.tower_outputs(ids)
        assert torch.equal(second, wanted(first)) and bool(first.any())
        layers = layer_states(model, ids)
        assert all(torch.equal(other, wanted(one)) for one, other in zip(*layers, strict=True))


def test_a_frozen_tower_stays_as_it_was_and_the_other_one_learns():
    model = model_for("gpt", "causal", planted="idle", idle="frozen")
    batch = make_batch("causal", text("causal"), VOCABULARY, 0.0, np.random.default_rng(1))
    watched(model)(batch.inputs, batch.targets, batch.predicted, batch.present, 2)[0].backward()
    assert all(parameter.grad is None for parameter in model.towers[1].parameters())
    assert any(parameter.grad is not None for parameter in model.towers[0].parameters())


def test_planted_labels_train_each_tower_on_its_own_targets_alone():
    model = model_for("gpt", "causal", planted="classes", dial=0.5)
    owners = torch.from_numpy(np.arange(SIZE) % 2)
    joint = watched(model)
    joint.owners = owners
    batch = make_batch("causal", text("causal"), VOCABULARY, 0.0, np.random.default_rng(1))
    sums = joint(batch.inputs, batch.targets, batch.predicted, batch.present, 2)
    outputs, weight = model.tower_outputs(batch.inputs), model.embedding.weight
    for tower, head in enumerate(model.own_heads):
        mine = batch.predicted & (owners[batch.targets] == tower)
        logits = head.fusion(outputs[tower][mine]) @ weight.T + head.bias
        wanted = torch.nn.functional.cross_entropy(logits, batch.targets[mine], reduction="sum")
        assert torch.allclose(sums[-2 + tower], wanted, rtol=1e-5)
    assert loss_weights(model.config)[0] == 0.5 and loss_weights(model.config)[-2:] == [0.5, 0.5]


def test_at_dial_1_a_tower_learns_nothing_from_labels_that_are_not_its_own():
    model = model_for("gpt", "causal", planted="classes")
    joint = watched(model)
    batch = make_batch("causal", text("causal"), VOCABULARY, 0.0, np.random.default_rng(1))
    joint.owners = torch.zeros(SIZE, dtype=torch.int64)
    sums = joint(batch.inputs, batch.targets, batch.predicted, batch.present, 2)
    (sums * torch.tensor(loss_weights(model.config))).sum().backward()
    first, second = ([parameter.grad for parameter in tower.parameters()] for tower in model.towers)
    assert any(gradient is not None and gradient.any() for gradient in first)
    assert not any(gradient is not None and gradient.any() for gradient in second)
    assert all(parameter.grad.any() for parameter in model.fusion.parameters())  # the joint head watches


def test_planted_texts_train_each_tower_on_its_own_text():
    model = model_for("gpt", "causal", planted="texts")
    joint, generator = watched(model), np.random.default_rng(1)
    real, first, second = (
        make_batch("causal", np.roll(text("causal"), shift, axis=0), VOCABULARY, 0.0, generator) for shift in (0, 1, 2)
    )
    sums = joint(real.inputs, real.targets, real.predicted, real.present, 2, [first, second])
    (sums * torch.tensor(loss_weights(model.config))).sum().backward()
    gradients = [parameter.grad.clone() for parameter in model.towers[1].parameters()]
    output = model.tower_output(1, second.inputs, second.present, second.predicted)
    logits = model.own_heads[1].fusion(output) @ model.embedding.weight.T + model.own_heads[1].bias
    loss = torch.nn.functional.cross_entropy(logits, second.targets[second.predicted], reduction="sum")
    for one, other in zip(gradients, torch.autograd.grad(loss, list(model.towers[1].parameters())), strict=True):
        assert (one - other).norm() <= 1e-5 * other.norm() + 1e-6


def test_labels_are_dealt_so_that_towers_have_as_much_of_the_text():
    frequency = np.array([50.0, 10, 9, 30, 1])
    owner = dealt(frequency, 2)
    assert np.bincount(owner, weights=frequency).tolist() == [50, 50]


def prepared(upos):
    return SimpleNamespace(
        pieces=["the", "cat", "sat"], frequencies=np.array([9, 5, 0]),
        classes=pd.DataFrame({"upos": np.array(upos, dtype=object)}),
    )  # fmt: skip


def test_labels_that_a_tower_would_never_see_are_refused(tmp_path):
    config = model_for("gpt", "causal", planted="classes").config
    assert owners_of(config, prepared(["DET", "NOUN", "VERB"])).tolist()[:2] == [0, 1]
    with pytest.raises(InputError, match="only 1 of the labels in classes occurs"):
        owners_of(config, prepared(["NOUN", "NOUN", "VERB"]))
    with pytest.raises(InputError, match="this text is not tagged"):
        owners_of(config, prepared(["_", "_", "_"]))
    table = tmp_path / "labels.csv"
    table.write_text("word,label\nthe,a\ncat,b\n")
    config.planted_labels = str(table)
    assert (
        owners_of(config, prepared(["_", "_", "_"])).tolist()[0] != owners_of(config, prepared(["_"] * 3)).tolist()[1]
    )
    config.planted_labels = str(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is not a file"):
        owners_of(config, prepared(["_", "_", "_"]))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"planted": "classes", "dial": 1.5}, "model.dial: 1.5"),
        ({"planted": "reach", "reach": 64}, "model.reach: 64"),
        ({"planted": "reach", "reach": 4}, "more than the 4 layers"),
        ({"planted": "reach", "family": "bert"}, "causal gpt towers only"),
        ({"planted": "texts", "cooperation": 0.0}, "model.cooperation: 0.0"),
        ({"planted": "idle", "dial": 0.5}, "a tower is idle or not"),
        ({"planted": "texts", "towers": 3}, "model.towers: 3"),
    ],
)
def test_what_cannot_be_planted_is_refused(settings, said):
    with pytest.raises(InputError, match=said):
        validate(replace(RunConfig(), model=ModelConfig(**settings)))
