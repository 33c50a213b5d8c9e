"""Muon: momentum whose update is made orthogonal (Jordan et al. 2024), for the weight matrices inside the towers.

PyTorch has one (`torch.optim.Muon`), which takes each matrix by itself and in bfloat16: on a processor without such
numbers it is unusable, and for towers of many small matrices slow anywhere. This one takes all matrices of a shape in
one product, in float32 on CPUs. The updates are the same but for rounding.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

COEFFICIENTS = 3.4445, -4.7750, 2.0315
"""Of the quintic polynomial, and how often it is applied: those of Jordan's post."""
STEPS = 5
MOMENTUM = 0.95
SCALE = 0.2
"""Root mean square of an update at learning rate 1, about that of AdamW's (Liu et al. 2025, section 2.2), so that both
work at the same learning rates."""


def orthogonalized(matrices: Tensor) -> Tensor:
    """Matrices of about the same singular vectors, and singular values near 1 (0.7 to 1.2): (number, rows, columns)."""
    a, b, c = COEFFICIENTS
    transposed = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if transposed else matrices
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp_min(1e-7)
    for _ in range(STEPS):
        gram = x @ x.mT
        x = a * x + torch.baddbmm(gram, gram, gram, beta=b, alpha=c) @ x
    orthogonal: Tensor = x.mT if transposed else x
    return orthogonal


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum and decoupled weight decay, for parameters of two dimensions.

    An update is scaled by 0.2 sqrt(max(rows, columns)) (Liu et al. 2025, equation 4).
    """

    def __init__(self, parameters: list[nn.Parameter], learning_rate: float, weight_decay: float) -> None:
        super().__init__(parameters, {"lr": learning_rate, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update; `closure` is not supported."""
        assert closure is None
        for group in self.param_groups:
            shapes: dict[torch.Size, list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    shapes.setdefault(parameter.shape, []).append(parameter)
            for parameters in shapes.values():
                self._step(parameters, group["lr"], group["weight_decay"])

    def _step(self, parameters: list[Tensor], learning_rate: float, weight_decay: float) -> None:
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        gradient = torch.stack([parameter.grad for parameter in parameters if parameter.grad is not None])
        momenta = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        momentum = torch.stack(momenta).lerp_(gradient, 1 - MOMENTUM)
        torch._foreach_copy_(momenta, list(momentum))
        update = gradient.lerp_(momentum, MOMENTUM)
        update = orthogonalized(update.bfloat16() if update.is_cuda else update).to(momentum.dtype)
        torch._foreach_mul_(parameters, 1 - learning_rate * weight_decay)
        scale = SCALE * math.sqrt(max(parameters[0].shape))
        torch._foreach_add_(parameters, list(update), alpha=-learning_rate * scale)
