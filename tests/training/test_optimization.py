"""Optimizers: who trains what, at which rate, and Muon against PyTorch's."""

import pytest
import torch

from small_models import model_for, watched
from twotower.config.schema import TrainConfig
from twotower.training.muon import Muon, orthogonalized
from twotower.training.optimization import (
    adamw,
    adamw_groups,
    joint_optimizers,
    linear_schedule,
    set_learning_rates,
)


def test_the_schedule_rises_and_falls_linearly_per_update():
    shares = torch.tensor([linear_schedule(step, 100, 0.1) for step in range(100)])
    assert shares[0] == pytest.approx(0.1) and shares[9] == shares[10] == 1.0
    assert torch.allclose(shares[:10].diff(), torch.tensor(0.1))
    assert torch.allclose(shares[10:].diff(), torch.tensor(-1 / 90))
    assert shares[-1] > 0


def test_no_weight_decay_on_biases_and_norms():
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4))
    decayed, free = adamw(adamw_groups(module.parameters(), 1e-3, 0.5), (0.9, 0.98)).param_groups
    assert [p.shape for p in decayed["params"]] == [(4, 3)] and decayed["weight_decay"] == 0.5
    assert len(free["params"]) == 3 and free["weight_decay"] == 0.0


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize(("family", "objective"), [("gpt", "causal"), ("bert", "masked"), ("elmo", "bidirectional")])
def test_every_parameter_is_trained_by_one_optimizer_at_its_rate(family, objective, optimizer):
    joint = watched(model_for(family, objective))
    settings = TrainConfig(optimizer=optimizer, learning_rate=1e-3, embedding_rate=20, readout_learning_rate=5e-3)
    optimizers = joint_optimizers(joint, settings)
    set_learning_rates(optimizers, 0.5)
    rates = {}
    for one in optimizers:
        for group in one.param_groups:
            for parameter in group["params"]:
                assert id(parameter) not in rates
                rates[id(parameter)] = group["lr"]
    names = {id(parameter): name for name, parameter in joint.named_parameters()}
    assert set(rates) == set(names)
    for key, name in names.items():
        rate = 1e-2 if name == "model.embedding.weight" else 5e-4 if name.startswith("model.") else 2.5e-3
        assert rates[key] == pytest.approx(rate), name
    if optimizer == "muon":
        hidden = {names[id(p)] for group in optimizers[1].param_groups for p in group["params"]}
        assert hidden and all(name.startswith("model.towers.") for name in hidden)


def test_orthogonalized_matrices_have_singular_values_near_one():
    generator = torch.Generator().manual_seed(0)
    for shape in ((3, 16, 16), (2, 8, 40), (2, 40, 8)):
        values = torch.linalg.svdvals(orthogonalized(torch.randn(shape, generator=generator)))
        assert values.max() < 1.3 and values.median() > 0.65
    stack = torch.randn(2, 8, 12, generator=generator)
    assert torch.allclose(orthogonalized(stack)[1], orthogonalized(stack[1:])[0], atol=1e-5)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="PyTorch 2.9 or newer has Muon to compare with")
def test_muon_follows_pytorchs():
    generator = torch.Generator().manual_seed(0)
    shapes = ((6, 6), (6, 6), (4, 24), (24, 4))
    starts = [torch.randn(shape, generator=generator) for shape in shapes]
    mine, theirs = ([torch.nn.Parameter(start.clone()) for start in starts] for _ in range(2))
    optimizer = Muon(mine, 0.02, 0.1)
    other = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(5):
        for ours, its in zip(mine, theirs, strict=True):
            ours.grad = torch.randn(ours.shape, generator=generator)
            its.grad = ours.grad.clone()
        optimizer.step()
        other.step()
    for start, ours, its in zip(starts, mine, theirs, strict=True):
        moved = (its - start).norm()
        assert (ours - its).norm() < 0.03 * moved  # theirs is in bfloat16
        assert moved > 0.1
