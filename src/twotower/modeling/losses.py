"""Vocabulary cross-entropy that never holds all the logits.

A language model's logits, positions x vocabulary, are by far its largest tensor. Here they exist for one block of
positions at a time, in a buffer that is used again: fresh memory costs page faults as dear as the arithmetic.
Loss and gradient are computed in the same pass, while a block's logits are at hand.

A block is passed over as few times as can be: exponentials are taken without taking away their row's maximum first,
and bias and normalizer are applied to weights and hidden states, which are small, instead of logits: exp(h w + b) =
exp(h w) exp(b). They are powers of two, exp(h w) = exp2(log2(e) h w), which PyTorch computes in half of the time that
its `exp` takes on a processor with AVX2. Where that turns out to leave the range of float32, all is done again in the
usual order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

BLOCK_BYTES = 4 << 20
"""Size of the buffer of logits; about what stays in the cache of a core."""
BLOCK_ROWS = 128
"""The fewest positions in a block, for any vocabulary: a product with fewer rows wastes the processor."""
TILE_ROWS, TILE_BYTES = 512, 1 << 20
"""For each thread, positions and bytes of a tile of logits, which stays in the cache of a core: only the sum of its
exponentials is kept."""
LOG2_E = math.log2(math.e)
LARGEST_BIAS = 30.0
SAFE_NORMALIZERS = 1e-8, 1e30
"""Biases and sums of exponentials within which nothing that counts has overflowed or vanished in float32: a product of
less than -87, whose exponential is zero, would add at most exp(-57) to a sum of at least 1e-8."""

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
    if _plain(hidden, bias):
        normalizer = _normalizers(hidden, weight, _exponentials(bias, weight))
        if _safe(normalizer):
            return _chosen(hidden, weight, bias, targets) - normalizer.log()
    out = torch.empty(len(targets), dtype=torch.float32, device=hidden.device)
    for rows in _blocks(len(targets), weight.shape[0], hidden.dtype):
        logits = _logits(hidden[rows], weight, bias)
        chosen = logits.gather(1, targets[rows, None]).squeeze(1)
        out[rows] = (chosen - torch.logsumexp(logits, dim=1)).float()
    return out


def block_rows(vocabulary: int, itemsize: int) -> int:
    """Positions whose logits are held at a time."""
    return max(BLOCK_ROWS, BLOCK_BYTES // (vocabulary * itemsize))


def _blocks(positions: int, vocabulary: int, dtype: torch.dtype) -> list[slice]:
    size = block_rows(vocabulary, dtype.itemsize)
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


def _normalizers(hidden: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """Sum over the vocabulary of exp(hidden @ weight.T) x scale, (positions,)."""
    threads = torch.get_num_threads()
    height = min(len(hidden), TILE_ROWS * threads)
    width = TILE_BYTES * threads // (height * hidden.dtype.itemsize)
    pieces = list(zip(torch.split(weight, width), torch.split(scale, width), strict=True))
    normalizer = torch.zeros(len(hidden), dtype=hidden.dtype)
    for rows, sums in zip(torch.split(hidden * LOG2_E, height), torch.split(normalizer, height), strict=True):
        for weights, factors in pieces:
            sums.addmv_(_logits(rows, weights, None).exp2_(), factors)
    return normalizer


def _plain(hidden: Tensor, bias: Tensor | None) -> bool:
    """Whether to try exponentials as they are.

    Only in float32 on a CPU: other numbers have less range, and elsewhere `_safe` would have to be waited for.
    """
    plain = hidden.device.type == "cpu" and hidden.dtype == torch.float32 and len(hidden) > 0
    return plain and (bias is None or bool(bias.abs().max() <= LARGEST_BIAS))


def _safe(normalizer: Tensor) -> bool:
    least, most = SAFE_NORMALIZERS
    low, high = normalizer.aminmax()
    return bool(low >= least) and bool(high <= most)


def _exponentials(bias: Tensor | None, weight: Tensor) -> Tensor:
    return weight.new_ones(len(weight)) if bias is None else bias.exp()


def _chosen(hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
    """The targets' logits, (positions,)."""
    chosen = (hidden * weight.index_select(0, targets)).sum(dim=1)
    return chosen if bias is None else chosen + bias[targets]


class _CrossEntropySum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
        needs_hidden, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        grads = (
            torch.empty_like(hidden) if needs_hidden else None,
            torch.empty_like(weight) if needs_weight else None,
            torch.empty_like(bias) if bias is not None and needs_bias else None,
        )
        detached = hidden.detach(), weight.detach(), None if bias is None else bias.detach()
        with torch.no_grad():
            total = _plain_pass(*detached, targets, *grads) if _plain(detached[0], detached[2]) else None
            if total is None:
                total = _stable_pass(*detached, targets, *grads)
        ctx.grads = grads
        return total

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.grads is None:
            raise RuntimeError("the gradient of the vocabulary loss can be taken once only")
        grads, ctx.grads = ctx.grads, None  # nothing else holds them, so they can be scaled in place
        scale = grad_outputs[0]
        return (*(None if grad is None else grad.mul_(scale.to(grad.dtype)) for grad in grads), None)


