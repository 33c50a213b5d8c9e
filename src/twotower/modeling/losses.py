"""Vocabulary cross-entropy that never holds all the logits.

A language model's logits, positions x vocabulary, are by far its largest tensor. Here they exist for one block of
positions at a time, in a buffer that is used again: fresh memory costs page faults as dear as the arithmetic.
Loss and gradient are computed in the same pass, while a block's logits are at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

BLOCK_BYTES = 4 << 20
"""Size of the buffer of logits; about what stays in the cache of a core."""

_buffers: dict[tuple[torch.device, torch.dtype], Tensor] = {}


def cross_entropy_sum(hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
    """Sum over positions of -log softmax(hidden @ weight.T + bias)[target], in nats; a scalar.

    Args:
        hidden: (positions, width).
        weight: (vocabulary, width).
        bias: (vocabulary,) or None.
        targets: piece ids, (positions,).

    Gradients reach `hidden`, `weight` and `bias`; they are those of the plain computation, to rounding. Second
    derivatives are not supported. In mixed precision the products are taken in the precision of the weights.
    """
    hidden = hidden.to(weight.dtype)
    apply: Callable[..., Tensor] = _CrossEntropySum.apply
    return apply(hidden, weight, bias, targets)


@torch.no_grad()
def token_log_probs(hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
    """log softmax(hidden @ weight.T + bias)[target] in nats, float32, shape (positions,); without gradients.

    Arguments as for `cross_entropy_sum`.
    """
    hidden = hidden.to(weight.dtype)
    out = torch.empty(len(targets), dtype=torch.float32, device=hidden.device)
    for rows in _blocks(len(targets), weight.shape[0], hidden.dtype):
        logits = _logits(hidden[rows], weight, bias)
        chosen = logits.gather(1, targets[rows, None]).squeeze(1)
        out[rows] = (chosen - torch.logsumexp(logits, dim=1)).float()
    return out


def _blocks(positions: int, vocabulary: int, dtype: torch.dtype) -> list[slice]:
    size = max(1, BLOCK_BYTES // (vocabulary * dtype.itemsize))
    return [slice(start, min(start + size, positions)) for start in range(0, positions, size)]


def _logits(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Logits of a block of positions, in the shared buffer: valid until the next call."""
    key = (hidden.device, hidden.dtype)
    needed = hidden.shape[0] * weight.shape[0]
    if key not in _buffers or _buffers[key].numel() < needed:
        _buffers[key] = torch.empty(needed, device=hidden.device, dtype=hidden.dtype)
    logits = _buffers[key][:needed].view(hidden.shape[0], weight.shape[0])
    if bias is None:
        return torch.mm(hidden, weight.T, out=logits)
    return torch.addmm(bias, hidden, weight.T, out=logits)


class _CrossEntropySum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
        needs_hidden, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        grad_hidden = torch.empty_like(hidden) if needs_hidden else None
        grad_weight = torch.zeros_like(weight) if needs_weight else None
        grad_bias = torch.zeros_like(bias) if bias is not None and needs_bias else None
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        detached = hidden.detach(), weight.detach(), None if bias is None else bias.detach()
        with torch.no_grad():
            for rows in _blocks(len(targets), weight.shape[0], hidden.dtype):
                logits = _logits(detached[0][rows], detached[1], detached[2])
                target = targets[rows, None]
                chosen = logits.gather(1, target)
                highest = logits.amax(dim=1, keepdim=True)
                probabilities = logits.sub_(highest).exp_()
                normalizer = probabilities.sum(dim=1, keepdim=True)
                total += (normalizer.float().log() + highest.float() - chosen.float()).sum()
                if not (needs_hidden or needs_weight or needs_bias):
                    continue
                error = probabilities.div_(normalizer)
                error.scatter_add_(1, target, torch.full_like(chosen, -1.0))
                if grad_hidden is not None:
                    torch.mm(error, detached[1], out=grad_hidden[rows])
                if grad_weight is not None:
                    grad_weight.addmm_(error.T, detached[0][rows])
                if grad_bias is not None:
                    grad_bias += error.sum(dim=0)
        ctx.save_for_backward(grad_hidden, grad_weight, grad_bias)
        return total

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        scale = grad_outputs[0]
        return (*(None if grad is None else grad * scale.to(grad.dtype) for grad in ctx.saved_tensors), None)
