"""Weighted least squares for many weightings at once, and the share of variance that classes explain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .tallies import Floats

RIDGE = 1e-9
"""Of the mean diagonal: a class that a resample lacks has an empty column, and is no fault."""


def residual_squares(values: Floats, weights: Floats, columns: Floats) -> Floats:
    """Residual sums of squares of weighted least squares.

    `values` (draws, types), or (types,) for all draws; `weights` (draws, types), 0 where a type is missing; `columns`
    (types, columns). Returns (draws,).
    """
    beta, squares, cross = _solve(values, weights, columns)
    left: Floats = squares - np.einsum("dk,dk->d", beta, cross)
    return left


def residuals(values: Floats, weights: Floats, columns: Floats) -> Floats:
    """What weighted least squares on `columns` leave; shapes as for `residual_squares`, returns (draws, types)."""
    beta, _, _ = _solve(values, weights, columns)
    return np.where(weights > 0, np.nan_to_num(values) - beta @ columns.T, 0.0)


def _solve(values: Floats, weights: Floats, columns: Floats) -> tuple[Floats, Floats, Floats]:
    width = columns.shape[1]
    filled = np.where(weights > 0, np.nan_to_num(values), 0.0)
    outer = (columns[:, :, None] * columns[:, None, :]).reshape(len(columns), -1)
    cross = (weights * filled) @ columns
    beta = _coefficients((weights @ outer).reshape(-1, width, width), cross)
    squares: Floats = (weights * filled**2).sum(axis=1)
    return beta, squares, cross


def _coefficients(products: Floats, cross: Floats) -> Floats:
    """Least squares from the columns' `products` (draws, columns, columns) and `cross` (draws, columns) with values."""
    width = cross.shape[1]
    scale = np.trace(products, axis1=1, axis2=2) / width
    # A draw that holds no type at all has nothing to solve: its coefficients are 0.
    products[:, np.arange(width), np.arange(width)] += np.where(scale > 0, RIDGE * scale, 1.0)[:, None]
    beta: Floats = np.asarray(np.linalg.solve(products, cross[:, :, None])[:, :, 0], dtype=np.float64)
    return beta


def omega_squared(values: Floats, weights: Floats, base: Floats, classes: Floats) -> Floats:
    """Share of the variance that classes explain beyond other columns, corrected for their number; (draws,).

    Omega squared (Hays 1963): (SS_class - df_class MS_error) / (SS_total + MS_error), where SS_total is what `base`
    leaves and SS_class what adding `classes` takes from it. `base` (types, columns) holds the intercept, `classes`
    (types, classes) is one-hot. Without an effect its expectation is 0, and it may fall below.
    """
    without = residual_squares(values, weights, base)
    with_classes = residual_squares(values, weights, np.hstack([base, classes[:, 1:]]))
    return _omega(without, with_classes, weights.sum(axis=1), base, classes)


def omega_squared_of_orders(values: Floats, base: Floats, classes: Floats, orders: NDArray[np.int64]) -> Floats:
    """`omega_squared` of `values` (types,), all of weight 1, with the classes in each order (orders, types); (orders,).

    Only the products of classes with other columns depend on the order.
    """
    others, width = np.column_stack([base, np.nan_to_num(values)]), base.shape[1]
    shared = others.T @ others
    sizes = classes.sum(axis=0)[1:]
    products = np.zeros((len(orders), width + len(sizes), width + len(sizes)))
    cross = np.empty(products.shape[:2])
    products[:, :width, :width], cross[:, :width] = shared[:width, :width], shared[:width, width]
    products[:, width:, width:] = np.diag(sizes)
    for number, order in enumerate(orders):
        of_classes = classes[order, 1:].T @ others
        products[number, width:, :width], cross[number, width:] = of_classes[:, :width], of_classes[:, width]
    products[:, :width, width:] = products[:, width:, :width].transpose(0, 2, 1)
    left = shared[width, width] - np.einsum("dk,dk->d", _coefficients(products, cross), cross)
    equal_weights = np.ones((1, len(values)))
    without = residual_squares(values, equal_weights, base)
    return _omega(without, left, equal_weights.sum(axis=1), base, classes)


def _omega(without: Floats, with_classes: Floats, counts: Floats, base: Floats, classes: Floats) -> Floats:
    degrees = classes.shape[1] - 1
    error = with_classes / np.maximum(counts - base.shape[1] - degrees, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        explained: Floats = (without - with_classes - degrees * error) / (without + error)
    return explained
