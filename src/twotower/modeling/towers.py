"""A tower: a `transformers` backbone that is fed with embeddings."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from transformers import GPT2Config, GPT2Model, PreTrainedModel

from .configuration import TowersConfig


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
            # The same function as GPT-2's own `gelu_new`, as one operation instead of eight.
            activation_function="gelu_pytorch_tanh",
            resid_pdrop=config.dropout,
            embd_pdrop=config.dropout,
            attn_pdrop=config.dropout,
            use_cache=False,
            bos_token_id=None,
            eos_token_id=None,
        )
    )


BACKBONES: dict[str, Callable[[TowersConfig], PreTrainedModel]] = {"gpt": gpt}
"""From a family's name to its backbone. The backbone's own word embedding is not used and is removed."""


class Tower(nn.Module):
    """One tower: embeddings (batch, time, embedding_size) to hidden states (batch, time, width)."""

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        same = config.embedding_size == config.width
        self.input_map = nn.Identity() if same else nn.Linear(config.embedding_size, config.width)
        self.backbone = BACKBONES[config.family](config)
        unused = self.backbone.get_input_embeddings()
        for name, module in list(self.backbone.named_children()):
            if module is unused:
                setattr(self.backbone, name, None)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Run the tower."""
        hidden: Tensor = self.backbone(inputs_embeds=self.input_map(embeddings)).last_hidden_state
        return hidden
