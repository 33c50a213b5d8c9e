"""AdamW as in the protocol, Muon beside it, and their schedule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import nn

from ..config.schema import ReadoutConfig, TrainConfig
from ..modeling.objectives import JointObjective
from .muon import Muon
from .rotated import RotatedAdamW


def joint_optimizers(objective: JointObjective, settings: TrainConfig) -> list[torch.optim.Optimizer]:
    """The optimizers of the joint phase, which share out the parameters.

    AdamW has all of them, the shared embedding and the readouts that watch at learning rates of their own. Under
    `optimizer: muon` it has all but the weight matrices of the towers, which Muon has.
    """
    watching = [*objective.readouts.parameters(), *objective.second.parameters()]
    trained = [parameter for parameter in objective.model.parameters() if parameter.requires_grad]
    optimizers: list[torch.optim.Optimizer] = []
    if settings.optimizer == "muon":
        hidden = {id(p): p for p in objective.model.towers.parameters() if p.ndim == 2 and p.requires_grad}
        optimizers.append(Muon(list(hidden.values()), settings.learning_rate, weight_decay=settings.weight_decay))
        trained = [parameter for parameter in trained if id(parameter) not in hidden]
    embedding = cast(nn.Parameter, objective.model.embedding.weight)
    groups = [
        *adamw_groups([p for p in trained if p is not embedding], settings.learning_rate, settings.weight_decay),
        *adamw_groups([embedding], settings.embedding_rate * settings.learning_rate, settings.weight_decay),
        *adamw_groups(watching, settings.readout_learning_rate, settings.weight_decay),
    ]
    return [adamw(groups, settings.betas), *optimizers]


READOUT_BETAS = (0.9, 0.995)


def readout_optimizers(readouts: nn.Module, settings: ReadoutConfig) -> list[torch.optim.Optimizer]:
    """The optimizers of the readout phases: one for the layers to the vocabulary, one for all else."""
    decoders = {id(p): p for name, p in readouts.named_parameters() if "decoder" in name.split(".")}
    others = [parameter for parameter in readouts.parameters() if id(parameter) not in decoders]
    rate, decay = settings.learning_rate, settings.weight_decay
    optimizers: list[torch.optim.Optimizer] = [adamw(adamw_groups(others, rate, decay), READOUT_BETAS)]
    if decoders:  # a lens has none
        optimizers.append(RotatedAdamW(adamw_groups(decoders.values(), rate, decay), READOUT_BETAS))
    return optimizers


def adamw_groups(parameters: Iterable[nn.Parameter], learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
    """Groups for `adamw`, none of them empty: weight decay on matrices only, none on biases and norms."""
    parameters = list(parameters)
    groups: list[dict[str, Any]] = [
        {"params": [p for p in parameters if p.ndim >= 2], "lr": learning_rate, "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "lr": learning_rate, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def adamw(groups: list[dict[str, Any]], betas: tuple[float, float]) -> torch.optim.AdamW:
    """Fused AdamW (Loshchilov and Hutter 2019)."""
    return torch.optim.AdamW(groups, betas=betas, fused=True)


def linear_schedule(step: int, steps: int, warmup: float) -> float:
    """Share of the peak learning rate at update `step` (from 0) of `steps`: up linearly over `warmup`, then to 0."""
    rising = max(1, round(warmup * steps))
    if step < rising:
        return (step + 1) / rising
    return (steps - step) / max(1, steps - rising)


def set_learning_rates(optimizers: Iterable[torch.optim.Optimizer], share: float) -> None:
    """From now on all parameters are trained at this share of their group's peak learning rate."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = share * group.setdefault("initial_lr", group["lr"])
