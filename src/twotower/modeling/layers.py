"""Every layer of every tower, not only the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from .elmo import Elmo, reorder, reversal
from .planted import idle_output
from .towers import Tower

if TYPE_CHECKING:
    from .model import TowersModel


@torch.no_grad()
def layer_states(model: TowersModel, input_ids: Tensor, present: Tensor | None = None) -> list[list[Tensor]]:
    """The states of each tower at each layer, for piece ids (batch, time); (batch, time, width) each.

    Layer 0 is the tower's input: the shared embedding after the tower's input map. Layers 1 to L are what its blocks
    give, the last one being the tower's output, which fusion and readouts see. Of `elmo` a layer is the states of the
    LSTMs of both directions side by side, the last one as mapped to the tower's output. `present` (batch, time) is
    False for padding, which comes last in its row.
    """
    return states_of_layers(model, input_ids, present)


def states_of_layers(model: TowersModel, input_ids: Tensor, present: Tensor | None) -> list[list[Tensor]]:
    """`layer_states`, with gradients."""
    embedded = model.embedding_norm(model.embedding(input_ids))
    if model.config.idle_kind not in ("zero", "copy"):
        return [_of_tower(cast(Tower, tower), embedded, present) for tower in model.towers]
    working = [_of_tower(cast(Tower, tower), embedded, present) for tower in list(model.towers)[:-1]]
    return [*working, [idle_output(model.config, states) for states in working[0]]]


def side_by_side(layers: list[list[Tensor]]) -> tuple[Tensor, ...]:
    """The states of towers (see `layer_states`) as one tensor for each layer: (batch, time, towers x width)."""
    return tuple(torch.cat(same, dim=-1) for same in zip(*layers, strict=True))


def _of_tower(tower: Tower, embedded: Tensor, present: Tensor | None) -> list[Tensor]:
    mapped: Tensor = tower.input_map(embedded)
    if isinstance(tower.backbone, Elmo):
        return [mapped, *_of_lstms(tower.backbone, mapped, present), tower(embedded, present)]
    output = tower.run_backbone(mapped, present, output_hidden_states=True)
    return [mapped, *output.hidden_states[1:-1], output.last_hidden_state]


def _of_lstms(elmo: Elmo, mapped: Tensor, present: Tensor | None) -> list[Tensor]:
    """States of all layers but the last, each (batch, time, directions x lstm_hidden)."""
    below = [elmo.past(mapped)]
    lstms = [elmo.lstm]
    reverse = reversal(mapped, present)
    if elmo.backward_lstm is not None:
        below.append(elmo.past(reorder(mapped, reverse)))
        lstms.append(elmo.backward_lstm)
    layers = []
    for layer in range(elmo.lstm.num_layers - 1):
        below = [_one_layer(lstm, layer)(states)[0] for lstm, states in zip(lstms, below, strict=True)]
        # Read backwards, the states are in the reverse order: reordering once more undoes it.
        layers.append(torch.cat([below[0], *(reorder(states, reverse) for states in below[1:])], dim=-1))
    return layers


def _one_layer(lstm: nn.LSTM, layer: int) -> nn.LSTM:
    """One layer of an LSTM, with the same parameters."""
    size = lstm.input_size if layer == 0 else lstm.hidden_size
    single = nn.LSTM(size, lstm.hidden_size, batch_first=True)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        setattr(single, f"{name}_l0", getattr(lstm, f"{name}_l{layer}"))
    return single
