"""Another implementation of the vocabulary loss, for GPUs: Liger's."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..system.errors import InputError
from .losses import cross_entropy_sum

VocabularyLoss = Callable[[Tensor, Tensor, Tensor | None, Tensor], Tensor]
"""Of the arguments and the value of `losses.cross_entropy_sum`."""


def vocabulary_loss(name: str) -> VocabularyLoss:
    """The implementation called `name`: `blocks` or `liger`. They agree to rounding, gradients included.

    Raises `InputError` if this machine cannot run it, and says what to install or choose instead.
    """
    return _liger_loss() if name == "liger" else cross_entropy_sum


def _liger_loss() -> VocabularyLoss:
    if not torch.cuda.is_available():
        raise InputError("train.loss: liger runs on CUDA devices, and none is here; give --train.loss blocks")
    try:
        from liger_kernel.transformers import LigerFusedLinearCrossEntropyLoss
    except ImportError:
        raise InputError(
            "train.loss: liger-kernel is not installed; pip install liger-kernel, or give --train.loss blocks"
        ) from None
    fused = LigerFusedLinearCrossEntropyLoss(reduction="sum")

    def loss(hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
        if not len(targets):  # of a few masked windows, say, for which the kernel is not made
            return cross_entropy_sum(hidden, weight, bias, targets)
        nats: Tensor = fused(weight, hidden.to(weight.dtype), targets, bias).float()
        return nats

    return loss
