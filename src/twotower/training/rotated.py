"""AdamW for the readouts' layers to the vocabulary: in the basis of the layer's inputs, and of the types in use.

The inputs of such a layer are few and strongly correlated, and AdamW, which scales each weight by itself, is slow
along most directions: preferences of the default pair of seed 100 at 0.26 M and 0.52 M tokens agreed to 0.96 in this
basis, and to 0.78 by AdamW (at another rate and other betas, so that the basis alone may gain less). This is SOAP
(Vyas et al. 2024, arXiv 2409.11321), of whose two rotations only that of the shorter side, the inputs, is kept: the
other would be of the vocabulary's size. Both moments turn with the basis. Eigenvectors come in the order of their
eigenvalues, so a direction in which a type has a large gradient can take the place of one in which it had hardly any;
with the second moment of that place the next updates would be fifty times the learning rate (`research/readouts.md`).

A type without a gradient stays where it is. AdamW's momentum would move it on, and a rare type that is out of the
sample (`vocabulary_sample`) can so become far too probable without any update noticing (`research/readouts.md`).
Moments and counts of updates are the type's own, as in PyTorch's `SparseAdam`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

MEMORY = 0.98
"""Decay of the mean of the inputs' second moments in the gradient."""
EVERY = 20
"""Updates after which the basis is computed again."""
EPSILON = 1e-8


class RotatedAdamW(torch.optim.Optimizer):
    """AdamW of weights (types, inputs), with moments in the eigenvectors of the gradient's input side.

    A bias (types,) is a weight of one input, whose basis is trivial. `groups` are those of `optimization.adamw_groups`.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], betas: tuple[float, float]) -> None:
        super().__init__(groups, {"betas": betas})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update; `closure` is not supported."""
        assert closure is None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)

    def _update(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        assert parameter.grad is not None
        weight, whole = (tensor.view(len(tensor), -1) for tensor in (parameter, parameter.grad))
        in_use = whole.any(1).nonzero().squeeze(1)
        gradient, state = whole.index_select(0, in_use), self.state[parameter]
        if not state:
            inputs = weight.shape[1]
            state["updates"], state["steps"] = 0, torch.zeros_like(weight[:, :1])
            state["first"], state["second"] = torch.zeros_like(weight), torch.zeros_like(weight)
            state["inputs"] = weight.new_zeros(inputs, inputs, dtype=torch.float64)
        self._turn(state, gradient)
        (beta1, beta2), rotated = group["betas"], gradient @ state["basis"]
        steps = state["steps"].index_select(0, in_use).add_(1)
        first = state["first"].index_select(0, in_use).lerp_(rotated, 1 - beta1)
        second = state["second"].index_select(0, in_use).mul_(beta2).addcmul_(rotated, rotated, value=1 - beta2)
        for name, moved in (("steps", steps), ("first", first), ("second", second)):
            state[name].index_copy_(0, in_use, moved)
        update = (first / (1 - beta1**steps)) / (second / (1 - beta2**steps)).sqrt_().add_(EPSILON)
        values = weight.index_select(0, in_use).mul_(1 - group["lr"] * group["weight_decay"])
        weight.index_copy_(0, in_use, values.sub_(update @ state["basis"].T, alpha=group["lr"]))

    def _turn(self, state: dict[str, Any], gradient: Tensor) -> None:
        """Take the gradient into the second moments of the inputs; now and then turn to their eigenvectors."""
        exact = gradient.double()  # in single precision rounding decides the eigenvectors of the smallest eigenvalues
        state["inputs"].mul_(MEMORY).addmm_(exact.T, exact)
        if state["updates"] % EVERY == 0:
            basis = torch.linalg.eigh(state["inputs"])[1].to(gradient.dtype)
            if "basis" in state:
                overlap = state["basis"].T @ basis
                state["first"] = state["first"] @ overlap
                # Exact where coordinates in the old basis are uncorrelated, as it makes them over all types together.
                state["second"] = state["second"] @ overlap.square()
            state["basis"] = basis
        state["updates"] += 1
