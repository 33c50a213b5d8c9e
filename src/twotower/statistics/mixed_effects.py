"""Linear mixed-effects models of many runs that measured the same occurrences.

`statsmodels` fits crossed effects through dense matrices and does not converge on a thousand occurrences of text; R's
lme4 is no Python package. Neither uses what makes hundreds of runs easy: all of them measured the same text, so every
run has the same design. Rotating the runs into their mean and their contrasts takes the model apart into two of the
size of a single run, whatever the number of runs. The tests compare it with the dense likelihood and, where that
converges, with `statsmodels`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, sparse

from .tallies import Floats

START, ITERATIONS = 0.1, 500


@dataclass(frozen=True)
class MixedFit:
    """A fitted model."""

    coefficients: dict[str, float]
    """Of the fixed effects, by name."""
    errors: dict[str, float]
    """Their standard errors."""
    components: dict[str, float]
    """Variance of each random effect, by name: `run`, `run x NAME` for each factor, and `type`."""
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


def fit_runs(
    values: Sequence[NDArray[np.floating]],
    fixed: Mapping[str, Floats],
    of_runs: Mapping[str, Floats],
    factors: Mapping[str, NDArray[np.integer]],
    types: NDArray[np.integer],
) -> MixedFit:
    """Fit by restricted maximum likelihood (Bates, Mächler, Bolker and Walker 2015, sections 3.4 and 3.5).

    Random intercepts: run, run x each factor, run x type, and type. An orthogonal rotation of the runs gives their
    mean, times the root of their number, and contrasts between them, all independent. In the contrasts the variance of
    a type is that of run x type; in the mean it is larger by the number of runs times that of type. All else is as in
    one run.

    Args:
        values: what is explained: for each run, the same occurrences in the same order, (occurrences,).
        fixed: by name, the fixed effects that are the same in every run, (occurrences,); give the intercept as one.
        of_runs: by name, fixed effects that are constant within a run, (runs,).
        factors: by name, for each occurrence the level (from 0) of a factor within runs, (occurrences,).
        types: for each occurrence its type (from 0), (occurrences,).

    Raises `ValueError` if the fixed effects are linearly dependent.
    """
    names = [*fixed, *of_runs]
    columns = np.column_stack(list(fixed.values())).astype(np.float64)
    constants = np.column_stack([np.ones(len(values)), *of_runs.values()]).astype(np.float64)
    if np.linalg.matrix_rank(columns) < len(fixed) or np.linalg.matrix_rank(constants) < len(of_runs) + 1:
        raise ValueError(f"the fixed effects {', '.join(names)} are linearly dependent")
    problem = _Problem.of(values, columns, constants[:, 1:], list(factors.values()), types)
    variances: Floats = optimize.minimize(
        problem.criterion_and_slope,
        np.full(len(factors) + 3, START),
        jac=True,
        method="L-BFGS-B",
        bounds=optimize.Bounds(0.0, np.inf),
        options={"ftol": 1e-13, "gtol": 1e-6, "maxiter": ITERATIONS},
    ).x
    at = problem.at(variances)
    random = ["run", *(f"run x {name}" for name in factors), "run x type", "type"]
    return MixedFit(
        dict(zip(names, at.beta.tolist(), strict=True)),
        dict(zip(names, np.sqrt(np.diag(at.residual * at.inverse)).tolist(), strict=True)),
        {name: float(ratio * at.residual) for name, ratio in zip(random, variances, strict=True)},
        at.residual,
        float(np.var(columns @ at.beta[: len(fixed)]) + np.var(constants[:, 1:] @ at.beta[len(fixed) :])),
        at.criterion,
    )


@dataclass(frozen=True)
class _Design:
    """The random effects of one run, by the cross-products of their indicators.

    A has a column for each level of a factor, T for each type. The first factor has one level, the run itself.
    """

    factor: NDArray[np.int64]
    """The factor that each level belongs to, (levels,)."""
    within: Floats
    """A'A, (levels, levels)."""
    between: Floats
    """A'T, (levels, types)."""
    counts: Floats
    """The diagonal of T'T, (types,)."""


@dataclass(frozen=True)
class _Sums:
    """A'x and T'x of some columns x of occurrences."""

    levels: Floats
    """(levels, columns)"""
    types: Floats
    """(types, columns)"""

    def __matmul__(self, weights: Floats) -> _Sums:
        """Of combinations of the columns; `weights` (columns, combinations)."""
        return _Sums(self.levels @ weights, self.types @ weights)

    def __sub__(self, other: _Sums) -> _Sums:
        return _Sums(self.levels - other.levels, self.types - other.types)


