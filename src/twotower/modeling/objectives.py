"""Which positions are predicted, from what: causal, masked, bidirectional."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..config.schema import OBJECTIVES
from ..config.validation import require_objective
from ..data.tokenization import Vocabulary
from .backbones import PREFIX, check_backbone
from .configuration import TowersConfig
from .losses import cross_entropy_sum
from .model import OwnHead, TowersModel
from .transfers import in_one_copy

MASKED_AS_MASK, MASKED_AS_RANDOM = 0.8, 0.1
"""Of the selected tokens, the shares replaced by [MASK] and by a random piece (Devlin et al. 2019); the rest stay."""


def resolve_objective(objective: str, config: TowersConfig) -> str:
    """The objective of towers of `config.family`: the one asked for, or for `auto` the family's own.

    Whether a backbone of `transformers` sees later tokens is tried out. Raises `InputError` if the family cannot do
    what is asked, or cannot be a tower.
    """
    possible: tuple[str, ...]
    if config.family.startswith(PREFIX):
        possible = ("masked",) if check_backbone(config) else ("causal", "masked")
    else:
        possible = OBJECTIVES[config.family]
    require_objective(config.family, objective, possible)
    return possible[0] if objective == "auto" else objective


@dataclass(frozen=True)
class Batch:
    """What the towers read, and what they are to predict."""

    inputs: Tensor
    """Piece ids, (rows, time)."""
    targets: Tensor
    """The pieces that the positions are to predict, (rows, time)."""
    predicted: Tensor
    """Which positions count, bool (rows, time)."""
    present: Tensor | None = None
    """False for padding, bool (rows, time); None where there is none."""

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def count(self) -> int:
        """Number of predicted positions."""
        return int(self.predicted.sum())

    def rows(self, chosen: slice) -> Batch:
        """Some of the rows."""
        present = None if self.present is None else self.present[chosen]
        return Batch(self.inputs[chosen], self.targets[chosen], self.predicted[chosen], present)

    def split(self, size: int) -> Iterator[Batch]:
        """Parts of at most `size` rows; of all rows if `size` is 0."""
        size = size or len(self)
        return (self.rows(slice(start, start + size)) for start in range(0, len(self), size))

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        tensors = [self.inputs, self.targets, self.predicted, *([] if self.present is None else [self.present])]
        return Batch(*in_one_copy(tensors, device))


def row_length(objective: str, window: int) -> int:
    """Tokens of a row of text that fill a window: the causal objective needs one more, the last target."""
    return window + 1 if objective == "causal" else window


def make_batch(
    objective: str, rows: NDArray[np.int64], vocabulary: Vocabulary, masked: float, generator: np.random.Generator
) -> Batch:
    """Rows of text, (rows, `row_length`), to inputs and targets. Padding and [CLS] are never targets."""
    if objective == "causal":
        inputs, targets = rows[:, :-1], rows[:, 1:]
        predicted = ~np.isin(targets, vocabulary.never_targets)
    elif objective == "bidirectional":
        inputs = targets = rows
        predicted = ~np.isin(targets, vocabulary.never_targets)
    else:
        targets = rows
        inputs, predicted = mask(rows, vocabulary, masked, generator)
    present = inputs != vocabulary.pad
    return Batch(
        torch.from_numpy(np.ascontiguousarray(inputs)),
        torch.from_numpy(np.ascontiguousarray(targets)),
        torch.from_numpy(predicted),
        None if present.all() else torch.from_numpy(present),
    )


def mask(
    rows: NDArray[np.int64], vocabulary: Vocabulary, share: float, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Select tokens, each with probability `share`, and hide them as BERT does (Devlin et al. 2019, section 3.1).

    Special tokens are not selected. Of the selected, 80 % become [MASK], 10 % a random piece, which is never a special
    token nor an id without a piece, and 10 % stay. Returns the masked rows and what was selected, each of the shape of
    `rows`; at least one token is selected where there is any.
    """
    ordinary = ~np.isin(rows, vocabulary.special)
    selected = ordinary & (generator.random(rows.shape) < share)
    if not selected.any() and ordinary.any():
        selected.flat[generator.choice(np.flatnonzero(ordinary))] = True
    fate = generator.random(rows.shape)
    inputs = np.where(selected & (fate < MASKED_AS_MASK), vocabulary.mask, rows)
    swapped = selected & (fate >= MASKED_AS_MASK) & (fate < MASKED_AS_MASK + MASKED_AS_RANDOM)
    inputs[swapped] = generator.choice(vocabulary.ordinary, size=int(swapped.sum()))
    return inputs, selected


