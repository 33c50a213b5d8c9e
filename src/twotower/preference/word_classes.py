"""What each class of words prefers beyond frequency: profile, spread, share of variance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import AnalyzeConfig
from ..statistics.regression import residuals
from ..statistics.strata import FEWEST, frequency_bins, permutations_within, smooth_basis
from ..statistics.tallies import Floats, Tallies, ValuesOf, halves, resample, resample_within
from .class_contrasts import contrast_classes
from .class_variance import FEW_TYPES, explained, spread, spread_and_null
from .labelled import LEXICAL_AND_GRAMMATICAL, Units, annotated_labels, one_hot, units_of
from .measured import Measured

DRAWS, CHUNK = 400, 100
NULLS = 499
MOST_FREQUENT = 10
"""How many words are left out where the spread is taken a second time."""


def word_classes(measured: Measured) -> dict[str, Any] | None:
    """Profiles by part of speech and, where the corpus has them, by dependency relation and morphological feature.

    Returns `upos`, `deprel`, `features` (by name of the feature), each as `_of_labels` gives it, and `contrasts` of
    parts of speech (see `contrast_classes`); None for a single tower.
    """
    if measured.towers == 1:
        return None
    found: dict[str, Any] = {}
    units = units_of(measured, measured.upos, _signals(measured))
    found["upos"] = _of_labels(measured, units, LEXICAL_AND_GRAMMATICAL, "upos")
    found["contrasts"] = contrast_classes(measured, units)
    annotations = None if measured.text is None else measured.text.annotations
    for name, labels in annotated_labels(annotations):
        kind, _, feature = name.partition(" ")
        of = units_of(measured, labels, _signals(measured))
        part = _of_labels(measured, of, of.classes, name)
        if kind == "deprel":
            found["deprel"] = part
        else:
            found.setdefault("features", {})[feature] = part
    return found


def _signals(measured: Measured) -> Iterator[ValuesOf]:
    """The preferences, then the noise of each tower, of a stretch of the text."""
    for contrast in measured.contrasts:
        yield partial(measured.difference, contrast)
    for tower in range(1, measured.towers + 1):
        yield partial(measured.noise_difference, tower)


def _of_labels(measured: Measured, units: Units, spreading: Sequence[str], name: str) -> dict[str, Any] | None:
    """`profile`, `spread` and `explained` of one labelling; None where fewer than two classes have enough words.

    The spread has `without_most_frequent`, the same without the ten words that occur most (see there).

    Signals after the contrasts are the towers' noise: its largest spread and share are the noise floor. For more than
    two towers spread and share are root mean squares and means over the towers, and each class has a `tower` that
    takes it: the one whose preference for it lies furthest above the mean.
    """
    contrasts, settings = len(measured.contrasts), measured.settings
    counts = np.bincount(units.label, minlength=len(units.classes))
    enough = [one for one in spreading if one in units.classes and counts[units.classes.index(one)] >= FEW_TYPES]
    if len(enough) < 2:
        return None
    inner = units.only(enough)
    generator = measured.generator(f"word classes, {name}")
    first = halves(inner.tallies[0].documents, settings.splits, generator)
    orders = permutations_within(inner.strata, NULLS, generator)
    documents = resample(inner.tallies[0].documents, DRAWS, generator)
    words = resample_within(units.label, DRAWS, generator)
    inner_words = words[:, np.isin(np.asarray(units.classes)[units.label], enough)]
    each: list[dict[str, Any] | None] = [
        spread(tallies, inner, first, orders, documents, inner_words, settings.confidence) for tallies in inner.tallies
    ]
    rest = [_without_most_frequent(inner, tallies, first, settings) for tallies in inner.tallies[:contrasts]]
    frequent = inner.counts >= 2 * settings.min_count
    shares = [
        explained(tallies, inner, frequent, first, orders, documents, inner_words, settings.confidence)
        for tallies in inner.tallies
    ]
    found = _with_floor(each, contrasts, root=True)
    return {
        "classes": enough,
        "profile": _profile(measured, units, contrasts, documents, words, enough),
        "spread": found and found | {"without_most_frequent": _together(rest, root=True)},
        "explained": _with_floor(shares, contrasts, root=False),
    }


def _without_most_frequent(
    units: Units, tallies: Tallies, first: Floats, settings: AnalyzeConfig
) -> dict[str, Any] | None:
    """The spread of all words but the most frequent: whether a handful of them decides the test of the spread.

    There are few words as frequent as *the* and *of*. Whichever labels they exchange, one with a large preference
    leaves the classes far apart, so that the null is as large as the spread. None where two classes are not left.
    """
    kept = np.ones(len(units.label), dtype=bool)
    kept[np.argsort(-units.counts, kind="stable")[:MOST_FREQUENT]] = False
    rest = units.select(kept)
    if len(np.unique(rest.label)) < 2:
        return None
    strata = frequency_bins(rest.frequency, settings.frequency_ratio, FEWEST)
    orders = permutations_within(strata, NULLS, np.random.default_rng(len(strata)))
    return spread_and_null(tallies.select(kept), rest, first, orders, settings.confidence)


def _with_floor(each: list[dict[str, Any] | None], contrasts: int, root: bool) -> dict[str, Any] | None:
    """The figure of the preference with that of the noise beside it; over several contrasts their (root) mean square.

    Bounds and nulls of several are averaged alike, which is right where the towers' figures are of one size.
    """
    found = _together(each[:contrasts], root)
    if found is None:
        return None
    floors = [one for one in each[contrasts:] if one is not None]
    floor = max(floors, key=lambda one: one["estimate"]) if floors else None
    keys = ("estimate", "low", "high")
    return found | {"noise_floor": None if floor is None else {key: floor[key] for key in keys}}


def _together(each: Sequence[dict[str, Any] | None], root: bool) -> dict[str, Any] | None:
    """One figure of several contrasts: their (root) mean square."""
    known = [one for one in each if one is not None]
    if len(known) < 2:
        return known[0] if known else None
    return _pooled(known, root)


def _pooled(several: list[dict[str, Any]], root: bool) -> dict[str, Any]:
    def mean(values: list[float]) -> float:
        return float(np.sqrt(np.mean(np.square(values)))) if root else float(np.mean(values))

    found: dict[str, Any] = {}
    for key, value in several[0].items():
        if isinstance(value, dict):
            found[key] = _pooled([one[key] for one in several], root)
        else:
            values = [one[key] for one in several if one[key] is not None]
            found[key] = (float(np.median(values)) if key == "p_value" else mean(values)) if values else None
    return found


def _profile(
    measured: Measured, units: Units, contrasts: int, documents: Floats, words: Floats, enough: Sequence[str]
) -> list[dict[str, Any]]:
    """One row per class: its mean preference minus the mean of the spreading classes, over occurrences and over words.

    Intervals resample documents and words. `adjusted` is the mean over frequent words, each counted once, of what a
    spline of log frequency leaves of their preference.
    """
    hot = one_hot(units.label, len(units.classes))
    spreading = np.array([name in enough for name in units.classes])
    frequent = units.counts >= 2 * measured.settings.min_count
    counts = units.counts
    rows: list[dict[str, Any]] = [
        {
            "class": name, "types": int((units.label == number).sum()),
            "occurrences": int(counts[units.label == number].sum()), "in_spread": bool(spreading[number]),
            "few_types": bool((units.label == number).sum() < FEW_TYPES),
        }
        for number, name in enumerate(units.classes)
    ]  # fmt: skip
    confidence, several = measured.settings.confidence, contrasts > 1
    for contrast, tallies in zip(measured.contrasts, units.tallies[:contrasts], strict=True):
        means, adjusted = [], []
        every = np.ones((1, tallies.documents)), np.ones((1, len(units.label)))
        base = smooth_basis(units.frequency[frequent]) if frequent.any() else None
        if base is not None and frequent.sum() <= base.shape[1]:
            base = None  # a spline through every word would leave nothing of them
        for drawn_documents, drawn_words in (every, (documents, words)):
            for start in range(0, len(drawn_documents), CHUNK):
                part = slice(start, start + CHUNK)
                sums = np.asarray(drawn_documents[part] @ tallies.sums) * drawn_words[part]
                added = np.asarray(drawn_documents[part] @ tallies.counts) * drawn_words[part]
                s, n = sums @ hot, added @ hot
                with np.errstate(invalid="ignore", divide="ignore"):
                    means.append(s / n - (s[:, spreading].sum(axis=1) / n[:, spreading].sum(axis=1))[:, None])
                if base is not None:
                    adjusted.append(_adjusted(tallies, frequent, base, hot, drawn_documents[part], drawn_words[part]))
        for number, row in enumerate(rows):
            one = _with_interval(np.concatenate(means)[:, number], confidence)
            values: dict[str, Any] = {"mean": one[0], "low": one[1], "high": one[2], "adjusted": None}
            if adjusted:
                estimate, low, high = _with_interval(np.concatenate(adjusted)[:, number], confidence)
                values["adjusted"] = {"mean": estimate, "low": low, "high": high}
            if several:
                row.setdefault("towers", []).append({"tower": contrast.tower, **values})
            else:
                row.update(values)
    for row in rows:
        if several:
            row["tower"] = max(row["towers"], key=lambda one: float(one["mean"]))["tower"]
    return rows


def _adjusted(
    tallies: Tallies, frequent: NDArray[np.bool_], base: Floats, hot: Floats, documents: Floats, words: Floats
) -> Floats:
    """Mean residual of the frequent words of each class, (draws, classes); NaN for classes without any."""
    means, _ = tallies.select(frequent).means(documents)
    weights = words[:, frequent] * np.isfinite(means)
    left = residuals(means, weights, base)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = ((weights * left) @ hot[frequent]) / (weights @ hot[frequent])
    return found


def _with_interval(values: Floats, confidence: float) -> tuple[float, float, float]:
    """The first value with the percentile interval of the others."""
    drawn = values[1:][np.isfinite(values[1:])]
    if len(drawn) < 20 or not np.isfinite(values[0]):
        return float(values[0]), np.nan, np.nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(values[0]), float(low), float(high)