class _Inverse:
    """The inverse of V = I + vTT' + AS²A', with v the variance of types and S diagonal.

    V⁻¹ = E - EAS B⁻¹ SA'E with E = (I + vTT')⁻¹, which is diagonal by type, and B = I + SA'EAS, as small as the levels.
    """

    def __init__(self, design: _Design, scale: Floats, variance: float) -> None:
        self.design, self.scale = design, scale[:, None]
        self.kept = 1 / (1 + variance * design.counts)[:, None]
        self.taken = variance * self.kept
        self.inner = design.within - (design.between * self.taken.T) @ design.between.T  # A'EA
        block = np.eye(len(scale)) + self.scale * self.inner * scale
        self.root = linalg.cholesky(block, lower=True, check_finite=False)

    @property
    def log_determinant(self) -> float:
        """Of V."""
        return float(2 * np.log(np.diag(self.root)).sum() - np.log(self.kept).sum())

    def half(self, sums: _Sums) -> Floats:
        """For every column x a column h, so that x'V⁻¹y = x'y - h(x)'h(y); (types + levels, columns)."""
        return np.vstack([np.sqrt(self.taken) * sums.types, self._whitened(self.scale * self._free(sums))])

    def __call__(self, sums: _Sums) -> _Sums:
        """A'V⁻¹x and T'V⁻¹x."""
        free = self._free(sums)
        beyond = self.scale * linalg.cho_solve((self.root, True), self.scale * free, check_finite=False)
        return _Sums(free - self.inner @ beyond, self.kept * (sums.types - self.design.between.T @ beyond))

    def traces(self) -> Floats:
        """Of Z'V⁻¹Z for the columns Z of each factor, and last of the types, (factors + 1,)."""
        levels = np.diag(self.inner) - (self._whitened(self.scale * self.inner) ** 2).sum(axis=0)
        types = self.design.counts * self.kept.T - (
            self._whitened(self.scale * self.design.between * self.kept.T) ** 2
        ).sum(axis=0)
        return np.append(np.bincount(self.design.factor, weights=levels), types.sum())

    def _free(self, sums: _Sums) -> Floats:
        """A'Ex."""
        return sums.levels - self.design.between @ (self.taken * sums.types)

    def _whitened(self, columns: Floats) -> Floats:
        return linalg.solve_triangular(self.root, columns, lower=True, check_finite=False)


@dataclass(frozen=True)
class _Point:
    """The likelihood at some variances."""

    criterion: float
    """-2 log restricted likelihood."""
    slope: Floats
    """Of the criterion, by variance."""
    beta: Floats
    inverse: Floats
    """Of the information on the fixed effects, in units of the residual variance."""
    residual: float


