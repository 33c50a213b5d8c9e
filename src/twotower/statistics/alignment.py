"""How alike two views of the same examples are: unbiased linear CKA, and the orthogonal Procrustes distance.

Both come from sums over groups of examples, so that leaving a group out (a document, for the jackknife) costs no second
pass. A bootstrap would not do: an example that is drawn twice resembles itself, which is the bias that the unbiased
estimator takes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .tallies import Floats

FEWEST = 4
"""Examples below which the unbiased estimator of HSIC does not exist."""


@dataclass(frozen=True)
class View:
    """States of some examples, (examples, width), centred, and the group of each, (examples,), numbered from 0."""

    states: Floats
    groups: NDArray[np.int64]

    @classmethod
    def of(cls, states: NDArray[np.floating], groups: NDArray[np.integer]) -> View:
        """Centre the states and scale them as a whole: neither measure depends on it, and rounding is less."""
        centred = np.asarray(states, dtype=np.float64)
        centred = centred - centred.mean(axis=0)
        size = float(np.sqrt((centred**2).sum(axis=1).mean()))
        return cls(centred / size if size > 0 else centred, np.asarray(groups, dtype=np.int64))

    @property
    def count(self) -> int:
        """Number of groups."""
        return int(self.groups.max()) + 1

    def shuffled(self, generator: np.random.Generator) -> View:
        """The same states, each under another example's name."""
        return View(self.states[generator.permutation(len(self.states))], self.groups)


def _by_group(values: Floats, groups: NDArray[np.int64], count: int) -> Floats:
    """Sums over the examples of each group: (examples, width) to (groups, width)."""
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, groups, values)
    return sums


def _products(first: View, second: View) -> Floats:
    """For each group the states of one view times those of the other, (groups, width of first, width of second)."""
    order = np.argsort(first.groups, kind="stable")
    bounds = np.searchsorted(first.groups[order], np.arange(first.count + 1))
    products = np.zeros((first.count, first.states.shape[1], second.states.shape[1]))
    for group, (begin, end) in enumerate(pairwise(bounds.tolist())):
        rows = order[begin:end]
        products[group] = first.states[rows].T @ second.states[rows]
    return products


def hsic(first: View, second: View) -> Floats:
    """The unbiased estimator of HSIC with linear kernels (Song et al. 2012, equation 5).

    With Gram matrices K and L whose diagonals are zero, and n examples,

        HSIC = [tr(KL) + 1'K1 1'L1 / ((n-1)(n-2)) - 2 1'KL1 / (n-2)] / (n(n-3)).

    It is computed from the states instead, in time that grows with n and not with its square.

    Returns an array of shape (groups + 1,): of all examples, then without each group in turn.
    """
    count = first.count
    squares, others = (first.states**2).sum(axis=1), (second.states**2).sum(axis=1)
    products = _without(_products(first, second))
    a, b, by_other, by_square = (
        _without(_by_group(values, first.groups, count))
        for values in (first.states, second.states, first.states * others[:, None], second.states * squares[:, None])
    )
    scalars = np.stack([np.ones_like(squares), squares, others, squares * others], axis=1)
    n, trace, other_trace, joint = _without(_by_group(scalars, first.groups, count)).T
    traced = (products**2).sum(axis=(1, 2)) - joint
    totals = ((a**2).sum(axis=1) - trace) * ((b**2).sum(axis=1) - other_trace)
    crossed = (
        np.einsum("gp,gpq,gq->g", a, products, b) - (a * by_other).sum(axis=1) - (by_square * b).sum(axis=1) + joint
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        estimates: Floats = (traced + totals / ((n - 1) * (n - 2)) - 2 * crossed / (n - 2)) / (n * (n - 3))
    return np.where(n >= FEWEST, estimates, np.nan)


def _without(sums: Floats) -> Floats:
    """The total over all groups, then the totals without each of them."""
    total = sums.sum(axis=0, keepdims=True)
    return np.concatenate([total, total - sums])


def cka(first: View, second: View, own: Floats | None = None, other: Floats | None = None) -> Floats:
    """Unbiased linear CKA (Kornblith et al. 2019; Nguyen et al. 2021): HSIC(X, Y) / sqrt(HSIC(X, X) HSIC(Y, Y)).

    1 for views that differ by a rotation and a scale; 0 on average for unrelated ones, so single values may fall below
    0. `own` and `other` are `hsic` of each view with itself, if they are at hand. (groups + 1,), as `hsic`; NaN where a
    view does not vary.
    """
    own = hsic(first, first) if own is None else own
    other = hsic(second, second) if other is None else other
    product = own * other
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((own > 0) & (other > 0), hsic(first, second) / np.sqrt(product), np.nan)


def procrustes(first: View, second: View) -> Floats:
    """Squared orthogonal Procrustes distance of two views, centred and of norm 1 (Ding et al. 2021, section 2).

    The least `||XR - Y||^2` over orthogonal R: 2 - 2 ||X'Y||_*, from 0 (the same up to rotation and scale) to 2; views
    of unequal width as if the narrower one were filled up with zeros. (groups + 1,), as `hsic`; the values without a
    group are first-order, from the derivative of the nuclear norm. NaN where a view does not vary.
    """
    count = first.count
    products = _products(first, second)
    left, values, right = np.linalg.svd(products.sum(axis=0), full_matrices=False)
    rotation = left @ right
    a, b = (_by_group(view.states, first.groups, count) for view in (first, second))
    scalars = np.stack(
        [np.ones(len(first.states)), (first.states**2).sum(axis=1), (second.states**2).sum(axis=1)], axis=1
    )
    sums = _by_group(scalars, first.groups, count)
    n, squares, others = _without(sums).T
    rest = np.maximum(n[1:], 1)
    lost = np.einsum("gpq,pq->g", products, rotation) + np.einsum("gp,pq,gq->g", a, rotation, b) / rest
    nuclear = np.concatenate([[values.sum()], values.sum() - lost])
    squares[1:] -= (a**2).sum(axis=1) / rest  # what is left is centred again
    others[1:] -= (b**2).sum(axis=1) / rest
    size = np.sqrt(np.maximum(squares, 0) * np.maximum(others, 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(size > 0, 2 - 2 * nuclear / size, np.nan)
