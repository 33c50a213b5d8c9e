"""The ELMo tower: LSTMs in both directions, neither of which sees the token that it predicts (Peters et al. 2018)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .configuration import TowersConfig


class Elmo(nn.Module):
    """Embeddings (batch, time, width) to hidden states (batch, time, width per direction).

    Under the objective `bidirectional` a position's forward half has read the tokens before it and its backward half
    those after it; neither has read its own. Under `masked` both have read it too: what is to be predicted is masked
    there. Under `causal` there is a forward half only, which has read the token at its position and predicts the next.

    Each direction is an LSTM of its own, with weights as PyTorch initializes them, and a linear map from its hidden
    size to `width`. With `elmo_backward: off` the backward half is zero: that is what the released reference computes,
    because its reversal of the sequence multiplies by the diagonal of a matrix that has none.
    """

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        self.objective = config.objective
        self.lstm = nn.LSTM(config.width, config.lstm_hidden, config.layers, batch_first=True)
        self.output_map = nn.Linear(config.lstm_hidden, config.width)
        self.has_backward_half = config.objective != "causal"
        self.backward_lstm: nn.LSTM | None = None
        if self.has_backward_half and config.elmo_backward == "on":
            self.backward_lstm = nn.LSTM(config.width, config.lstm_hidden, config.layers, batch_first=True)
            self.backward_map = nn.Linear(config.lstm_hidden, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, embeddings: Tensor, present: Tensor | None = None) -> Tensor:
        """Run both directions; `present` (batch, time) is False for padding, which must come last in its row."""
        halves = [self.output_map(self.lstm(self.past(embeddings))[0])]
        if self.backward_lstm is not None:
            reverse = reversal(embeddings, present)
            backwards = self.backward_lstm(self.past(reorder(embeddings, reverse)))[0]
            halves.append(reorder(self.backward_map(backwards), reverse))
        elif self.has_backward_half:
            halves.append(torch.zeros_like(halves[0]))
        states: Tensor = self.dropout(torch.cat(halves, dim=-1))
        return states

    def past(self, embeddings: Tensor) -> Tensor:
        """What the LSTM reads at each step: under `bidirectional` the token before, and zeros at the first."""
        return F.pad(embeddings[:, :-1], (0, 0, 1, 0)) if self.objective == "bidirectional" else embeddings


def reversal(embeddings: Tensor, present: Tensor | None) -> Tensor:
    """For each position the one from which it is filled when the row is reversed up to its padding: (batch, time)."""
    batch, time = embeddings.shape[:2]
    places = torch.arange(time, device=embeddings.device).expand(batch, time)
    if present is None:
        return places.flip(1)
    mirrored = present.sum(dim=1, keepdim=True) - 1 - places
    return torch.where(mirrored >= 0, mirrored, places)


def reorder(values: Tensor, order: Tensor) -> Tensor:
    """Values (batch, time, width) in the order of `reversal`, or back in that of the text."""
    return values.gather(1, order[:, :, None].expand_as(values))