@dataclass(frozen=True)
class _Problem:
    """What the likelihood needs of the runs' mean and of their deviations from it.

    The columns are the fixed effects, those constant within a run last, and then the values.
    """

    design: _Design
    occurrences: int
    mean: _Sums
    """Of each column's mean over runs, (…, columns)."""
    mean_products: Floats
    """(columns, columns)"""
    deviations: _Sums
    """Of each run's values less their mean, (…, runs)."""
    one: _Sums
    """Of a column of ones, of which the constants' deviations are multiples."""
    constants: Floats
    """Those multiples, (runs, constants)."""
    deviation_products: Floats
    """Of the deviations of constants and values, added up over runs, (constants + 1, constants + 1)."""

    @classmethod
    def of(
        cls,
        values: Sequence[NDArray[np.floating]],
        columns: Floats,
        constants: Floats,
        factors: Sequence[NDArray[np.integer]],
        types: NDArray[np.integer],
    ) -> _Problem:
        """`columns` (occurrences, fixed effects), `constants` (runs, fixed effects)."""
        codes = [np.zeros(len(columns), np.int64), *factors]
        levels = sparse.hstack([_indicators(code) for code in codes], format="csr")
        kinds = _indicators(types)
        design = _Design(
            np.repeat(np.arange(len(codes)), [int(code.max()) + 1 for code in codes]),
            (levels.T @ levels).toarray(), (levels.T @ kinds).toarray(), np.bincount(types).astype(np.float64),
        )  # fmt: skip

        def sums(rows: Floats) -> _Sums:
            return _Sums(np.asarray(levels.T @ rows), np.asarray(kinds.T @ rows))

        centre = np.zeros(len(columns))
        for own in values:  # one at a time, to hold no second copy of all runs
            centre += np.divide(own, len(values), dtype=np.float64)
        deviating = constants - constants.mean(axis=0)
        own_sums, squares, totals = [], 0.0, np.zeros(len(values))
        for run, own in enumerate(values):
            away = own - centre
            own_sums.append(sums(away[:, None]))
            squares, totals[run] = squares + float(away @ away), away.sum()
        cross = deviating.T @ totals
        mean = np.column_stack([columns, np.tile(constants.mean(axis=0), (len(columns), 1)), centre])
        return cls(
            design,
            len(columns),
            sums(mean),
            mean.T @ mean,
            _Sums(*(np.hstack([getattr(of_run, name) for of_run in own_sums]) for name in ("levels", "types"))),
            sums(np.ones((len(columns), 1))),
            deviating,
            np.block([[len(columns) * deviating.T @ deviating, cross[:, None]], [cross[None], np.array([[squares]])]]),
        )

    def criterion_and_slope(self, variances: Floats) -> tuple[float, Floats]:
        """What is minimized. Over standard deviations the slope would vanish at 0, and hold the search there."""
        at = self.at(variances)
        return at.criterion, at.slope

    def at(self, variances: Floats) -> _Point:
        """For variances of the random effects (run, factors, run x type, type) in units of the residual one."""
        runs, own = self.constants.shape
        scale = np.sqrt(variances[:-2])[self.design.factor]
        together = _Inverse(self.design, scale, variances[-2] + runs * variances[-1])
        apart = _Inverse(self.design, scale, variances[-2])
        half = together.half(self.mean)
        ones, away = apart.half(self.one)[:, 0], apart.half(self.deviations)
        multiples = self.constants.T @ self.constants
        cross = self.constants.T @ (away.T @ ones)
        left = runs * (self.mean_products - half.T @ half)
        left[-own - 1 :, -own - 1 :] += self.deviation_products - np.block(
            [[multiples * (ones @ ones), cross[:, None]], [cross[None], np.array([[(away**2).sum()]])]]
        )
        root = linalg.cho_factor(left[:-1, :-1])
        beta = linalg.cho_solve(root, left[:-1, -1])
        inverse = linalg.cho_solve(root, np.eye(len(beta)))
        freedom = self.occurrences * runs - len(beta)
        residual = float(left[-1, -1] - left[:-1, -1] @ beta) / freedom
        criterion = (
            together.log_determinant + (runs - 1) * apart.log_determinant
            + 2 * np.log(np.diag(root[0])).sum() + freedom * (1 + np.log(2 * np.pi * residual))
        )  # fmt: skip
        # The slope along a variance: the trace of V⁻¹ZZ', less what the fixed effects take of it, less |Z'V⁻¹e|² over
        # the residual variance, with e the residuals.
        fixed = together(self.mean @ np.eye(len(beta) + 1, len(beta)))
        left_over = together(self.mean @ np.append(-beta, 1)[:, None])
        of_mean = together.traces() - runs * (self._squares(fixed, inverse) + self._squares(left_over) / residual)
        predicted = (self.constants @ beta[len(beta) - own :])[None]
        taken = np.array([[float((inverse[len(beta) - own :, len(beta) - own :] * multiples).sum())]])
        away_left = apart(self.deviations - self.one @ predicted)
        of_contrasts = (runs - 1) * apart.traces() - (
            self._squares(apart(self.one), taken) + self._squares(away_left) / residual
        )
        squares = of_mean + of_contrasts
        slope = np.append(squares, runs * of_mean[-1])
        return _Point(float(criterion), slope, beta, inverse, residual)

    def _squares(self, sums: _Sums, weights: Floats | None = None) -> Floats:
        """Squares of rows (or z'Wz), added up for each factor and last for types, (factors + 1,)."""
        levels, types = (
            (rows**2).sum(axis=1) if weights is None else ((rows @ weights) * rows).sum(axis=1)
            for rows in (sums.levels, sums.types)
        )
        return np.append(np.bincount(self.design.factor, weights=levels), types.sum())


def _indicators(levels: NDArray[np.integer]) -> sparse.csr_array:
    return sparse.csr_array((np.ones(len(levels)), (np.arange(len(levels)), levels)))
