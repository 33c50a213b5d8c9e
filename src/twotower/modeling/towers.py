"""A tower: a `transformers` backbone that is fed with embeddings, or the two LSTMs of ELMo."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2Model, PreTrainedModel, RobertaPreLayerNormConfig, RobertaPreLayerNormModel

from .backbones import build_backbone, takes
from .configuration import TowersConfig
from .elmo import Elmo
from .planted import Reach

USUAL_ACTIVATION = {"gpt": "gelu_tanh", "bert": "gelu"}


def activation(config: TowersConfig) -> str:
    """The name that `transformers` gives to the activation of a gpt or bert tower."""
    name = USUAL_ACTIVATION[config.family] if config.activation == "auto" else config.activation
    # The same function as GPT-2's own `gelu_new`, as one operation instead of eight.
    return "gelu_pytorch_tanh" if name == "gelu_tanh" else name


def gpt(config: TowersConfig) -> PreTrainedModel:
    """GPT-2 blocks (Radford et al. 2019): causal, pre-LayerNorm, learned positions."""
    return GPT2Model(
        GPT2Config(
            vocab_size=1,
            n_positions=config.window,
            n_embd=config.width,
            n_layer=config.layers,
            n_head=config.heads,
            n_inner=config.feedforward,
            activation_function=activation(config),
            resid_pdrop=config.dropout,
            embd_pdrop=config.dropout,
            attn_pdrop=config.dropout,
            initializer_range=config.initializer_range,
            use_cache=False,
            bos_token_id=None,
            eos_token_id=None,
        )
    )


def bert(config: TowersConfig) -> PreTrainedModel:
    """BERT's blocks (Devlin et al. 2019) with LayerNorm before each sublayer, and nothing before or after them.

    As in the reference, positions, LayerNorm and dropout are applied once to the shared embedding
    (`model.EmbeddingNorm`), and the LayerNorm after the last block is that of the fusion or of a readout.
    """
    blocks = RobertaPreLayerNormModel(
        RobertaPreLayerNormConfig(
            vocab_size=1,
            hidden_size=config.width,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            intermediate_size=config.feedforward,
            hidden_act=activation(config),
            max_position_embeddings=1,
            hidden_dropout_prob=config.dropout,
            attention_probs_dropout_prob=config.dropout,
            initializer_range=config.initializer_range,
            pad_token_id=0,
            bos_token_id=None,
            eos_token_id=None,
        ),
        add_pooling_layer=False,
    )
    if config.positions == "relative":
        # The bias has a gradient, for which PyTorch has no fused attention; the plain one has fewer steps.
        blocks.set_attn_implementation("eager")
    blocks.embeddings = _Given()
    blocks.LayerNorm = nn.Identity()
    return blocks


class RelativePositions(nn.Module):
    """A learned bias on the attention between positions for each head and distance (Raffel et al. 2020, section 2.1).

    One table per tower, for all its blocks; every distance within the window has an entry of its own. At first the bias
    falls by 1 with each token of distance, so that towers begin with their neighbours (compare Press et al. 2022): from
    zero, or from learned positions, small towers stay a bag of words for millions of tokens.
    """

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        distance = torch.arange(1 - config.window, config.window).abs().float()
        self.bias = nn.Parameter(-distance.expand(config.heads, -1).clone())

    def forward(self, time: int, present: Tensor | None) -> Tensor:
        """What is added to the scores: (1 or batch, heads, time, time); minus infinity where a key is padding."""
        places = torch.arange(time, device=self.bias.device)
        bias = self.bias[:, places[None, :] - places[:, None] + (self.bias.shape[1] - 1) // 2][None]
        if present is None:
            return bias
        return bias.masked_fill(~present[:, None, None, :], torch.finfo(bias.dtype).min)


class _Given(nn.Module):
    """Takes the place of a backbone's own embedding of token ids, which the tower has made already."""

    def forward(self, inputs_embeds: Tensor, **_: Any) -> Tensor:
        return inputs_embeds


def needs_embedding_norm(family: str) -> bool:
    """Whether the reference normalizes the shared embedding before this family's towers."""
    return family in ("bert", "elmo")


class Tower(nn.Module):
    """One tower: embeddings (batch, time, embedding_size) to hidden states (batch, time, output_width).

    `number` is its place among the towers, from 0: only where a reach is planted do towers differ by it.

    `present` (batch, time) is False for padding, which comes last in its row; None where there is none. Backbones in
    which no position sees a later one do not need it.
    """

    def __init__(self, config: TowersConfig, number: int = 0) -> None:
        super().__init__()
        same = config.embedding_size == config.width
        self.input_map = nn.Identity() if same else nn.Linear(config.embedding_size, config.width)
        self.relative: RelativePositions | None = None
        self.backbone: nn.Module
        self.masks_padding = True
        self.reach = Reach(config, near=number == 0) if config.planted == "reach" else None
        if config.family == "elmo":
            self.backbone = Elmo(config)
        elif config.family == "bert":
            self.backbone = bert(config)
            if config.positions == "relative":
                self.relative = RelativePositions(config)
        elif config.family == "gpt":
            self.backbone = gpt(config)
            self.backbone.register_module("wte", None)  # not used: the towers share an embedding
            self.masks_padding = False
        else:
            self.backbone = build_backbone(config)
            self.masks_padding = takes(self.backbone, "attention_mask")

    def forward(self, embeddings: Tensor, present: Tensor | None = None) -> Tensor:
        """Run the tower."""
        embeddings = self.input_map(embeddings)
        if isinstance(self.backbone, Elmo):
            states: Tensor = self.backbone(embeddings, present)
        else:
            states = self.run_backbone(embeddings, present).last_hidden_state
        return states

    def run_backbone(self, mapped: Tensor, present: Tensor | None = None, **extra: Any) -> Any:
        """The output of the `transformers` backbone for mapped embeddings (batch, time, width)."""
        if self.reach is not None:
            mapped, mask = self.reach.delayed(mapped), self.reach.mask(mapped)
            extra |= {} if mask is None else {"attention_mask": mask}
        elif self.relative is not None:
            extra["attention_mask"] = self.relative(mapped.shape[1], present)
        elif present is not None and self.masks_padding:
            extra["attention_mask"] = present.long()
        return self.backbone(inputs_embeds=mapped, **extra)