def _stable_pass(
    hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor,
    grad_hidden: Tensor | None, grad_weight: Tensor | None, grad_bias: Tensor | None,
) -> Tensor:  # fmt: skip
    """The summed nats; fills those gradients that are not None. For logits of any size."""
    total = torch.zeros((), dtype=torch.float32, device=hidden.device)
    for rows in _blocks(len(targets), weight.shape[0], hidden.dtype):
        logits = _logits(hidden[rows], weight, bias)
        target = targets[rows, None]
        chosen = logits.gather(1, target)
        highest = logits.amax(dim=1, keepdim=True)
        probabilities = logits.sub_(highest).exp_()
        normalizer = probabilities.sum(dim=1, keepdim=True)
        total += (normalizer.float().log() + highest.float() - chosen.float()).sum()
        if grad_hidden is None and grad_weight is None and grad_bias is None:
            continue
        error = probabilities.div_(normalizer)
        error.scatter_add_(1, target, torch.full_like(chosen, -1.0))
        if grad_hidden is not None:
            _times_weights(error, weight, into=grad_hidden[rows])
        if grad_weight is not None:
            _add_product(grad_weight, error, hidden[rows], first=rows.start == 0)
        if grad_bias is not None:
            _add_column_sums(grad_bias, error, first=rows.start == 0)
    if not len(targets):
        for grad in (grad_weight, grad_bias):
            if grad is not None:
                grad.zero_()
    return total


def _shares(weight: Tensor) -> int:
    """Into how many equal parts of the vocabulary a product is cut, one for each thread of a processor; 1 for whole.

    A product of a block of logits with something narrow has a small result, or a short sum, which the library's own
    threads share badly (measured with two: docs/performance.md).
    """
    threads = torch.get_num_threads() if weight.device.type == "cpu" else 1
    return threads if len(weight) % threads == 0 and weight.is_contiguous() else 1


def _times_weights(block: Tensor, weight: Tensor, into: Tensor) -> None:
    """block @ weight, (positions, width)."""
    shares = _shares(weight)
    if shares == 1:
        torch.mm(block, weight, out=into)
    else:
        parts = block.view(len(block), shares, -1).transpose(0, 1)
        torch.sum(torch.bmm(parts, weight.view(shares, -1, weight.shape[1])), dim=0, out=into)


def _add_product(into: Tensor, block: Tensor, hidden: Tensor, first: bool) -> None:
    """Add block.T @ hidden; the first block overwrites instead, so that `into` need not be zero."""
    shares, share_kept = _shares(into), float(not first)
    if shares == 1:
        torch.addmm(into, block.T, hidden, beta=share_kept, out=into)
    else:
        parts = block.view(len(block), shares, -1).permute(1, 2, 0)
        sums = into.view(shares, -1, into.shape[1])
        torch.baddbmm(sums, parts, hidden.expand(shares, -1, -1), beta=share_kept, out=sums)


def _add_column_sums(into: Tensor, block: Tensor, first: bool) -> None:
    sums = block.sum(dim=0)
    if first:
        into.copy_(sums)
    else:
        into += sums


def _plain_pass(
    hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor,
    grad_hidden: Tensor | None, grad_weight: Tensor | None, grad_bias: Tensor | None,
) -> Tensor | None:  # fmt: skip
    """The same, or None where that leaves the range of float32.

    The targets' share of the gradients, a row each, is taken away at the end. Where positions are fewer than the width,
    logits are fewer than weights, and the bias goes to them.
    """
    few = bias is not None and len(targets) < weight.shape[1]
    scale = weight.new_ones(len(weight)) if few else _exponentials(bias, weight)
    scaled = weight * scale[:, None] if grad_hidden is not None and not few else weight
    powers, power_bias = hidden * LOG2_E, bias * LOG2_E if bias is not None and few else None
    normalizer = torch.empty(len(targets), dtype=hidden.dtype)
    for rows in _blocks(len(targets), weight.shape[0], hidden.dtype):
        exponentials = _logits(powers[rows], weight, power_bias).exp2_()
        inverse = torch.mv(exponentials, scale, out=normalizer[rows]).reciprocal()
        if grad_hidden is not None:
            _times_weights(exponentials, scaled, into=grad_hidden[rows])
        if grad_weight is not None:
            _add_product(grad_weight, exponentials, hidden[rows] * inverse[:, None], first=rows.start == 0)
        if grad_bias is not None:
            torch.addmv(grad_bias, exponentials.T, inverse, beta=float(rows.start > 0), out=grad_bias)
    if not _safe(normalizer):
        return None
    if grad_hidden is not None:
        grad_hidden.div_(normalizer[:, None]).sub_(weight[targets])
    if grad_weight is not None:
        (grad_weight if few else grad_weight.mul_(scale[:, None])).index_add_(0, targets, hidden, alpha=-1)
    if grad_bias is not None:
        grad_bias.mul_(scale).index_add_(0, targets, torch.ones_like(normalizer), alpha=-1)
    return (normalizer.log() - _chosen(hidden, weight, bias, targets)).sum()