class JointObjective(nn.Module):
    """The objective of the joint phase, and beside it readouts on detached features that only watch.

    The readouts' gradients end at the towers' outputs: the towers train exactly as they would without them. With
    `cooperation` below 1 each tower also has a head of its own, on the shared embedding, which trains it alone; at 0
    the joint head, too, only watches: its gradients end where the readouts' do. Planted labels and planted texts use
    the same heads: `owners` (vocabulary,) has the tower, from 0, whose own loss a target counts in (None: everyone's),
    and with planted texts each tower's own loss is that of a text of its own.
    """

    def __init__(
        self,
        model: TowersModel,
        readouts: nn.ModuleList,
        second: nn.ModuleList,
        owners: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.readouts = readouts
        self.second = second
        """Readouts of another set on the same towers: what both sets agree on comes from the towers."""
        self.owners: Tensor | None
        self.register_buffer("owners", owners, persistent=False)

    def forward(
        self,
        inputs: Tensor,
        targets: Tensor,
        predicted: Tensor,
        present: Tensor | None,
        watched_rows: int,
        own_texts: Sequence[Batch] = (),
    ) -> Tensor:
        """Summed nats under each head, for a batch (see `Batch`).

        Returns a tensor of shape (1 + 2 x towers,): the joint head over all predicted positions, then each tower's
        readout and each tower's of the second set over those in the first `watched_rows` rows. Where towers
        have losses of their own these follow, over all predicted positions, over those whose target is the tower's, or
        over those of its own text (`own_texts`, a batch for each tower).
        """
        joint = self.model.config.joint_weight > 0
        with nullcontext() if joint or not own_texts else torch.no_grad():
            outputs = self.model.tower_outputs(inputs, present, predicted)
        targets = targets[predicted]
        weight, bias = self.model.joint_decoder()
        if joint:
            features, decoder = self.model.joint_features(outputs), weight
        else:
            features, decoder = self.model.joint_features([output.detach() for output in outputs]), weight.detach()
        sums = [cross_entropy_sum(features, decoder, bias, targets)]
        watched = int(predicted[:watched_rows].sum())
        readout_inputs = self.model.readout_inputs([output[:watched] for output in outputs])
        sums += readout_losses([*self.readouts, *self.second], [*readout_inputs, *readout_inputs], targets[:watched])
        for number, head in enumerate(cast(list[OwnHead], list(self.model.own_heads))):
            output, targets_there = self._own_part(number, outputs, targets, own_texts)
            sums.append(cross_entropy_sum(head.fusion(output), weight, head.bias, targets_there))
        return torch.stack(sums)

    def _own_part(
        self, number: int, outputs: list[Tensor], targets: Tensor, own_texts: Sequence[Batch]
    ) -> tuple[Tensor, Tensor]:
        """The states and targets, (positions, …), of a tower's own loss."""
        if own_texts:
            batch = own_texts[number]
            states = self.model.tower_output(number, batch.inputs, batch.present, batch.predicted)
            return states, batch.targets[batch.predicted]
        if self.owners is None:
            return outputs[number], targets
        own_places = (self.owners[targets] == number).nonzero().squeeze(1)
        return outputs[number].index_select(0, own_places), targets.index_select(0, own_places)

    def trained_apart(self) -> list[list[nn.Parameter]]:
        """The parameters in groups that are clipped apart: those that train the towers, and those that only watch."""
        watching = [*self.readouts.parameters(), *self.second.parameters()]
        if self.model.config.joint_weight > 0:
            return [list(self.model.parameters()), watching]
        joint = [*self.model.fusion.parameters(), self.model.decoder_bias]
        separate = [
            parameter for parameter in self.model.parameters() if all(parameter is not shared for shared in joint)
        ]
        return [separate, joint, watching]


def loss_weights(config: TowersConfig) -> list[float]:
    """The weight in the loss of each sum that `JointObjective` returns; heads that only watch have 1."""
    own_weights = [config.own_weight] * config.towers if config.own_weight > 0 else []
    return [config.joint_weight or 1.0, *[1.0] * watched_heads(config), *own_weights]


def watched_heads(config: TowersConfig) -> int:
    """How many readouts watch the joint phase: two sets, with one on each tower."""
    return 2 * int(config.towers)


def readout_losses(readouts: Iterable[Any], inputs: list[Tensor], targets: Tensor) -> list[Tensor]:
    """Summed nats of each tower's readout on its own detached input (positions, output_width); one scalar per tower."""
    losses = []
    for readout, hidden in zip(readouts, inputs, strict=True):
        features = readout.features(hidden)
        losses.append(cross_entropy_sum(features, readout.decoder.weight, readout.decoder.bias, targets))
    return losses
