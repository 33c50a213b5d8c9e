"""The vocabulary loss equals an independent computation from plain PyTorch operations."""

import pytest
import torch
import torch.nn.functional as F

from twotower.modeling import losses
from twotower.modeling.losses import cross_entropy_sum, token_log_probs


def _inputs(positions=203, width=24, vocabulary=311, scale=3.0):
    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(positions, width, generator=generator).requires_grad_()
    weight = (torch.randn(vocabulary, width, generator=generator) * scale / width**0.5).requires_grad_()
    bias = torch.randn(vocabulary, generator=generator).requires_grad_()
    targets = torch.randint(0, vocabulary, (positions,), generator=generator)
    return hidden, weight, bias, targets


@pytest.mark.parametrize("block_rows", [1, 5, 1000])
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("plain", [True, False])
def test_loss_and_gradients_equal_the_plain_computation(monkeypatch, block_rows, with_bias, plain):
    monkeypatch.setattr(losses, "block_rows", lambda *_: block_rows)
    hidden, weight, bias, targets = _inputs()
    if not plain:
        monkeypatch.setattr(losses, "_plain", lambda *_: False)
    bias = bias if with_bias else None
    leaves = [leaf for leaf in (hidden, weight, bias) if leaf is not None]
    plain = F.cross_entropy(F.linear(hidden, weight, bias).double(), targets, reduction="sum")
    wanted = torch.autograd.grad(plain * 0.37, leaves)
    ours = cross_entropy_sum(hidden, weight, bias, targets)
    gradients = torch.autograd.grad(ours * 0.37, leaves)
    assert ours.item() == pytest.approx(plain.item(), rel=1e-5)
    for one, other in zip(gradients, wanted, strict=True):
        assert (one - other).norm() <= 1e-5 * other.norm()


@pytest.fixture
def threads():
    yield torch.set_num_threads
    torch.set_num_threads(1)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("vocabulary", [311, 312])  # can and cannot be cut into equal parts
@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("turned", [True, False])
def test_the_number_of_threads_changes_neither_loss_nor_gradients(
    monkeypatch, threads, count, vocabulary, plain, turned
):
    monkeypatch.setattr(losses, "block_rows", lambda *_: 50)
    if not plain:
        monkeypatch.setattr(losses, "_plain", lambda *_: False)
    hidden, weight, bias, targets = _inputs(vocabulary=vocabulary)
    leaves = hidden, weight.detach().T.contiguous().T.requires_grad_() if turned else weight, bias, targets
    wanted = F.cross_entropy(F.linear(*leaves[:3]).double(), leaves[3], reduction="sum")
    threads(count)
    loss = cross_entropy_sum(*leaves)
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)
    for one, other in zip(torch.autograd.grad(loss, leaves[:3]), torch.autograd.grad(wanted, leaves[:3]), strict=True):
        assert (one - other).norm() <= 1e-5 * other.norm()


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("rows", [1, 7, 1000])
@pytest.mark.parametrize("pieces", [1, 10, 1000])
def test_log_probs_do_not_depend_on_the_tiles(monkeypatch, threads, count, rows, pieces):
    hidden, weight, bias, targets = _inputs()
    wanted = F.log_softmax(F.linear(hidden, weight, bias).double(), dim=1).gather(1, targets[:, None]).squeeze(1)
    monkeypatch.setattr(losses, "TILE_ROWS", rows)
    monkeypatch.setattr(losses, "TILE_BYTES", 4 * rows * pieces)
    threads(count)
    assert torch.allclose(token_log_probs(hidden, weight, bias, targets).double(), wanted, rtol=1e-5)


def test_log_probs_are_exact_for_improbable_targets():
    hidden, weight, bias, targets = _inputs(scale=60.0)
    wanted = F.log_softmax(F.linear(hidden, weight, bias).double(), dim=1).gather(1, targets[:, None]).squeeze(1)
    assert wanted.min() < -100  # probabilities far below the smallest float32
    assert torch.allclose(token_log_probs(hidden, weight, bias, targets).double(), wanted, rtol=1e-5)
    assert cross_entropy_sum(hidden, weight, bias, targets).item() == pytest.approx(-wanted.sum().item(), rel=1e-5)


@pytest.mark.parametrize("shift", [-300.0, -60.0, -20.0, 0.0, 25.0, 80.0, 300.0])
def test_logits_of_any_size_give_the_same_loss_and_gradients(shift):
    hidden, weight, bias, targets = _inputs()
    with torch.no_grad():  # every logit moves by `shift`, but not by the bias
        hidden = torch.cat([hidden, torch.ones(len(hidden), 1)], dim=1)
        weight = torch.cat([weight, torch.full((len(weight), 1), shift)], dim=1)
    leaves = tuple(leaf.requires_grad_() for leaf in (hidden, weight, bias))
    plain = F.cross_entropy(F.linear(hidden.double(), weight.double(), bias.double()), targets, reduction="sum")
    ours = cross_entropy_sum(hidden, weight, bias, targets)
    assert ours.item() == pytest.approx(plain.item(), rel=1e-5)
    for one, other in zip(torch.autograd.grad(ours, leaves), torch.autograd.grad(plain, leaves), strict=True):
        assert torch.isfinite(one).all() and (one - other).norm() <= 3e-5 * other.norm()
    assert -token_log_probs(hidden, weight, bias, targets).sum().item() == pytest.approx(plain.item(), rel=1e-5)


@pytest.mark.parametrize("positions", [0, 1, 5, 23, 24, 25])
def test_few_positions_and_none_give_the_same_gradients(positions):
    leaves = _inputs(positions=positions)
    hidden, weight, bias, targets = leaves
    plain = F.cross_entropy(F.linear(hidden, weight, bias), targets, reduction="sum")
    ours = cross_entropy_sum(hidden, weight, bias, targets)
    for one, other in zip(torch.autograd.grad(ours, leaves[:3]), torch.autograd.grad(plain, leaves[:3]), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_the_gradient_can_be_taken_once():
    hidden, weight, bias, targets = _inputs()
    loss = cross_entropy_sum(hidden, weight, bias, targets)
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="once only"):
        loss.backward()


def test_only_wanted_gradients_are_computed():
    hidden, weight, bias, targets = _inputs()
    cross_entropy_sum(hidden, weight.detach(), bias.detach(), targets).backward()
    assert hidden.grad is not None and weight.grad is None and bias.grad is None


def test_the_buffer_of_logits_is_smaller_than_all_logits(monkeypatch):
    monkeypatch.setattr(losses, "BLOCK_BYTES", 1)
    monkeypatch.setattr(losses, "BLOCK_ROWS", 32)
    losses._buffers.clear()
    hidden, weight, bias, targets = _inputs(positions=5000)
    cross_entropy_sum(hidden, weight, bias, targets).backward()
    assert sum(buffer.numel() for buffer in losses._buffers.values()) * 100 < 5000 * 311
