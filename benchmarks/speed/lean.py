"""The towers of gpt and bert in plain PyTorch: the leanest baseline that trains the same model.

One product for queries, keys and values, PyTorch's fused attention, nothing of `transformers`. Weights are copied from
a `TowersModel`, and outputs are the same but for rounding (a test compares them).
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twotower.modeling.model import TowersModel
from twotower.modeling.towers import Tower


def make_lean(model: TowersModel) -> TowersModel:
    """Put lean towers with the same weights into the place of the model's own. Families gpt and bert."""
    make = {"gpt": _of_gpt, "bert": _of_bert}[model.config.family]
    model.towers = nn.ModuleList(LeanTower(tower, make(tower), model.config.heads) for tower in _towers(model))
    return model


class LeanBlock(nn.Module):
    """A pre-LayerNorm block; `parts` are its LayerNorms and linear layers, in the order in which they come."""

    def __init__(self, parts: dict[str, nn.Module], heads: int, causal: bool, approximate: str) -> None:
        super().__init__()
        self.first_norm, self.qkv, self.out, self.second_norm, self.up, self.down = parts.values()
        self.heads, self.causal, self.approximate = heads, causal, approximate

    def forward(self, hidden: Tensor, bias: Tensor | None) -> Tensor:
        """(rows, time, width) to the same; `bias` is added to the attention."""
        rows, time, width = hidden.shape
        joined = self.qkv(self.first_norm(hidden)).view(rows, time, 3, self.heads, width // self.heads)
        query, key, value = joined.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, is_causal=self.causal)
        hidden = hidden + self.out(mixed.transpose(1, 2).reshape(rows, time, width))
        inner = F.gelu(self.up(self.second_norm(hidden)), approximate=self.approximate)
        output: Tensor = hidden + self.down(inner)
        return output


class LeanTower(nn.Module):
    """As `Tower`, for rows without padding."""

    def __init__(self, tower: Tower, blocks: list[dict[str, nn.Module]], heads: int) -> None:
        super().__init__()
        causal = hasattr(tower.backbone, "wpe")
        self.input_map, self.relative = tower.input_map, tower.relative
        self.positions = cast(Any, tower.backbone).wpe.weight if causal else None
        self.blocks = nn.ModuleList(LeanBlock(parts, heads, causal, "tanh" if causal else "none") for parts in blocks)
        self.last_norm = cast(nn.Module, tower.backbone.ln_f) if causal else nn.Identity()

    def forward(self, embeddings: Tensor, present: Tensor | None = None) -> Tensor:
        """(rows, time, embedding_size) to (rows, time, width)."""
        if present is not None and not bool(present.all()):
            raise NotImplementedError("the lean towers read rows without padding only")
        hidden = self.input_map(embeddings)
        time = hidden.shape[1]
        if self.positions is not None:
            hidden = hidden + self.positions[:time]
        bias = None if self.relative is None else self.relative(time, None)
        for block in self.blocks:
            hidden = block(hidden, bias)
        output: Tensor = self.last_norm(hidden)
        return output


def _towers(model: TowersModel) -> list[Tower]:
    return cast(list[Tower], list(model.towers))


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    """A linear layer with these weights, (out, in) and (out,)."""
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


def _of_gpt(tower: Tower) -> list[dict[str, nn.Module]]:
    def turned(layer: Any) -> nn.Linear:  # GPT-2 keeps its weights as (in, out)
        return _linear(layer.weight.T, layer.bias)

    return [
        {"first_norm": block.ln_1, "qkv": turned(block.attn.c_attn), "out": turned(block.attn.c_proj),
         "second_norm": block.ln_2, "up": turned(block.mlp.c_fc), "down": turned(block.mlp.c_proj)}
        for block in cast(Any, tower.backbone).h
    ]  # fmt: skip


def _of_bert(tower: Tower) -> list[dict[str, nn.Module]]:
    def joined(attention: Any) -> nn.Linear:
        three = (attention.query, attention.key, attention.value)
        return _linear(torch.cat([linear.weight for linear in three]), torch.cat([linear.bias for linear in three]))

    return [
        {"first_norm": layer.attention.LayerNorm, "qkv": joined(layer.attention.self),
         "out": layer.attention.output.dense, "second_norm": layer.intermediate.LayerNorm,
         "up": layer.intermediate.dense, "down": layer.output.dense}
        for layer in cast(Any, tower.backbone).encoder.layer
    ]  # fmt: skip
