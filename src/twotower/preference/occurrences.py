"""Within types: at which of its occurrences one tower predicts a word better than the other does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..config.conversion import OMITTED
from ..statistics.intervals import errors_to_each_side
from ..statistics.stretches import stretches
from ..statistics.tallies import Floats, ValuesOf
from .covariates import covariates
from .measured import Measured

CONSTANT = 1e-9
"""Standard deviation within types up to which a covariate counts as constant."""


@dataclass(frozen=True)
class Coefficient:
    """The effect of a covariate on the difference between towers: nats per standard deviation of it within types."""

    name: str
    estimate: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Regression:
    """The regression of the preference for one of several towers."""

    tower: int
    r2: float
    covariates: list[Coefficient]


@dataclass(frozen=True)
class WithinTypes:
    """At which of its occurrences one tower predicts a word better than the other does."""

    occurrences: int
    types: int
    """Those that occur at least twice."""
    left_out: list[str]
    """Covariates that cannot be computed."""
    r2: float | None = field(default=None, metadata=OMITTED)
    """Within types; only for two towers."""
    covariates: list[Coefficient] | None = field(default=None, metadata=OMITTED)
    """Only for two towers."""
    towers: list[Regression] | None = field(default=None, metadata=OMITTED)
    """For each tower; only for more than two."""

    def coefficient(self, name: str) -> Coefficient | None:
        """The coefficient of two towers' difference on a covariate; None where there is none."""
        return next((row for row in self.covariates or [] if row.name == name), None)


def within_types(measured: Measured) -> WithinTypes | None:
    """Regression of the difference between towers on properties of an occurrence, with an intercept per type.

    An intercept per type takes out whatever is the same at all its occurrences: its frequency, its part of speech, its
    mean preference (Mundlak 1978). Standard errors are robust to any dependence within documents (CR1, Liang and
    Zeger 1986), and intervals are Student's with documents less one as degrees of freedom. Coefficients are nats per
    standard deviation of the covariate within types. Covariates:

    - `topicality`: how typical the type is of its document, log share there (this occurrence left out) over its share;
    - `period`: the same in the nearest tenth of the other documents, in the corpus' order;
    - `far words`: cosine of the type's vector with the mean vector of the words 9 to 40 back (latent semantic analysis
      of passages of the training split: Deerwester et al. 1990);
    - `bigram gain`: log bigram over log unigram probability, of the training split;
    - `surprisal` under the joint head; `far context`: what that head gains beyond eight tokens of context;
    - `repetition`: whether the type occurred among the 64 tokens before; `position`: log place in the sentence.

    None for a single tower, or fewer than three documents.
    """
    if measured.towers == 1 or measured.documents < 3:
        return None
    functions, left_out = covariates(measured)
    signals = [partial(measured.difference, contrast) for contrast in measured.contrasts]
    repeated = _Repeated(measured, [*functions.values(), *signals])
    means, products = _moments(repeated)
    deviations = np.sqrt(np.diag(products) / repeated.occurrences)[: len(functions)]
    varies = deviations > CONSTANT
    names = [name for name, does_vary in zip(functions, varies, strict=True) if does_vary]
    left_out += [name for name in functions if name not in names]
    fits = _fits(repeated, means, products, deviations, varies, names, measured.settings.confidence)
    regressions = [
        Regression(contrast.tower, *fitted) for contrast, fitted in zip(measured.contrasts, fits, strict=True)
    ]
    if len(regressions) == 1:
        return WithinTypes(repeated.occurrences, repeated.types, left_out, regressions[0].r2, regressions[0].covariates)
    return WithinTypes(repeated.occurrences, repeated.types, left_out, towers=regressions)


@dataclass(frozen=True)
class _Stretch:
    """A part of the text: whole documents, without the types that occur once."""

    document: NDArray[np.int32]
    """(occurrences,)"""
    piece: NDArray[np.int32]
    """Numbered among the types that occur at least twice, (occurrences,)."""
    values: Floats
    """Covariates, then signals, (variables, occurrences)."""


