"""How much of preference word class explains beyond frequency: a mixed-effects model over several runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
from ..statistics.strata import frequency_bins
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
    runs: Sequence[Observed],
    min_count: int,
    ratio: float,
    confidence: float,
    generator: np.random.Generator,
    classes: tuple[Collection[str], Collection[str]] = (FUNCTION, CONTENT),
) -> dict[str, Any] | None:
    """A linear mixed-effects model of the log-probability difference between towers, over the runs of one group.

    Fixed effects: class of the word (1 the first of `classes`, 0 the second), log training frequency of the type
    (standardized) and its square, length of the word in pieces, and by how much the tower is the better one in its run.
    Random effects: run, run x class, run x document, type, run x type.

    Which tower is the one of the first class is chosen for each run on one half of the documents and one half of the
    types; the model is fitted to the other documents and the other types. So neither the choice nor what is peculiar to
    a type makes an effect where there is none. The halves of the types change places, which gives two fits;
    coefficients are averaged, and their standard errors take into account that the fits share their runs. The interval
    and the p-value of the class effect are those of Student's t with as many degrees of freedom as there are runs, less
    one: runs are what it is generalized over.

    Args:
        runs: runs of the same text with the same pieces.
        min_count: a type enters if it occurs twice as often as this in every run.
        ratio: of the training frequencies of types that are compared for the choice of the tower.
        confidence: of the interval.
        generator: halves documents and types, and draws the types.
        classes: two sets of parts of speech.

    Returns:
        `class`: the effect in nats with its interval, degrees of freedom and p-value; `fixed`: all coefficients with
        their standard errors; `components`: variances of the random effects and the residual; `marginal_r2` with and
        without class; `between_types`: the share of the variance between types that class explains beyond the other
        fixed effects; and the numbers of runs, types, documents and occurrences. None for fewer than three runs, or too
        few types of either class.
    """
    if len(runs) < FEWEST_RUNS:
        return None
    tables = _tables(runs, min_count, ratio, generator, classes)
    if tables is None:
        return None
    fits = [(_fit(table, with_class=True), _fit(table, with_class=False)) for table in tables]
    whole = [fit for fit, _ in fits]
    names = [name for name in whole[0].coefficients if name in whole[1].coefficients]
    fixed = {
        name: {
            "estimate": float(np.mean([fit.coefficients[name] for fit in whole])),
            "error": _error_of_mean(whole, name, len(runs)),
        }
        for name in names
    }
    freedom = len(runs) - 1
    estimate, error = fixed["class"]["estimate"], fixed["class"]["error"]
    reach = float(stats.t.ppf((1 + confidence) / 2, freedom)) * error
    explained = [share for fit, without in fits if (share := _explained(fit, without)) is not None]
    both = pd.concat(tables)
    return {
        "class": {
            "estimate": estimate, "low": estimate - reach, "high": estimate + reach, "degrees_of_freedom": freedom,
            "p_value": float(2 * stats.t.sf(abs(estimate / error), freedom)),
        },
        "fixed": fixed,
        "components": {
            **{name: float(np.mean([fit.components[name] for fit in whole])) for name in whole[0].components},
            "residual": float(np.mean([fit.residual for fit in whole])),
        },
        "marginal_r2": {
            "with_class": float(np.mean([fit.marginal_r2 for fit, _ in fits])),
            "without_class": float(np.mean([without.marginal_r2 for _, without in fits])),
        },
        "between_types": float(np.mean(explained)) if explained else None,
        "runs": len(runs),
        "types": int(both["piece_id"].nunique()),
        "documents": int(both["document"].nunique()),
        "occurrences": len(both),
    }  # fmt: skip


def _fit(table: pd.DataFrame, with_class: bool) -> MixedFit:
    fixed = _fixed_effects(table)
    if not with_class:
        del fixed["class"]
    run = table["run"]
    random = {
        "run": pd.factorize(run)[0],
        "run x class": pd.factorize(run * 2 + table["first"])[0],
        "run x document": pd.factorize(run * (table["document"].max() + 1) + table["document"])[0],
        "run x type": pd.factorize(run * (table["piece_id"].max() + 1) + table["piece_id"])[0],
        "type": pd.factorize(table["piece_id"])[0],
    }
    return fit_mixed(table["aligned"].to_numpy(np.float64), fixed, random)


def word_lengths(document: NDArray[np.integer], piece: Sequence[str]) -> NDArray[np.int64]:
    """For each occurrence, in the order of the text, the number of pieces of the word that it is a part of."""
    begins = ~pd.Series(piece, dtype=str).str.startswith(PREFIX).to_numpy()
    begins[1:] |= document[1:] != document[:-1]
    begins[:1] = True
    word = np.cumsum(begins) - 1
    lengths: NDArray[np.int64] = np.bincount(word)[word]
    return lengths


def _tables(
    runs: Sequence[Observed],
    min_count: int,
    ratio: float,
    generator: np.random.Generator,
    classes: tuple[Collection[str], Collection[str]],
) -> list[pd.DataFrame] | None:
    """For each half of the types, one row per occurrence of the documents and types that did not choose the tower.

    `aligned` is the difference in favour of the tower of the first class, `quality` by how much it is the better one on
    the documents and types that chose it. None where a half has too few types of a class.
    """
    frames = [_prepared(run, classes) for run in runs]
    counts = [np.bincount(frame["piece_id"], minlength=len(runs[0].training_count)) for frame in frames]
    frequent = np.flatnonzero(np.min(counts, axis=0) >= 2 * min_count)
    chosen = np.sort(generator.permutation(frequent)[:TYPES])
    documents = np.unique(frames[0]["document"])
    choosing = documents[np.isin(documents, generator.permutation(documents)[: len(documents) // 2])]
    half = np.full(len(runs[0].training_count), -1)
    half[chosen] = generator.permutation(np.arange(len(chosen)) % 2)
    tables = []
    for fitted in (0, 1):
        parts = []
        for number, (frame, run) in enumerate(zip(frames, runs, strict=True)):
            early = frame["document"].isin(choosing).to_numpy()
            side = half[frame["piece_id"]]
            deciding = frame[early & (side == 1 - fitted)]
            sign = _sign(deciding, run.training_count, ratio)
            if sign is None:
                return None
            part = frame[~early & (side == fitted)].assign(run=number)
            part["aligned"] = sign * part["difference"]
            part["quality"] = sign * deciding["difference"].mean()
            part["log_frequency"] = np.log(run.training_count[part["piece_id"]] + 1.0)
            parts.append(part)
        tables.append(pd.concat(parts, ignore_index=True))
    return tables


def _prepared(run: Observed, classes: tuple[Collection[str], Collection[str]]) -> pd.DataFrame:
    """The occurrences in words of either class, with `first` (1 for the first) and `length`."""
    scores = run.scores
    upos = scores["upos"].astype(str)
    first, second = (upos.isin(list(one)).to_numpy() for one in classes)
    length = word_lengths(scores["document"].to_numpy(), scores["piece"].astype(str).tolist())
    frame = scores[["document", "piece_id", "difference"]].assign(first=first.astype(np.int64), length=length)
    return frame[first | second]


def _sign(deciding: pd.DataFrame, training_count: NDArray[np.int64], ratio: float) -> int | None:
    """1 if tower 1 is the better one at the first class among types of like frequency, -1 if tower 2 is."""
    types = deciding.groupby("piece_id")[["difference", "first"]].mean()
    first = (types["first"] >= 0.5).to_numpy()
    if min(first.sum(), (~first).sum()) < FEWEST_TYPES:
        return None
    bins = frequency_bins(training_count[types.index], ratio)
    area = stratified_auroc(types["difference"].to_numpy()[None], first, bins)[0]
    return -1 if area < 0.5 else 1


def _error_of_mean(fits: Sequence[MixedFit], name: str, runs: int) -> float:
    """Standard error of a coefficient's mean over the two fits, which share runs but neither types nor occurrences.

    What runs do to a class (two levels in each run) is the same in both; the rest is independent.
    """
    between_runs = (
        2 * float(np.mean([fit.components["run x class"] for fit in fits])) / runs if name == "class" else 0.0
    )
    own = [max(fit.errors[name] ** 2 - between_runs, 0.0) for fit in fits]
    return float(np.sqrt(between_runs + sum(own) / len(fits) ** 2))


def _fixed_effects(table: pd.DataFrame) -> dict[str, Floats]:
    frequency = table["log_frequency"].to_numpy()
    frequency = (frequency - frequency.mean()) / frequency.std()
    effects = {
        "intercept": np.ones(len(table)),
        "class": table["first"].to_numpy(np.float64),
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
