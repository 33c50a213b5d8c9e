"""The towers, what joins them, and the heads that read them.

    tokens -> shared embedding -> tower 1 -+
                               -> tower 2 -+-> concatenate -> LayerNorm -> dense -> GELU -> LayerNorm -> decoder

The decoder is tied to the embedding, plus a bias. No gate, no diversity loss, no auxiliary term: the only inductive
bias is that there are several towers (He and Toyoizumi 2022, arXiv 2210.07041).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from .configuration import TowersConfig
from .losses import token_log_probs
from .towers import Tower


class Fusion(nn.Module):
    """All towers' outputs, concatenated (batch, time, towers x width), to features (batch, time, embedding_size)."""

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        joined = config.towers * config.width
        self.norm = nn.LayerNorm(joined)
        self.dense = nn.Linear(joined, config.embedding_size)
        self.out_norm = nn.LayerNorm(config.embedding_size)

    def forward(self, joined: Tensor) -> Tensor:
        """Fuse the towers' outputs."""
        features: Tensor = self.out_norm(F.gelu(self.dense(self.norm(joined))))
        return features


class Readout(nn.Module):
    """A fresh, untied head on one tower alone: (LayerNorm ->) dense -> GELU -> LayerNorm -> linear to the vocabulary.

    The first LayerNorm is the readout's own, over its tower only; under `readout_norm: joint` there is none, because
    the input is already a slice of the normalized concatenation.
    """

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        own = config.readout_norm == "own"
        self.norm = nn.LayerNorm(config.width) if own else nn.Identity()
        self.dense = nn.Linear(config.width, config.width)
        self.out_norm = nn.LayerNorm(config.width)
        self.decoder = nn.Linear(config.width, config.vocab_size)

    def features(self, hidden: Tensor) -> Tensor:
        """What the linear layer to the vocabulary sees: (..., width) to (..., width)."""
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
    """Loss (mean nats per predicted token) if labels were given, and logits (batch, time, vocabulary)."""

    loss: Tensor | None = None
    logits: Tensor | None = None


class TowersModel(PreTrainedModel):
    """Identical towers over a shared embedding, trained on one objective.

    The joint head reads all towers; `readouts[name][k]` reads tower k alone.
    """

    config_class = TowersConfig
    base_model_prefix = "towers_model"

    def __init__(self, config: TowersConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size)
        self.towers = nn.ModuleList(Tower(config) for _ in range(config.towers))
        self.fusion = Fusion(config)
        self.decoder_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.readouts = nn.ModuleDict({name: fresh_readouts(config, seed=0) for name in config.readouts})
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        # The backbones initialize themselves; linear layers and norms outside them keep PyTorch's defaults.
        if module is self.embedding:
            nn.init.uniform_(self.embedding.weight, -0.02, 0.02)

    def get_input_embeddings(self) -> nn.Module:
        """The shared embedding, which is also the joint head's decoder."""
        return self.embedding

    def tower_outputs(self, input_ids: Tensor) -> list[Tensor]:
        """Every tower's hidden states, each (batch, time, width), for piece ids (batch, time)."""
        embedded = self.embedding(input_ids)
        return [tower(embedded) for tower in self.towers]

    def joint_features(self, outputs: list[Tensor]) -> Tensor:
        """What the decoder of the joint head sees: (..., embedding_size)."""
        features: Tensor = self.fusion(torch.cat(outputs, dim=-1))
        return features

    def joint_decoder(self) -> tuple[Tensor, Tensor]:
        """Weight (vocabulary, embedding_size) and bias (vocabulary,) of the joint head."""
        return self.embedding.weight, self.decoder_bias

    def readout_inputs(self, outputs: list[Tensor]) -> list[Tensor]:
        """What each tower's readout sees, detached: (..., width).

        Under `readout_norm: own` the tower's output itself, which no other tower can touch. Under `joint` the slice
        of the LayerNorm over all towers, as in the reference: it carries the other towers' mean and scale.
        """
        if self.config.readout_norm == "own":
            return [output.detach() for output in outputs]
        with torch.no_grad():
            normalized = self.fusion.norm(torch.cat(outputs, dim=-1))
        return list(normalized.detach().split(self.config.width, dim=-1))

    @torch.no_grad()
    def log_probs(self, input_ids: Tensor, targets: Tensor, scored: Tensor) -> dict[str, Tensor]:
        """Log-probability of the scored targets under every head, in nats, float32.

        Args:
            input_ids, targets: piece ids (batch, time); the target of a position is what its features predict.
            scored: which positions count, bool (batch, time).

        Returns:
            From the name of a head to a tensor of shape (scored positions,): `joint`, and `NAME_K` for tower K
            (counted from 1) under each set of readouts NAME.
        """
        outputs = [output[scored] for output in self.tower_outputs(input_ids)]
        chosen = targets[scored]
        scores = {"joint": token_log_probs(self.joint_features(outputs), *self.joint_decoder(), chosen)}
        inputs = self.readout_inputs(outputs)
        for name, readouts in cast(dict[str, list[Readout]], self.readouts).items():
            for number, (readout, hidden) in enumerate(zip(readouts, inputs, strict=True), start=1):
                decoder = readout.decoder
                features = readout.features(hidden)
                scores[f"{name}_{number}"] = token_log_probs(features, decoder.weight, decoder.bias, chosen)
        return scores

    def forward(self, input_ids: Tensor, labels: Tensor | None = None, **_: Any) -> TowersOutput:
        """Logits of the joint head, as the field's tools expect them: all of them, so for short texts only.

        `labels` (batch, time) are piece ids, -100 where nothing is predicted; they are shifted by one position here.
        """
        weight, bias = self.joint_decoder()
        logits = F.linear(self.joint_features(self.tower_outputs(input_ids)), weight, bias)
        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return TowersOutput(loss=loss, logits=logits)
