"""AdamW as in the protocol, and its schedule."""

from __future__ import annotations

import torch
from torch import nn


def adamw(
    module: nn.Module, learning_rate: float, betas: tuple[float, float], weight_decay: float
) -> torch.optim.AdamW:
    """Fused AdamW (Loshchilov and Hutter 2019); weight decay on matrices only, none on biases and norms."""
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=betas, fused=True)


def linear_schedule(step: int, steps: int, warmup: float) -> float:
    """Share of the peak learning rate at update `step` (from 0) of `steps`: up linearly over `warmup`, then to 0."""
    rising = max(1, round(warmup * steps))
    if step < rising:
        return (step + 1) / rising
    return (steps - step) / max(1, steps - rising)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """The learning rate of all parameters from now on."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
