"""Windows of held-out text to log-probabilities, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..data.heldout import PreparedText
from ..data.windows import ScoringWindows
from .model import TowersModel


def score_windows(
    model: TowersModel, text: PreparedText, windows: ScoringWindows, batch: int
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """For each `batch` windows the scored pieces and their log-probabilities (see `TowersModel.log_probs`), on the CPU.

    Pieces, and every head's log-probabilities, have shape (scored positions,) and come in the order of the text.
    """
    device = model.decoder_bias.device
    for start in range(0, len(windows), batch):
        arrays = windows.inputs_and_targets(text.heldout, slice(start, start + batch), text.pad)
        inputs, targets, scored = (torch.from_numpy(array).to(device) for array in arrays)
        heads = model.log_probs(inputs, targets, scored)
        yield targets[scored].cpu(), {name: values.cpu() for name, values in heads.items()}
