"""Weighted least squares for many weightings at once, and the share of variance that classes explain."""

from __future__ import annotations

import numpy as np

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
    products = (weights @ outer).reshape(-1, width, width)
    scale = np.trace(products, axis1=1, axis2=2) / width
    # A draw that holds no type at all has nothing to solve: its coefficients are 0.
    products[:, np.arange(width), np.arange(width)] += np.where(scale > 0, RIDGE * scale, 1.0)[:, None]
    cross = (weights * filled) @ columns
    beta: Floats = np.asarray(np.linalg.solve(products, cross[:, :, None])[:, :, 0], dtype=np.float64)
    squares: Floats = (weights * filled**2).sum(axis=1)
    return beta, squares, cross


def omega_squared(values: Floats, weights: Floats, base: Floats, classes: Floats) -> Floats:
    """Share of the variance that classes explain beyond other columns, corrected for their number; (draws,).

    Omega squared (Hays 1963): (SS_class - df_class MS_error) / (SS_total + MS_error), where SS_total is what `base`
    leaves and SS_class what adding `classes` takes from it. `base` (types, columns) holds the intercept, `classes`
    (types, classes) is one-hot. Without an effect its expectation is 0, and it may fall below.
    """
    degrees = classes.shape[1] - 1
    without = residual_squares(values, weights, base)
    with_classes = residual_squares(values, weights, np.hstack([base, classes[:, 1:]]))
    freedom = np.maximum(weights.sum(axis=1) - base.shape[1] - degrees, 1.0)
    error = with_classes / freedom
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = (without - with_classes - degrees * error) / (without + error)
    return found
