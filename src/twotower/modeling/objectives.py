"""Which positions are predicted, from what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from .losses import cross_entropy_sum
from .model import TowersModel


def causal(windows: Tensor) -> tuple[Tensor, Tensor]:
    """Next-token prediction: windows (batch, time + 1) to inputs and targets, each (batch, time)."""
    return windows[:, :-1], windows[:, 1:]


class JointObjective(nn.Module):
    """The objective of the joint phase, and beside it readouts on detached features that only watch.

    The readouts' gradients end at the towers' outputs: the towers train exactly as they would without them.
    """

    def __init__(self, model: TowersModel, readouts: nn.ModuleList) -> None:
        super().__init__()
        self.model = model
        self.readouts = readouts

    def forward(self, windows: Tensor, readout_rows: int) -> Tensor:
        """Summed nats under each head, for windows (batch, time + 1).

        Returns a tensor of shape (1 + towers,): the joint head over all windows, then each tower's readout over the
        first `readout_rows` of them.
        """
        inputs, targets = causal(windows)
        outputs = self.model.tower_outputs(inputs)
        joint = self.model.joint_features(outputs).flatten(0, 1)
        sums = [cross_entropy_sum(joint, *self.model.joint_decoder(), targets.flatten())]
        watched = [output[:readout_rows] for output in outputs]
        sums += readout_losses(self.readouts, self.model.readout_inputs(watched), targets[:readout_rows])
        return torch.stack(sums)


def readout_losses(readouts: Iterable[Any], inputs: list[Tensor], targets: Tensor) -> list[Tensor]:
    """Summed nats of each tower's readout on its own detached input (batch, time, width); scalars, one per tower."""
    losses = []
    for readout, hidden in zip(readouts, inputs, strict=True):
        features = readout.features(hidden.flatten(0, 1))
        losses.append(cross_entropy_sum(features, readout.decoder.weight, readout.decoder.bias, targets.flatten()))
    return losses
