"""How much of the preference the word class explains beyond frequency: a mixed-effects model over several runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from ..data.tagging import CONTENT, FUNCTION
from ..data.tokenization import PREFIX
from ..statistics.mixed_effects import MixedFit, fit_mixed
from ..statistics.ranking import stratified_auroc
from ..statistics.strata import frequency_strata
from ..statistics.tallies import Floats

TYPES = 1_500
"""Types that enter, drawn at random from those that are frequent enough: the fit takes the cube of their number."""
FEWEST_TYPES = 10
"""Of either class, in each half of the types, from which the function tower is chosen."""
FEWEST_RUNS = 3
"""With two runs the interval of a class effect is dozens of times as wide as its standard error."""


@dataclass(frozen=True)
class Observed:
    """The occurrences of one run, and the training counts of its pieces."""

    scores: pd.DataFrame
    """`document`, `piece_id`, `piece`, `upos` and `difference`, tower 1 minus tower 2, in nats."""
    training_count: NDArray[np.int64]
    """By piece id."""


def class_effect(
    runs: Sequence[Observed], min_count: int, strata: int, confidence: float, generator: np.random.Generator
) -> dict[str, Any] | None:
    """A linear mixed-effects model of the log-probability difference between towers, over the runs of one group.

    Fixed effects: class of the word (1 function, 0 content), log training frequency of the type (standardized) and its
    square, length of the word in pieces, and by how much the tower is the better one in its run.
    Random effects: the run's intercept, its class effect and its types; document; type.

    Which tower is the function tower is chosen for each run on one half of the documents, and for each half of the
    types on the other half of the types; the model is fitted to the other documents. So neither the choice nor what is
    peculiar to a type makes an effect where there is none. The interval and the p-value of the class effect are those
    of Student's t with as many degrees of freedom as there are runs, less one: runs are what it is generalized over.

    Args:
        runs: runs of the same text with the same pieces.
        min_count: a type enters if it occurs twice as often as this in every run.
        strata: frequency strata, for the choice of the tower.
        confidence: of the interval.
        generator: halves documents and types, and draws the types.

    Returns:
        `class`: the effect in nats with its interval, degrees of freedom and p-value; `fixed`: all coefficients with
        their standard errors; `components`: variances of the random effects and the residual; `marginal_r2` with and
        without class; `between_types`: the share of the variance between types that class explains beyond the other
        fixed effects; and the numbers of runs, types, documents and occurrences. None for fewer than three runs, or too
        few types of either class.
    """
    if len(runs) < FEWEST_RUNS:
        return None
    table = _table(runs, min_count, strata, generator)
    if table is None:
        return None
    fixed = _fixed_effects(table)
    random = {
        "run": pd.factorize(table["run"] * 2 + table["fold"])[0],
        "run x class": (table["run"] * 2 + table["function"]).to_numpy(np.int64),
        "run x type": pd.factorize(table["run"] * len(runs[0].training_count) + table["piece_id"])[0],
        "type": pd.factorize(table["piece_id"])[0],
        "document": pd.factorize(table["document"])[0],
    }
    values = table["aligned"].to_numpy(np.float64)
    whole = fit_mixed(values, fixed, random)
    without = fit_mixed(values, {name: one for name, one in fixed.items() if name != "class"}, random)
    freedom = len(runs) - 1
    estimate, error = whole.coefficients["class"], whole.errors["class"]
    reach = float(stats.t.ppf((1 + confidence) / 2, freedom)) * error
    return {
        "class": {
            "estimate": estimate, "low": estimate - reach, "high": estimate + reach, "degrees_of_freedom": freedom,
            "p_value": float(2 * stats.t.sf(abs(estimate / error), freedom)),
        },
        "fixed": {
            name: {"estimate": value, "error": whole.errors[name]} for name, value in whole.coefficients.items()
        },
        "components": {**whole.components, "residual": whole.residual},
        "marginal_r2": {"with_class": whole.marginal_r2, "without_class": without.marginal_r2},
        "between_types": _explained(whole, without),
        "runs": len(runs),
        "types": int(table["piece_id"].nunique()),
        "documents": int(table["document"].nunique()),
        "occurrences": len(table),
    }  # fmt: skip


def word_lengths(document: NDArray[np.integer], piece: Sequence[str]) -> NDArray[np.int64]:
    """For each occurrence, in the order of the text, the number of pieces of the word that it is a part of."""
    begins = ~pd.Series(piece, dtype=str).str.startswith(PREFIX).to_numpy()
    begins[1:] |= document[1:] != document[:-1]
    begins[:1] = True
    word = np.cumsum(begins) - 1
    lengths: NDArray[np.int64] = np.bincount(word)[word]
    return lengths


def _table(
    runs: Sequence[Observed], min_count: int, strata: int, generator: np.random.Generator
) -> pd.DataFrame | None:
    """One row per occurrence that enters, with `aligned`, the difference in favour of the function tower."""
    frames = [_prepared(run) for run in runs]
    counts = [np.bincount(frame["piece_id"], minlength=len(runs[0].training_count)) for frame in frames]
    frequent = np.flatnonzero(np.min(counts, axis=0) >= 2 * min_count)
    chosen = np.sort(generator.permutation(frequent)[:TYPES])
    documents = np.unique(frames[0]["document"])
    choosing = np.isin(documents, generator.permutation(documents)[: len(documents) // 2])
    fold = np.full(len(runs[0].training_count), -1)
    fold[chosen] = generator.permutation(np.arange(len(chosen)) % 2)
    parts = []
    for number, (frame, run) in enumerate(zip(frames, runs, strict=True)):
        frame = frame[fold[frame["piece_id"]] >= 0]
        early = frame["document"].isin(documents[choosing]).to_numpy()
        signs = _signs(frame[early], fold, run.training_count, strata)
        if signs is None:
            return None
        late = frame[~early].assign(run=number, fold=fold[frame["piece_id"][~early]])
        sign = np.asarray(signs)[late["fold"]]
        late["aligned"] = sign * late["difference"]
        late["quality"] = sign * frame["difference"][early].mean()
        late["log_frequency"] = np.log(run.training_count[late["piece_id"]] + 1.0)
        parts.append(late)
    return pd.concat(parts, ignore_index=True)


def _prepared(run: Observed) -> pd.DataFrame:
    """The occurrences in words of either class, with `function` and `length`."""
    scores = run.scores
    upos = scores["upos"].astype(str)
    function, content = upos.isin(list(FUNCTION)).to_numpy(), upos.isin(list(CONTENT)).to_numpy()
    length = word_lengths(scores["document"].to_numpy(), scores["piece"].astype(str).tolist())
    frame = scores[["document", "piece_id", "difference"]].assign(function=function.astype(np.int64), length=length)
    return frame[function | content]


def _signs(
    early: pd.DataFrame, fold: NDArray[np.int64], training_count: NDArray[np.int64], strata: int
) -> tuple[int, int] | None:
    """For each half of the types, the sign that favours function words in the other half of the types."""
    types = early.groupby("piece_id")[["difference", "function"]].mean()
    is_function = (types["function"] >= 0.5).to_numpy()
    signs = []
    for half in (0, 1):
        other = fold[types.index] == 1 - half
        labels = is_function[other]
        if min(labels.sum(), (~labels).sum()) < FEWEST_TYPES:
            return None
        stratum = frequency_strata(training_count[types.index[other]], strata)
        area = stratified_auroc(types["difference"].to_numpy()[None, other], labels, stratum)[0]
        signs.append(1 if area >= 0.5 else -1)
    return signs[0], signs[1]


def _fixed_effects(table: pd.DataFrame) -> dict[str, Floats]:
    frequency = table["log_frequency"].to_numpy()
    frequency = (frequency - frequency.mean()) / frequency.std()
    effects = {
        "intercept": np.ones(len(table)),
        "class": table["function"].to_numpy(np.float64),
        "log frequency": frequency,
        "log frequency squared": frequency**2,
    }
    length = table["length"].to_numpy(np.float64)
    if np.ptp(length) > 0:  # otherwise it cannot be told from the intercept
        effects["length in pieces"] = length
    return effects | {"tower quality": table["quality"].to_numpy()}


def _explained(whole: MixedFit, without: MixedFit) -> float | None:
    """Proportional reduction of the variance between types, within runs and over them, and between runs' classes."""

    def between(fit: MixedFit) -> float:
        return fit.components["type"] + fit.components["run x type"] + fit.components["run x class"]

    return 1 - between(whole) / between(without) if between(without) > 0 else None
