"""Within types: at which of its occurrences a word is predicted better by one tower than by the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..statistics.tallies import Floats
from .covariates import covariates
from .measured import Measured


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
    design: Floats = np.empty((len(piece), len(functions)))
    for name, values_of in functions.items():
        values = _centred(values_of()[kept], piece)
        deviation = values.std()
        if deviation > 1e-9:
            design[:, len(names)] = values / deviation
            names.append(name)
        else:
            left_out.append(name)
        del values
    if len(names) < len(functions):
        design = np.ascontiguousarray(design[:, : len(names)])
    floor = _fit(_centred(measured.noise_difference(1)[kept], piece), design, document, measured.settings.confidence)
    found = []
    for contrast in measured.contrasts:
        values = _centred(measured.difference(contrast)[kept], piece)
        fitted = _fit(values, design, document, measured.settings.confidence)
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


def _fit(values: Floats, design: Floats, document: NDArray[np.int32], confidence: float) -> dict[str, Any]:
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)  # covariates of an odd text may be collinear
    beta = inverse @ (design.T @ values)
    left = values - design @ beta
    clusters = len(np.unique(document))
    sums = np.column_stack([np.bincount(document, weights=column * left) for column in design.T])
    covariance = inverse @ (sums.T @ sums) @ inverse * clusters / (clusters - 1)
    variance = np.diag(covariance)
    error = np.sqrt(np.where(variance > 0, variance, np.nan))  # rounding alone, where residuals are all alike
    reach = stats.t.ppf((1 + confidence) / 2, clusters - 1) * error
    p_values = 2 * stats.t.sf(np.abs(beta / error), clusters - 1)
    rows = [
        {"estimate": float(b), "low": float(b - r), "high": float(b + r), "p_value": float(p)}
        for b, r, p in zip(beta, reach, p_values, strict=True)
    ]
    return {"rows": rows, "r2": float(1 - (left**2).sum() / (values**2).sum())}
