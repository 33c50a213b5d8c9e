"""The towers, what joins them, and the heads that read them.

    tokens -> shared embedding -> tower 1 -+
                               -> tower 2 -+-> concatenate -> LayerNorm -> dense -> GELU -> LayerNorm -> decoder

The decoder is tied to the embedding, plus a bias. No gate, no diversity loss, no auxiliary term: the only inductive
bias is that there are several towers (He and Toyoizumi 2022, arXiv 2210.07041).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput, logging

from ..runs.finished import RunFolder
from .configuration import TOGETHER, TWICE, TowersConfig
from .layers import side_by_side, states_of_layers
from .losses import token_log_probs
from .planted import outputs_of
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
        normed: Tensor = self.dropout(self.norm(embedded))
        return normed


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
        fused: Tensor = self.out_norm(F.gelu(self.dense(self.norm(joined))))
        return fused


class OwnHead(nn.Module):
    """What the joint head is for all towers, for one alone: it gives a tower a loss of its own."""

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        self.fusion = Fusion(config, towers=1)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))


class Readout(nn.Module):
    """Reads the frozen states of one tower, or of several: (LayerNorm ->) dense -> GELU -> LayerNorm -> decoder.

    A `head`, the paper's, has a decoder of its own, as wide as a tower however many it reads: it finds what its input
    *holds*. A `lens` (compare Belrose et al. 2023, arXiv 2303.08112) has none and leads to the joint model's decoder,
    which stays as it is: it finds what its input *gives to the joint head*. The first LayerNorm is the readout's own;
    under `readout_norm: joint` there is none, because the input is a slice of the normalized concatenation.
    """

    def __init__(self, config: TowersConfig, towers: int = 1) -> None:
        super().__init__()
        joined, lens = towers * config.output_width, config.readout_kind == "lens"
        width = config.embedding_size if lens else config.width
        self.norm = nn.LayerNorm(joined) if config.readout_norm == "own" else nn.Identity()
        self.dense = nn.Linear(joined, width)
        self.out_norm = nn.LayerNorm(width)
        self.decoder = None if lens else nn.Linear(width, config.vocab_size)

    def features(self, hidden: Tensor) -> Tensor:
        """What the decoder sees: (..., towers x output_width) to (..., width), for a lens (..., embedding_size)."""
        features: Tensor = self.out_norm(F.gelu(self.dense(self.norm(hidden))))
        return features


def fresh_readouts(config: TowersConfig, seed: int, log_frequencies: Tensor | None = None) -> nn.ModuleList:
    """One readout per tower, all with the same initial weights, so that only the towers make them differ.

    The dense layer has PyTorch's default weights under `seed`, whatever the state of the global generator, which is
    left alone. The linear layer to the vocabulary begins at zero, with `log_frequencies` (vocabulary,), log unigram
    probabilities, as its bias: a readout begins as the unigram model. Random weights there never wash out for rare
    types, and made two readouts of one tower differ as reliably as readouts of different towers.
    """
    return nn.ModuleList(_fresh_readout(config, 1, seed, log_frequencies) for _ in range(config.towers))


def fresh_set(config: TowersConfig, name: str, seed: int, log_frequencies: Tensor | None = None) -> nn.ModuleDict:
    """The readouts of the set called `name`, by what they read (see `TowersConfig.readouts_of`).

    Those of one tower begin as `fresh_readouts` do; those of several towers, or of one given twice, are alike too.
    """
    return nn.ModuleDict(
        {
            read: _fresh_readout(config, 1 if read.isdigit() else config.towers, seed, log_frequencies)
            for read in config.readouts_of(name)
        }
    )


def _fresh_readout(config: TowersConfig, towers: int, seed: int, log_frequencies: Tensor | None) -> Readout:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        readout = Readout(config, towers)
    if readout.decoder is not None:
        nn.init.zeros_(readout.decoder.weight)
        nn.init.zeros_(readout.decoder.bias)
        if log_frequencies is not None:
            readout.decoder.bias.data.copy_(log_frequencies)
    return readout


def input_of(read: str, inputs: list[Tensor]) -> Tensor:
    """The input of a readout, from each tower's `readout_inputs`; `read` as in `TowersConfig.readouts_of`."""
    if read == TOGETHER:
        return torch.cat(inputs, dim=-1)
    if read.startswith(TWICE):
        return torch.cat([inputs[int(read.removeprefix(TWICE)) - 1]] * len(inputs), dim=-1)
    return inputs[int(read) - 1]


@dataclass
class TowersOutput(ModelOutput):
    """The towers' states on a text."""

    last_hidden_state: Tensor | None = None
    """The fused features, (batch, time, embedding_size)."""
    hidden_states: tuple[Tensor, ...] | None = None
    """Where they are asked for, the states of each layer, from 0, of all towers side by side (see `layer_states`)."""
    tower_states: tuple[Tensor, ...] | None = None
    """Each tower's output, (batch, time, output_width)."""


