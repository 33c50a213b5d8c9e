"""Parameters, operations and memory of a model, counted without allocating it: on fake tensors of the device `meta`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.flop_counter import FlopCounterMode

from .configuration import TowersConfig
from .model import Readout, TowersModel
from .towers import Tower

ROWS = 2


@dataclass(frozen=True)
class Costs:
    """The costs of one model, on any corpus and machine."""

    parameters: dict[str, int]
    """By component; a readout is counted once, though each set has one per tower."""
    forward_flops: float
    """Of embedding, towers and fusion, per token read; a multiplication and an addition are two operations."""
    training_flops: float
    """The same, forward and backward."""
    activation_bytes: float
    """What the towers and the fusion keep for the backward pass, per token read, in single precision."""

    @property
    def trained(self) -> int:
        """Parameters of the joint phase."""
        return sum(count for name, count in self.parameters.items() if name != "readout")


def count_costs(config: TowersConfig) -> Costs:
    """Count one forward and backward pass over `ROWS` full windows; matrix products alone count as operations."""
    tokens = ROWS * config.window
    with FakeTensorMode(), torch.device("meta"):
        model, ids = _example(config)
        forward = _forward_flops(model, ids)
        saved_bytes: dict[Any, int] = {}
        weights = {_storage(parameter) for parameter in model.parameters()}

        def keep(saved: Tensor) -> Tensor:
            if _storage(saved) not in weights:
                saved_bytes[_storage(saved)] = saved.untyped_storage().nbytes()
            return saved

        with FlopCounterMode(display=False) as training:
            with saved_tensors_hooks(keep, lambda saved: saved):
                features = _features(model, ids)
            torch.autograd.backward(features.sum())
        parameters = _parameters(model, Readout(config))
    return Costs(
        parameters=parameters,
        forward_flops=forward / tokens,
        training_flops=training.get_total_flops() / tokens,
        activation_bytes=sum(saved_bytes.values()) / tokens,
    )


def forward_flops(config: TowersConfig) -> float:
    """`Costs.forward_flops` alone, in a third of the time."""
    with FakeTensorMode(), torch.device("meta"):
        return _forward_flops(*_example(config)) / (ROWS * config.window)


def _example(config: TowersConfig) -> tuple[TowersModel, Tensor]:
    """A model and `ROWS` full windows, on fake tensors where these are on."""
    return TowersModel(config).train(), torch.zeros((ROWS, config.window), dtype=torch.long)


def _forward_flops(model: TowersModel, ids: Tensor) -> int:
    with FlopCounterMode(display=False) as counted, torch.no_grad():
        _features(model, ids)
    return int(counted.get_total_flops())


def head_flops(width: int, vocabulary: int) -> int:
    """Of the product of one predicted position's features with the vocabulary, forward and backward."""
    return 3 * 2 * width * vocabulary


def _storage(tensor: Tensor) -> Any:
    """What is equal for tensors that share their memory."""
    reference: Any = StorageWeakRef
    return reference(tensor.untyped_storage())


def _features(model: TowersModel, ids: Tensor) -> Tensor:
    return model.joint_features(model.tower_outputs(ids))


def _parameters(model: TowersModel, readout: Readout) -> dict[str, int]:
    def size(module: Any) -> int:
        return sum(parameter.numel() for parameter in module.parameters())

    parts = {"shared embedding": size(model.embedding) + size(model.embedding_norm)}
    for number, tower in enumerate(cast(list[Tower], list(model.towers)), start=1):
        parts[f"tower {number}, blocks"] = size(tower.backbone)
        parts[f"tower {number}, input map"] = size(tower.input_map)
    parts["fusion"] = size(model.fusion)
    parts["decoder bias"] = model.decoder_bias.numel()
    return {name: count for name, count in parts.items() if count} | {"readout": size(readout)}
