"""Other implementations of the vocabulary loss, for GPUs: PyTorch's and Liger's."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InputError
from .losses import cross_entropy_sum

VocabularyLoss = Callable[[Tensor, Tensor, Tensor | None, Tensor], Tensor]
"""Of the arguments and the value of `losses.cross_entropy_sum`."""


def vocabulary_loss(name: str) -> VocabularyLoss:
    """The implementation called `name`: `blocks`, `torch` or `liger`. They agree to rounding, gradients included.

    Raises `InputError`, with what to install or to choose instead, for one that this machine cannot run.
    """
    if name == "torch":
        return _torch_loss()
    return _liger_loss() if name == "liger" else cross_entropy_sum


def _torch_loss() -> VocabularyLoss:
    fused = getattr(F, "linear_cross_entropy", None)
    if fused is None:
        raise InputError(
            f"train.loss: this PyTorch ({torch.__version__}) has no linear_cross_entropy; install 2.13 or newer, or "
            "give --train.loss blocks"
        )

    return _like_our_own(
        lambda hidden, weight, bias, targets: fused(hidden, weight, targets, linear_bias=bias, reduction="sum")
    )


def _liger_loss() -> VocabularyLoss:
    if not torch.cuda.is_available():
        raise InputError("train.loss: liger runs on CUDA devices, and none is here; give --train.loss blocks or torch")
    try:
        from liger_kernel.transformers import LigerFusedLinearCrossEntropyLoss
    except ImportError:
        raise InputError(
            "train.loss: liger-kernel is not installed; pip install liger-kernel, or give --train.loss blocks or torch"
        ) from None
    fused = LigerFusedLinearCrossEntropyLoss(reduction="sum")
    return _like_our_own(lambda hidden, weight, bias, targets: fused(weight, hidden, targets, bias))


def _like_our_own(fused: VocabularyLoss) -> VocabularyLoss:
    """A fused loss with the types and the domain of our own.

    No position may be left to predict, of a few masked windows say, for which fused losses are not made.
    """

    def loss(hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
        if not len(targets):
            return cross_entropy_sum(hidden, weight, bias, targets)
        return fused(hidden.to(weight.dtype), weight, bias, targets).float()

    return loss
