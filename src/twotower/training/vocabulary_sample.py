"""A softmax over a part of the vocabulary that changes from update to update, for the readouts' training.

The product with the layer to the vocabulary is nearly all that a readout's update costs. Most of it goes to rare types,
each of which holds little probability. So an update adds up the most frequent types, those that its batch is to
predict, and a sample of the others, each of which stands for several. This estimate of the normalizer is unbiased; its
logarithm is too low by about half the relative variance (importance sampling: Bengio and Senecal 2008, IEEE TNN 19,
equation 7). Scores always use the whole vocabulary.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..system.processes import Processes

PARTS = 8
"""The vocabulary in equal parts: the part with the most frequent types is always there, and one of the others."""
SMALLEST = 2048
"""A smaller vocabulary is always whole."""


class Sampled(NamedTuple):
    """The types of an update."""

    types: Tensor
    """Piece ids, (sampled types,)."""
    log_weights: Tensor
    """Logarithm of the number of types for which each stands, (sampled types,): to be added to its logit."""
    targets: Tensor
    """The batch's targets as positions in `types`."""


class VocabularySample:
    """Draws the types of each update.

    The rare types are dealt out, in strata of like frequency, so that each comes once in `PARTS` - 1 updates; then they
    are dealt anew.
    """

    def __init__(self, log_frequencies: NDArray[np.float32], seed: int, processes: Processes) -> None:
        order = np.argsort(-log_frequencies, kind="stable")
        frequent = len(order) // PARTS
        self.rare = order[frequent:]
        self.always = torch.zeros(len(order), dtype=torch.bool)
        self.always[torch.from_numpy(order[:frequent])] = True
        self.generator = np.random.default_rng(seed)
        self.processes = processes
        self.blocks: list[Tensor] = []

    def draw(self, targets: Tensor, device: torch.device) -> Sampled:
        """The types for a batch with these targets, (positions,), all on the processor.

        All processes must ask, and get the same types; `device` is where they add up.
        """
        if not self.blocks:
            self.blocks = self._deal()
        in_batch = torch.zeros(len(self.always))
        in_batch[targets] = 1
        if self.processes.count > 1:
            in_batch = in_batch.to(device)
            self.processes.add_up([in_batch])
        always_counted = self.always | (in_batch.cpu() > 0)
        block = self.blocks.pop()
        sampled = block[~always_counted[block]]
        certain = always_counted.nonzero().squeeze(1)
        types = torch.cat([certain, sampled])
        log_weights = torch.zeros(len(types))
        if len(sampled):
            log_weights[len(certain) :] = math.log((len(always_counted) - len(certain)) / len(sampled))
        places = torch.empty(len(always_counted), dtype=torch.int64)
        places[types] = torch.arange(len(types))
        return Sampled(types, log_weights, places[targets])

    def _deal(self) -> list[Tensor]:
        strata = -(-len(self.rare) // (PARTS - 1))
        dealt = self.generator.permuted(np.tile(np.arange(PARTS - 1), (strata, 1)), axis=1).ravel()[: len(self.rare)]
        return [torch.from_numpy(self.rare[dealt == block]) for block in range(PARTS - 1)]
