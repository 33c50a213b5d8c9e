"""The towers, what joins them, and the heads that read them.

    tokens -> shared embedding -> tower 1 -+
                               -> tower 2 -+-> concatenate -> LayerNorm -> dense -> GELU -> LayerNorm -> decoder

The decoder is tied to the embedding, plus a bias. No gate, no diversity loss, no auxiliary term: the only inductive
bias is that there are several towers (He and Toyoizumi 2022, arXiv 2210.07041).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from .configuration import TowersConfig
from .losses import token_log_probs
from .towers import Tower, needs_embedding_norm


class EmbeddingNorm(nn.Module):
    """What the reference does to the shared embedding of BERT and ELMo before it reaches the towers.

    For BERT learned positions are added, unless its towers have relative ones; then LayerNorm and dropout. (batch,
    time, embedding_size) to the same.
    """

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        self.positions = None
        if config.family == "bert" and config.positions == "learned":
            self.positions = nn.Parameter(torch.empty(config.window, config.embedding_size))
            nn.init.uniform_(self.positions, -0.02, 0.02)
        self.norm = nn.LayerNorm(config.embedding_size, eps=1e-12)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, embedded: Tensor) -> Tensor:
        """Add positions, normalize, drop."""
        if self.positions is not None:
            embedded = embedded + self.positions[: embedded.shape[1]]
        normalized: Tensor = self.dropout(self.norm(embedded))
        return normalized


class Fusion(nn.Module):
    """Towers' outputs, concatenated (..., towers x output_width), to features (..., embedding_size)."""

    def __init__(self, config: TowersConfig, towers: int) -> None:
        super().__init__()
        joined = towers * config.output_width
        self.norm = nn.LayerNorm(joined)
        self.dense = nn.Linear(joined, config.embedding_size)
        self.out_norm = nn.LayerNorm(config.embedding_size)

    def forward(self, joined: Tensor) -> Tensor:
        """Fuse the towers' outputs."""
        features: Tensor = self.out_norm(F.gelu(self.dense(self.norm(joined))))
        return features


class OwnHead(nn.Module):
    """What the joint head is for all towers, for one alone: it gives a tower a loss of its own."""

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        self.fusion = Fusion(config, towers=1)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))


class Readout(nn.Module):
    """A fresh, untied head on one tower alone: (LayerNorm ->) dense -> GELU -> LayerNorm -> linear to the vocabulary.

    The first LayerNorm is the readout's own, over its tower only; under `readout_norm: joint` there is none, because
    the input is already a slice of the normalized concatenation.
    """

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        own = config.readout_norm == "own"
        self.norm = nn.LayerNorm(config.output_width) if own else nn.Identity()
        self.dense = nn.Linear(config.output_width, config.width)
        self.out_norm = nn.LayerNorm(config.width)
        self.decoder = nn.Linear(config.width, config.vocab_size)

    def features(self, hidden: Tensor) -> Tensor:
        """What the linear layer to the vocabulary sees: (..., output_width) to (..., width)."""
        features: Tensor = self.out_norm(F.gelu(self.dense(self.norm(hidden))))
        return features


def fresh_readouts(config: TowersConfig, seed: int, log_frequencies: Tensor | None = None) -> nn.ModuleList:
    """One readout per tower, all with the same initial weights, so that only the towers make them differ.

    The dense layer has PyTorch's default weights under `seed`, whatever the state of the global generator, which is
    left alone. The linear layer to the vocabulary begins at zero, with `log_frequencies` (vocabulary,), log unigram
    probabilities, as its bias: a readout begins as the unigram model. Random weights there never wash out for rare
    types, and made two readouts of one tower differ as reliably as readouts of different towers.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first = Readout(config)
    nn.init.zeros_(first.decoder.weight)
    nn.init.zeros_(first.decoder.bias)
    if log_frequencies is not None:
        first.decoder.bias.data.copy_(log_frequencies)
    readouts = [first]
    for _ in range(1, config.towers):
        other = Readout(config)
        other.load_state_dict(first.state_dict())
        readouts.append(other)
    return nn.ModuleList(readouts)


@dataclass
class TowersOutput(ModelOutput):
    """What the towers made of a text."""

    last_hidden_state: Tensor | None = None
    """The fused features, (batch, time, embedding_size)."""
    tower_states: tuple[Tensor, ...] | None = None
    """Each tower's output, (batch, time, output_width)."""


