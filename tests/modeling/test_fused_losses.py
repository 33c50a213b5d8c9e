"""The vocabulary loss meant for GPUs: the same as our own where it runs, and a clear refusal where it does not."""

import sys
import types

import pytest
import torch
import torch.nn.functional as F

from twotower.modeling.fused_losses import vocabulary_loss
from twotower.modeling.losses import cross_entropy_sum
from twotower.system.errors import InputError


class StandIn:
    """Of the call and the value of liger-kernel's loss (0.8), which needs a GPU."""

    def __init__(self, reduction):
        assert reduction == "sum"

    def __call__(self, lin_weight, _input, target, bias=None):
        return F.cross_entropy(F.linear(_input, lin_weight, bias), target, reduction="sum")


@pytest.fixture
def with_liger(monkeypatch):
    parent, child = types.ModuleType("liger_kernel"), types.ModuleType("liger_kernel.transformers")
    child.LigerFusedLinearCrossEntropyLoss = StandIn
    monkeypatch.setitem(sys.modules, "liger_kernel", parent)
    monkeypatch.setitem(sys.modules, "liger_kernel.transformers", child)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


def leaves(positions=57):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(positions, 24, generator=generator).requires_grad_()
    weight = torch.randn(311, 24, generator=generator).requires_grad_()
    bias = torch.randn(311, generator=generator).requires_grad_()
    return hidden, weight, bias, torch.randint(0, 311, (positions,), generator=generator)


def agrees(loss, with_bias, positions):
    hidden, weight, bias, targets = leaves(positions)
    chosen = bias if with_bias else None
    wanted, got = (one(hidden, weight, chosen, targets) for one in (cross_entropy_sum, loss))
    assert got.item() == pytest.approx(wanted.item(), rel=1e-5)
    wrt = [hidden, weight, *([bias] if with_bias else [])]
    for one, other in zip(torch.autograd.grad(got, wrt), torch.autograd.grad(wanted, wrt), strict=True):
        assert (one - other).norm() <= 1e-5 * other.norm() + 1e-6


@pytest.mark.parametrize("positions", [0, 1, 57])
@pytest.mark.parametrize("with_bias", [True, False])
def test_ligers_loss_is_called_as_it_wants_to_be(with_liger, with_bias, positions):
    agrees(vocabulary_loss("liger"), with_bias, positions)


def test_what_cannot_run_here_names_the_remedy(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"CUDA devices.*--train\.loss blocks"):
        vocabulary_loss("liger")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setitem(sys.modules, "liger_kernel.transformers", None)
    with pytest.raises(InputError, match="pip install liger-kernel"):
        vocabulary_loss("liger")
