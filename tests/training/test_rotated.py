import pytest
import torch

from twotower.training.optimization import adamw, adamw_groups
from twotower.training.rotated import RotatedAdamW


def loss_after(make, steps=200):
    """Of a layer whose inputs are strongly correlated, after so many updates at the same learning rate."""
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(16, 16, generator=generator) @ torch.diag(torch.logspace(0, -2, 16))
    inputs = torch.randn(2000, 16, generator=generator) @ mixing
    targets = torch.randn(2000, 16, generator=generator)[:, :8] * 0.1 + inputs @ torch.randn(16, 8, generator=generator)
    weight = torch.nn.Parameter(torch.zeros(8, 16))
    optimizer = make([weight])
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (inputs @ weight.T - targets).square().mean()
        loss.backward()
        optimizer.step()
    return float(loss.detach()), weight


def test_correlated_inputs_are_learned_sooner_than_by_adamw_at_any_rate():
    rates = (0.3, 0.1, 0.03, 0.01, 0.003)
    rotated = min(loss_after(lambda p, r=rate: RotatedAdamW(adamw_groups(p, r, 0.0), (0.9, 0.99)))[0] for rate in rates)
    plain = min(
        loss_after(lambda p, r=rate: adamw([{"params": p, "lr": r, "weight_decay": 0.0}], (0.9, 0.99)))[0]
        for rate in rates
    )
    assert rotated < plain


def test_updates_are_the_same_every_time():
    first, second = (
        loss_after(lambda p: RotatedAdamW(adamw_groups(p, 0.05, 0.01), (0.9, 0.99)), 50)[1] for _ in range(2)
    )
    assert torch.equal(first, second)


def trained(shape, gradients):
    """A parameter after updates by these gradients, each of the parameter's shape."""
    parameter = torch.nn.Parameter(torch.ones(shape))
    optimizer = RotatedAdamW(adamw_groups([parameter], 0.05, 0.01), (0.9, 0.99))
    history = [parameter.detach().clone()]
    for gradient in gradients:
        parameter.grad = gradient
        optimizer.step()
        history.append(parameter.detach().clone())
    return history


def test_a_type_that_is_out_of_the_sample_stays_where_it_is():
    gradients = torch.randn(30, 6, 4, generator=torch.Generator().manual_seed(1))
    gradients[1::3, 2] = 0
    weights = trained((6, 4), gradients)
    for before, after, gradient in zip(weights[:-1], weights[1:], gradients, strict=True):
        assert torch.equal((before != after).any(1), gradient.any(1))


def test_the_bias_of_a_type_is_moved_as_adamw_does_by_its_own_updates_alone():
    gradients = torch.randn(40, 3, generator=torch.Generator().manual_seed(2))
    gradients[::7, 1] = 0
    biases = trained((3,), gradients)[-1]
    for type_ in range(3):
        bias = torch.nn.Parameter(torch.ones(1))
        optimizer = adamw([{"params": [bias], "lr": 0.05, "weight_decay": 0.0}], (0.9, 0.99))
        for gradient in gradients[:, type_]:
            if gradient != 0:
                bias.grad = gradient[None]
                optimizer.step()
        assert biases[type_].item() == pytest.approx(bias.item(), rel=1e-5)


def test_no_update_is_much_larger_than_the_rate_where_directions_change_places():
    gradients = torch.zeros(80, 2, 2)
    gradients[:, 0, 0] = 1.0
    gradients[:30, 1, 1], gradients[30:, 1, 1] = 0.8, 1.25
    assert torch.stack(trained((2, 2), gradients)).diff(dim=0).abs().max() < 1.5 * 0.05