class TowersModel(PreTrainedModel):
    """Identical towers over a shared embedding, trained on one objective.

    The joint head reads all towers; `readouts[name]["1"]` reads tower 1 alone, and so on (`TowersConfig.readouts_of`).
    """

    config_class = TowersConfig
    base_model_prefix = "towers_model"

    def __init__(self, config: TowersConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size)
        self.embedding_norm = EmbeddingNorm(config) if needs_embedding_norm(config.family) else nn.Identity()
        self.towers = nn.ModuleList(Tower(config, number) for number in range(config.towers))
        self.fusion = Fusion(config, config.towers)
        self.decoder_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.own_heads = nn.ModuleList(OwnHead(config) for _ in range(config.towers if config.own_weight > 0 else 0))
        self.readouts = nn.ModuleDict({name: fresh_set(config, name, seed=0) for name in config.readouts})
        self.post_init()
        if config.idle_kind:
            self.towers[-1].requires_grad_(False)

    def _init_weights(self, module: nn.Module) -> None:
        # The backbones initialize themselves; linear layers and norms outside them keep PyTorch's defaults.
        if module is self.embedding:
            nn.init.uniform_(self.embedding.weight, -0.02, 0.02)

    @torch.no_grad()
    def begin_at(self, log_frequencies: Tensor) -> None:
        """Let the joint head and the towers' own begin as the unigram model, (vocabulary,), instead of at nothing."""
        for bias in (self.decoder_bias, *(head.bias for head in cast(list[OwnHead], list(self.own_heads)))):
            bias.copy_(log_frequencies)

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
        return at_positions(outputs_of(list(self.towers), self.config, embedded, present), chosen)

    def tower_output(self, number: int, input_ids: Tensor, present: Tensor | None, chosen: Tensor) -> Tensor:
        """The same of one tower, from 0, alone."""
        embedded = self.embedding_norm(self.embedding(input_ids))
        return at_positions([self.towers[number](embedded, present)], chosen)[0]

    def joint_features(self, outputs: list[Tensor]) -> Tensor:
        """What the decoder of the joint head sees: (..., embedding_size)."""
        features: Tensor = self.fusion(torch.cat(outputs, dim=-1))
        return features

    def joint_decoder(self) -> tuple[Tensor, Tensor]:
        """Weight (vocabulary, embedding_size) and bias (vocabulary,) of the joint head."""
        return self.embedding.weight, self.decoder_bias

    def decoder_of(self, readout: Readout) -> tuple[Tensor, Tensor]:
        """Weight and bias of a readout's layer to the vocabulary: its own or, for a lens, the joint head's."""
        if readout.decoder is None:
            return self.joint_decoder()
        return readout.decoder.weight, readout.decoder.bias

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
            From the name of a head (see `TowersConfig.head_names`) to a tensor of shape (scored positions,).
        """
        outputs = self.tower_outputs(input_ids, present, scored)
        chosen = targets[scored]
        return {
            name: token_log_probs(features, weight, bias, chosen)
            for name, (features, weight, bias) in self.head_features(outputs, heads).items()
        }

    def head_features(
        self, outputs: list[Tensor], heads: Collection[str] | None = None
    ) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
        """For each head, by name, its features (..., width), and the weight and bias of its layer to the vocabulary.

        `heads` are the ones asked for; all if None.
        """
        features = {}
        if heads is None or "joint" in heads:
            features["joint"] = (self.joint_features(outputs), *self.joint_decoder())
        inputs = self.readout_inputs(outputs)
        for name, readouts in cast(dict[str, nn.ModuleDict], self.readouts).items():
            for read, readout in cast(dict[str, Readout], readouts).items():
                if heads is None or f"{name}_{read}" in heads:
                    features[f"{name}_{read}"] = (readout.features(input_of(read, inputs)), *self.decoder_of(readout))
        return features

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        *,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> TowersOutput | tuple[Any, ...]:
        """The fused features and the towers' states, for `AutoModel`; `attention_mask` is 0 for padding, which is last.

        Raises `ValueError` for what the towers do not give.
        """
        refuse_attentions(output_attentions, self.config)
        present = None if attention_mask is None or bool(attention_mask.all()) else attention_mask.bool()
        if present is not None and not bool((present[:, 1:] <= present[:, :-1]).all()):
            raise ValueError("attention_mask: padding must come last in its row; tokenize with padding_side='right'")
        layers, hidden = None, None
        if asked(output_hidden_states, self.config.output_hidden_states):
            layers = states_of_layers(self, input_ids, present)
            hidden = side_by_side(layers)
        outputs = self.tower_outputs(input_ids, present) if layers is None else [tower[-1] for tower in layers]
        output = TowersOutput(
            last_hidden_state=self.joint_features(outputs), hidden_states=hidden, tower_states=tuple(outputs)
        )
        return output if asked(return_dict, self.config.return_dict) else output.to_tuple()


def at_positions(outputs: list[Tensor], chosen: Tensor | None) -> list[Tensor]:
    """States (batch, time, width) at `chosen` positions, bool (batch, time): (chosen positions, width); None: all."""
    if chosen is None:
        return outputs
    if bool(chosen.all()):  # an index copies
        return [output.flatten(0, 1) for output in outputs]
    places = chosen.flatten().nonzero().squeeze(1)
    return [output.flatten(0, 1).index_select(0, places) for output in outputs]


def asked(option: bool | None, usual: bool) -> bool:
    """Whether an option of `transformers` is on: as it is given, else as the model's configuration has it."""
    return usual if option is None else option


def refuse_attentions(output_attentions: bool | None, config: TowersConfig) -> None:
    """Raise `ValueError` if attention weights are asked for."""
    if asked(output_attentions, config.output_attentions):
        raise ValueError("output_attentions: the towers do not return attention weights; leave it out")


def finished_model(folder: RunFolder) -> TowersModel:
    """The trained towers of a run with their readouts, in evaluation mode. Raises `InputError` if there are none."""
    with quiet_loading():
        model: TowersModel = TowersModel.from_pretrained(folder.require("model"))
    model.eval()
    return model


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Keep `transformers` from drawing a progress bar for files of a few megabytes; what a user has set returns."""
    drawn = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if drawn:
            logging.enable_progress_bar()
