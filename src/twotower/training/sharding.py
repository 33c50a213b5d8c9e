"""Parameters, gradients and moments shared out over the processes (FSDP2), for towers that one device cannot hold.

Accelerate shards on accelerators only; PyTorch's `fully_shard`, which it uses there, also runs on CPUs (gloo), so it is
called here, and one path serves and is tested on both.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import get_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard

from ..modeling.model import TowersModel, fresh_readouts
from ..modeling.objectives import JointObjective
from .checkpoints import FULL


def shard(objective: JointObjective, device: torch.device, processes: int) -> None:
    """Share out each tower, and the rest as one unit: a tower is whole only while it computes."""
    objective.to(device)
    mesh = init_device_mesh(device.type, (processes,))
    for tower in objective.model.towers:
        fully_shard(tower, mesh=mesh)
    fully_shard(objective, mesh=mesh)


def whole(objective: nn.Module) -> JointObjective | None:
    """The objective with all its weights in this process, to evaluate or save.

    It is the objective itself where nothing is sharded. Where it is, every process must call; the first one gets a copy
    on its device, the others None.
    """
    if not isinstance(objective, FSDPModule):
        assert isinstance(objective, JointObjective)
        return objective
    weights = get_model_state_dict(objective, options=FULL)
    if torch.distributed.get_rank():
        return None
    model = TowersModel(cast(JointObjective, objective).model.config)
    readouts, second = (fresh_readouts(model.config, seed=0) for _ in range(2))
    copy = JointObjective(model, readouts, second)
    copy.load_state_dict(weights)
    return copy.to(next(objective.parameters()).device)