class TowersModel(PreTrainedModel):
    """Identical towers over a shared embedding, trained on one objective.

    The joint head reads all towers; `readouts[name][k]` reads tower k alone.
    """

    config_class = TowersConfig
    base_model_prefix = "towers_model"

    def __init__(self, config: TowersConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size)
        self.embedding_norm = EmbeddingNorm(config) if needs_embedding_norm(config.family) else nn.Identity()
        self.towers = nn.ModuleList(Tower(config) for _ in range(config.towers))
        self.fusion = Fusion(config, config.towers)
        self.decoder_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.own_heads = nn.ModuleList(OwnHead(config) for _ in range(config.towers if config.cooperation < 1 else 0))
        self.readouts = nn.ModuleDict({name: fresh_readouts(config, seed=0) for name in config.readouts})
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        # The backbones initialize themselves; linear layers and norms outside them keep PyTorch's defaults.
        if module is self.embedding:
            nn.init.uniform_(self.embedding.weight, -0.02, 0.02)

    def get_input_embeddings(self) -> nn.Module:
        """The shared embedding, which is also the joint head's decoder."""
        return self.embedding

    def tower_outputs(
        self, input_ids: Tensor, present: Tensor | None = None, chosen: Tensor | None = None
    ) -> list[Tensor]:
        """Every tower's hidden states for piece ids (batch, time).

        `present` (batch, time) is False for padding, which comes last in its row. Each result is of shape (batch, time,
        output_width), or, for `chosen` positions, bool (batch, time), of shape (chosen positions, output_width).
        """
        embedded = self.embedding_norm(self.embedding(input_ids))
        outputs = [tower(embedded, present) for tower in self.towers]
        if chosen is None:
            return outputs
        if bool(chosen.all()):  # an index copies
            return [output.flatten(0, 1) for output in outputs]
        places = chosen.flatten().nonzero().squeeze(1)
        return [output.flatten(0, 1).index_select(0, places) for output in outputs]

    def joint_features(self, outputs: list[Tensor]) -> Tensor:
        """What the decoder of the joint head sees: (..., embedding_size)."""
        features: Tensor = self.fusion(torch.cat(outputs, dim=-1))
        return features

    def joint_decoder(self) -> tuple[Tensor, Tensor]:
        """Weight (vocabulary, embedding_size) and bias (vocabulary,) of the joint head."""
        return self.embedding.weight, self.decoder_bias

    def readout_inputs(self, outputs: list[Tensor]) -> list[Tensor]:
        """What each tower's readout sees, detached: (..., output_width).

        Under `readout_norm: own` the tower's output itself, which no other tower can touch. Under `joint` the slice
        of the LayerNorm over all towers, as in the reference: it carries the other towers' mean and scale.
        """
        if self.config.readout_norm == "own":
            return [output.detach() for output in outputs]
        with torch.no_grad():
            normalized = self.fusion.norm(torch.cat(outputs, dim=-1))
        return list(normalized.detach().split(self.config.output_width, dim=-1))

    @torch.no_grad()
    def log_probs(
        self,
        input_ids: Tensor,
        targets: Tensor,
        scored: Tensor,
        present: Tensor | None = None,
        heads: Collection[str] | None = None,
    ) -> dict[str, Tensor]:
        """Log-probability of the scored targets under every head, in nats, float32.

        Args:
            input_ids, targets: piece ids (batch, time); the target of a position is what its features predict.
            scored: which positions count, bool (batch, time).
            present: False for padding, bool (batch, time).
            heads: the heads that are asked for; all if None.

        Returns:
            From the name of a head to a tensor of shape (scored positions,): `joint`, and `NAME_K` for tower K
            (counted from 1) under each set of readouts NAME.
        """
        outputs = self.tower_outputs(input_ids, present, scored)
        chosen = targets[scored]
        return {
            name: token_log_probs(features, weight, bias, chosen)
            for name, (features, weight, bias) in self.head_features(outputs).items()
            if heads is None or name in heads
        }

    def head_features(self, outputs: list[Tensor]) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
        """For each head, by name, its features (..., width), and the weight and bias of its layer to the vocabulary."""
        heads = {"joint": (self.joint_features(outputs), *self.joint_decoder())}
        inputs = self.readout_inputs(outputs)
        for name, readouts in cast(dict[str, list[Readout]], self.readouts).items():
            # A set may have readouts on the first towers only: one is enough for a noise floor.
            for number, (readout, hidden) in enumerate(zip(readouts, inputs, strict=False), start=1):
                heads[f"{name}_{number}"] = (readout.features(hidden), readout.decoder.weight, readout.decoder.bias)
        return heads

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> TowersOutput:
        """The fused features and the towers' states, for `AutoModel`; `attention_mask` is 0 for padding."""
        outputs = self.tower_outputs(input_ids, None if attention_mask is None else attention_mask.bool())
        return TowersOutput(last_hidden_state=self.joint_features(outputs), tower_states=tuple(outputs))