class _Repeated:
    """The occurrences of the types that occur twice or more, a stretch of the text at a time."""

    def __init__(self, measured: Measured, variables: Sequence[ValuesOf]) -> None:
        repeated = measured.counts >= 2
        self.variables, self.types = len(variables), int(repeated.sum())
        self.occurrences = int(measured.counts[repeated].sum())
        number = np.cumsum(repeated, dtype=np.int32) - 1

        @lru_cache(maxsize=1)  # a text of one stretch is computed once
        def stretch(start: int, stop: int) -> _Stretch:
            part = slice(start, stop)
            piece = measured.piece[part]
            chosen = repeated[piece]
            values = np.empty((len(variables), int(chosen.sum())))
            for row, values_of in zip(values, variables, strict=True):
                row[:] = values_of(part)[chosen]
            return _Stretch(measured.document[part][chosen], number[piece[chosen]], values)

        self._stretch, self._document = stretch, measured.document

    def __iter__(self) -> Iterator[_Stretch]:
        for part in stretches(self._document):
            yield self._stretch(part.start, part.stop)


def _moments(repeated: _Repeated) -> tuple[Floats, Floats]:
    """Means of each type (variables, types), and sums of cross-products around them (variables, variables).

    Stretches are merged without a loss of digits (Chan, Golub and LeVeque 1979).
    """
    counts = np.zeros(repeated.types)
    means = np.zeros((repeated.variables, repeated.types))
    products = np.zeros((repeated.variables, repeated.variables))
    for stretch in repeated:
        new = np.bincount(stretch.piece, minlength=repeated.types)
        sums = np.array([np.bincount(stretch.piece, weights=row, minlength=repeated.types) for row in stretch.values])
        new_means = np.divide(sums, new, where=new > 0, out=means.copy())
        centred = stretch.values - new_means[:, stretch.piece]
        products += centred @ centred.T
        share = new / np.maximum(counts + new, 1)
        apart = new_means - means
        products += (apart * (counts * share)) @ apart.T
        means += apart * share
        counts += new
    return means, products


def _fits(
    repeated: _Repeated,
    means: Floats,
    products: Floats,
    deviations: Floats,
    varies: NDArray[np.bool_],
    names: Sequence[str],
    confidence: float,
) -> list[tuple[float, list[Coefficient]]]:
    """The regression of each signal on the covariates that vary, which have these `names`: R2, and the coefficients."""
    first, scale = len(varies), deviations[varies, None]
    columns = np.flatnonzero(varies)
    # covariates of an odd text may be collinear
    inverse = np.linalg.pinv(products[np.ix_(columns, columns)] / (scale * scale.T), hermitian=True)
    betas = (inverse @ (products[columns, first:] / scale)).T
    squares, left_squares = np.diag(products)[first:], np.zeros(len(betas))
    spread, clusters = np.zeros((len(betas), len(columns), len(columns))), 0
    for stretch in repeated:
        centred = stretch.values - means[:, stretch.piece]
        design = centred[columns] / scale
        left = centred[first:] - betas @ design
        left_squares += (left**2).sum(axis=1)
        document = np.unique(stretch.document, return_inverse=True)[1]
        clusters += int(document.max(initial=-1)) + 1
        for signal, residuals in enumerate(left):
            sums = np.array([np.bincount(document, weights=column * residuals) for column in design])
            spread[signal] += sums @ sums.T
    fits = []
    for beta, between, total, left_square in zip(betas, spread, squares, left_squares, strict=True):
        variance = np.diag(inverse @ between @ inverse) * clusters / (clusters - 1)
        error = np.sqrt(np.where(variance > 0, variance, np.nan))  # rounding alone, where residuals are all alike
        reach = errors_to_each_side(confidence, clusters - 1) * error
        p_values = 2 * stats.t.sf(np.abs(beta / error), clusters - 1)
        rows = [
            Coefficient(name, float(b), float(b - r), float(b + r), float(p))
            for name, b, r, p in zip(names, beta, reach, p_values, strict=True)
        ]
        fits.append((float(1 - left_square / total) if total > 0 else np.nan, rows))
    return fits
