"""Linear models with crossed random effects, for hundreds of thousands of occurrences.

`statsmodels` fits crossed effects through dense matrices and does not converge on a thousand occurrences of text; R's
lme4 is no Python package. So the profiled likelihood is computed here, from cross-products that do not grow with the
occurrences; the tests compare it with `statsmodels` where that converges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, sparse

from .tallies import Floats

START, SMALLEST_STEP = 0.3, 1e-4


@dataclass(frozen=True)
class MixedFit:
    """A fitted model."""

    coefficients: dict[str, float]
    """Of the fixed effects, by name."""
    errors: dict[str, float]
    """Their standard errors."""
    components: dict[str, float]
    """Variance of each random effect, by name."""
    residual: float
    """Residual variance."""
    fixed: float
    """Variance of the fixed part over the occurrences."""
    criterion: float
    """-2 log restricted likelihood."""

    @property
    def marginal_r2(self) -> float:
        """Share of the variance that the fixed effects explain (Nakagawa and Schielzeth 2013, eq. 26)."""
        return self.fixed / (self.fixed + sum(self.components.values()) + self.residual)


def fit_mixed(values: Floats, fixed: Mapping[str, Floats], random: Mapping[str, NDArray[np.integer]]) -> MixedFit:
    """Fit by restricted maximum likelihood (Bates, Mächler, Bolker and Walker 2015, sections 3.4 and 3.5).

    Args:
        values: what is explained, (occurrences,).
        fixed: by name, the columns of the fixed effects, (occurrences,); give the intercept as one of them.
        random: by name, for each occurrence the level (from 0) of a factor with a random intercept, (occurrences,).

    Raises `ValueError` if the fixed effects are linearly dependent.
    """
    names = list(fixed)
    columns = np.column_stack([*(fixed[name] for name in names), values]).astype(np.float64)
    if np.linalg.matrix_rank(columns[:, :-1]) < len(names):
        raise ValueError(f"the fixed effects {', '.join(names)} are linearly dependent")
    products = _Products.of(columns, list(random.values()))

    def criterion_of(ratios: Floats) -> float:
        return products.profile(ratios)[0]

    scales: Floats = optimize.minimize(
        criterion_of,
        np.full(len(random), START),
        method="L-BFGS-B",
        bounds=optimize.Bounds(np.zeros(len(random)), np.full(len(random), np.inf)),
        options={"eps": SMALLEST_STEP, "ftol": 1e-10, "maxiter": 60},
    ).x
    criterion, beta, covariance, residual = products.profile(scales)
    return MixedFit(
        dict(zip(names, beta.tolist(), strict=True)),
        dict(zip(names, np.sqrt(np.diag(covariance)).tolist(), strict=True)),
        {name: float(scale**2 * residual) for name, scale in zip(random, scales, strict=True)},
        residual,
        float(np.var(columns[:, :-1] @ beta)),
        criterion,
    )


@dataclass(frozen=True)
class _Products:
    """Cross-products of the indicators of the factors' levels, the fixed effects' columns and the values.

    The factor with the most levels stands apart: its own block is diagonal, and is eliminated before the dense ones.
    """

    occurrences: int
    columns: Floats
    """(fixed + 1, fixed + 1), the values last."""
    counts: Floats
    """Occurrences of each level of the largest factor, (levels,)."""
    large: Floats
    """(levels, fixed + 1)"""
    between: sparse.csr_array
    """Largest factor against the others, (levels of the others, levels)."""
    others: Floats
    """(levels of the others, levels of the others)"""
    rest: Floats
    """(levels of the others, fixed + 1)"""
    factor: NDArray[np.int64]
    """Which of the other factors a level belongs to, by its place in `order`."""
    order: list[int]
    """The factors' numbers, the largest first."""

    @classmethod
    def of(cls, columns: Floats, factors: list[NDArray[np.integer]]) -> _Products:
        levels = [int(factor.max()) + 1 for factor in factors]
        order = sorted(range(len(factors)), key=lambda number: -levels[number])
        indicators = [_indicators(factors[number], levels[number]) for number in order]
        first = indicators[0]
        second = (
            sparse.hstack(indicators[1:], format="csr") if len(factors) > 1 else sparse.csr_array((len(columns), 0))
        )
        return cls(
            len(columns),
            columns.T @ columns,
            np.bincount(factors[order[0]], minlength=levels[order[0]]).astype(np.float64),
            np.asarray(first.T @ columns),
            sparse.csr_array(second.T @ first),
            np.asarray((second.T @ second).toarray()),
            np.asarray(second.T @ columns),
            np.repeat(np.arange(1, len(order)), [levels[number] for number in order[1:]]),
            order,
        )

    def profile(self, ratios: Floats) -> tuple[float, Floats, Floats, float]:
        """For standard deviations of the random effects in units of the residual one, by factor.

        Returns -2 log restricted likelihood, the coefficients, their covariance and the residual variance.
        """
        ordered = np.asarray(ratios)[self.order]
        scale = ordered[self.factor]
        diagonal = ordered[0] ** 2 * self.counts + 1
        link = self.between * (ordered[0] * scale[:, None])
        weighted = link * (1 / diagonal)[None, :]
        block = scale[:, None] * self.others * scale - np.asarray((weighted @ link.T).toarray())
        block[np.diag_indices_from(block)] += 1
        first = ordered[0] * self.large
        second = scale[:, None] * self.rest - weighted @ first
        cholesky = linalg.cholesky(block, lower=True, check_finite=False)
        solved = linalg.solve_triangular(cholesky, second, lower=True, check_finite=False)
        left = self.columns - first.T @ (first / diagonal[:, None]) - solved.T @ solved
        fixed, cross, total = left[:-1, :-1], left[:-1, -1], left[-1, -1]
        root = linalg.cho_factor(fixed)
        beta = linalg.cho_solve(root, cross)
        freedom = self.occurrences - len(beta)
        residual = float(total - cross @ beta) / freedom
        determinants = np.log(diagonal).sum() + 2 * np.log(np.diag(cholesky)).sum() + 2 * np.log(np.diag(root[0])).sum()
        criterion = float(determinants + freedom * (1 + np.log(2 * np.pi * residual)))
        return criterion, beta, residual * linalg.cho_solve(root, np.eye(len(beta))), residual


def _indicators(levels: NDArray[np.integer], count: int) -> sparse.csr_array:
    rows = np.arange(len(levels))
    return sparse.csr_array((np.ones(len(levels)), (rows, levels)), shape=(len(levels), count))
