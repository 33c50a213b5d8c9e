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


@pytest.mark.usefixtures("with_liger")
@pytest.mark.parametrize("positions", [0, 1, 57])
@pytest.mark.parametrize("with_bias", [True, False])
def test_ligers_loss_is_called_as_it_wants_to_be(with_bias, positions):
    generator = torch.Generator().manual_seed(0)
    shapes = [(positions, 24), (311, 24), (311,)]
    hidden, weight, bias = (torch.randn(shape, generator=generator).requires_grad_() for shape in shapes)
    targets = torch.randint(0, 311, (positions,), generator=generator)
    leaves = [hidden, weight, bias][: 3 if with_bias else 2]
    ours, ligers = (
        loss(hidden, weight, bias if with_bias else None, targets)
        for loss in (cross_entropy_sum, vocabulary_loss("liger"))
    )
    assert ligers.item() == pytest.approx(ours.item(), rel=1e-5)
    for gradient, expected in zip(*(torch.autograd.grad(loss, leaves) for loss in (ligers, ours)), strict=True):
        assert (gradient - expected).norm() <= 1e-5 * expected.norm() + 1e-6


def test_what_cannot_run_here_names_the_remedy(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"CUDA devices.*--train\.loss blocks"):
        vocabulary_loss("liger")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setitem(sys.modules, "liger_kernel.transformers", None)
    with pytest.raises(InputError, match="pip install liger-kernel"):
        vocabulary_loss("liger")
