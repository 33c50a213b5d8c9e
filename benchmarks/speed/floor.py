"""What an update cannot go below: its matrix products, its calls of operations, and the bytes that the others move.

Seconds = products at the rate of the machine's products + calls x overhead of the smallest operation + bytes that all
operations but products and views read and write / rate of an addition in the cache. Exponentials and the like cost more
than an addition, so this is a floor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .measure import median_seconds

CHAIN = 500
"""Operations of one measurement of their overhead."""
CACHED = 32_768
"""Numbers of a tensor that stays in a core's cache."""
ROUNDS = 15
PRODUCTS = ("mm", "addmm", "addmm_", "bmm", "baddbmm", "mv", "addmv", "addmv_")


@dataclass
class Calls:
    """Operations that reach the dispatcher, forward and backward, views among them."""

    calls: int = 0
    moved: int = 0
    """Bytes that those read and write which are neither products nor views."""


class _Count(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.found = Calls()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.found.calls += 1
        name = func.overloadpacket.__name__
        if not (func.is_view or name in PRODUCTS or "attention" in name or "lstm" in name):
            tensors = [tensor for tensor in tree_leaves((args, kwargs, result)) if isinstance(tensor, Tensor)]
            self.found.moved += sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        return result


def count_calls(work: Callable[[], object]) -> Calls:
    """What `work` calls."""
    with _Count() as counter:
        work()
    return counter.found


def seconds_per_call() -> float:
    """Seconds of a call, with its share of the autograd engine: of products of single numbers, forward and backward."""
    factor = torch.ones(1, requires_grad=True)

    def chain() -> None:
        value = factor
        for _ in range(CHAIN):
            value = value * factor
        value.backward()
        factor.grad = None

    return median_seconds(chain, ROUNDS) / count_calls(chain).calls


def seconds_per_byte() -> float:
    """Seconds to read or write a byte in an addition within the cache, the overhead of the call taken off."""
    summand, other, out = (torch.ones(CACHED) for _ in range(3))
    small = torch.ones(1)

    def additions(left: Tensor, right: Tensor, into: Tensor) -> Callable[[], None]:
        def work() -> None:
            for _ in range(CHAIN):
                torch.add(left, right, out=into)

        return work

    large, least = additions(summand, other, out), additions(small, small, small.clone())
    beyond = median_seconds(large, ROUNDS) - median_seconds(least, ROUNDS)
    return max(0.0, beyond) / (CHAIN * 3 * CACHED * summand.element_size())
