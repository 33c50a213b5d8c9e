"""Within types: at which of its occurrences a word is predicted better by one tower than by the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..statistics.stretches import stretches
from ..statistics.tallies import Floats
from .covariates import covariates
from .measured import Measured

LONG = 20_000_000
"""Occurrences from which on covariates are held in single precision: seven digits, and half the memory."""
Column: TypeAlias = NDArray[np.float64] | NDArray[np.float32]


def within_types(measured: Measured) -> dict[str, Any] | None:
    """Regression of the difference between towers on properties of an occurrence, with an intercept per type.

    An intercept per type takes out all that is the same at every occurrence of one: its frequency, its part of speech,
    its mean preference (Mundlak 1978). Standard errors are robust to any dependence within documents (CR1, Liang and
    Zeger 1986), and intervals Student's with documents less one as degrees of freedom. Coefficients are nats per
    standard deviation of the covariate within types. Covariates:

    - `topicality`: how typical the type is of its document, log share there (this occurrence left out) over its share;
    - `period`: the same in the nearest tenth of the other documents, in the corpus' order;
    - `far words`: cosine of the type's vector with the mean vector of the words 9 to 40 back (latent semantic analysis
      of passages of the training split: Deerwester et al. 1990);
    - `bigram gain`: log bigram over log unigram probability, of the training split;
    - `surprisal` under the joint head; `far context`: what that head gains beyond eight tokens of context;
    - `repetition`: whether the type occurred among the 64 tokens before; `position`: log place in the sentence.

    Returns `occurrences`, `types`, `r2` (within types) and `covariates`, one row each with its interval, p-value and
    `noise_floor`, the same for two readouts of the first tower. For more than two towers `towers` has these for each
    tower. `left_out` names covariates that cannot be computed. None for a single tower, or fewer than three documents.
    """
    if measured.towers == 1 or measured.documents < 3:
        return None
    functions, left_out = covariates(measured)
    kept = measured.counts[measured.piece] >= 2
    document = measured.document[kept]
    piece = (np.cumsum(measured.counts >= 2, dtype=np.int32) - 1)[measured.piece[kept]]
    names: list[str] = []
    columns: list[Column] = []
    for name in list(functions):
        values = _centred(functions.pop(name)()[kept], piece)  # with the last that needs it, what it was made of goes
        deviation = values.std()
        if deviation > 1e-9:
            values /= deviation
            columns.append(values if len(values) < LONG else values.astype(np.float32))
            names.append(name)
        else:
            left_out.append(name)
        del values
    design = _Design.of(columns, document)
    floor = design.fit(_centred(measured.noise_difference(1)[kept], piece), measured.settings.confidence)
    found = []
    for contrast in measured.contrasts:
        values = _centred(measured.difference(contrast)[kept], piece)
        fitted = design.fit(values, measured.settings.confidence)
        rows = [
            {"name": name, **row, "noise_floor": {key: under[key] for key in ("estimate", "low", "high")}}
            for name, row, under in zip(names, fitted["rows"], floor["rows"], strict=True)
        ]
        found.append({"tower": contrast.tower, "r2": fitted["r2"], "covariates": rows})
    shared = {"occurrences": int(kept.sum()), "types": int(piece.max()) + 1, "left_out": left_out}
    if len(found) == 1:
        return {**shared, "r2": found[0]["r2"], "covariates": found[0]["covariates"]}
    return {**shared, "towers": found}


def _centred(values: Floats, piece: NDArray[np.int32]) -> Floats:
    means = np.bincount(piece, weights=values) / np.bincount(piece)
    values -= means[piece]
    return values


@dataclass(frozen=True)
class _Design:
    """Covariates of the occurrences, standardized within types, by documents in ascending order."""

    columns: list[Column]
    """Each (occurrences,)."""
    document: NDArray[np.int32]
    inverse: Floats
    """Of the covariates' cross-products, (covariates, covariates)."""

    @classmethod
    def of(cls, columns: list[Column], document: NDArray[np.int32]) -> _Design:
        """Add up the cross-products."""
        products = np.zeros((len(columns), len(columns)))
        for _, block in _blocks(columns, document):
            products += block @ block.T
        inverse = np.linalg.pinv(products, hermitian=True)  # covariates of an odd text may be collinear
        return cls(columns, document, np.asarray(inverse, dtype=np.float64))

    def fit(self, values: Floats, confidence: float) -> dict[str, Any]:
        """The regression of `values` (occurrences,): `rows`, one for each covariate, and `r2`."""
        cross, squares = np.zeros(len(self.columns)), 0.0
        for part, block in _blocks(self.columns, self.document):
            cross += block @ values[part]
            squares += float(values[part] @ values[part])
        beta = self.inverse @ cross
        sums, left_squares = np.zeros((int(self.document.max()) + 1, len(beta))), 0.0
        for part, block in _blocks(self.columns, self.document):
            left = values[part] - beta @ block
            left_squares += float(left @ left)
            first = int(self.document[part].min())
            place = self.document[part] - first
            for number, column in enumerate(block):
                added = np.bincount(place, weights=column * left)
                sums[first : first + len(added), number] += added
        clusters = int((np.bincount(self.document) > 0).sum())
        covariance = self.inverse @ (sums.T @ sums) @ self.inverse * clusters / (clusters - 1)
        variance = np.diag(covariance)
        error = np.sqrt(np.where(variance > 0, variance, np.nan))  # rounding alone, where residuals are all alike
        reach = stats.t.ppf((1 + confidence) / 2, clusters - 1) * error
        p_values = 2 * stats.t.sf(np.abs(beta / error), clusters - 1)
        rows = [
            {"estimate": float(b), "low": float(b - r), "high": float(b + r), "p_value": float(p)}
            for b, r, p in zip(beta, reach, p_values, strict=True)
        ]
        return {"rows": rows, "r2": float(1 - left_squares / squares)}


def _blocks(columns: list[Column], document: NDArray[np.int32]) -> Iterator[tuple[slice, Floats]]:
    """A stretch of the text at a time, and its covariates in double precision, (covariates, occurrences)."""
    for part in stretches(document):
        yield part, np.array([column[part] for column in columns], dtype=np.float64)
