"""What each class of words prefers beyond frequency: profile, share of variance, planned contrasts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..statistics.intervals import percentile_interval
from ..statistics.regression import residuals
from ..statistics.strata import smooth_basis
from ..statistics.tallies import Floats, Tallies, halves, mean_of, resample, resample_within
from .class_contrasts import contrast_classes
from .class_variance import FEW_TYPES, explained
from .labelled import LEXICAL_AND_GRAMMATICAL, Units, annotated_labels, one_hot, units_of
from .measured import Measured

CHUNK = 100
"""Draws at a time."""


def word_classes(measured: Measured) -> dict[str, Any] | None:
    """Profiles by part of speech and, where the corpus has them, by dependency relation and morphological feature.

    Returns `upos`, `deprel`, `features` (by name of the feature), each as `_of_labels` gives it, and `contrasts` of
    parts of speech (see `contrast_classes`); None for a single tower.
    """
    if measured.towers == 1:
        return None
    found: dict[str, Any] = {}
    units = _units(measured, measured.upos)
    found["upos"] = _of_labels(measured, units, LEXICAL_AND_GRAMMATICAL, "upos")
    means = mean_of(units.tallies[: len(measured.sets)])
    found["contrasts"] = contrast_classes(measured, units, means)
    annotations = None if measured.text is None else measured.text.annotations
    for name, labels in annotated_labels(annotations):
        kind, _, feature = name.partition(" ")
        of = _units(measured, labels)
        part = _of_labels(measured, of, of.classes, name)
        if kind == "deprel":
            found["deprel"] = part
        else:
            found.setdefault("features", {})[feature] = part
    return found


def _units(measured: Measured, labels: Any) -> Units:
    """Words with their preference under each set of readouts, contrast by contrast."""
    signals = [
        partial(measured.difference, contrast, readouts=name) for contrast in measured.contrasts
        for name in measured.sets
    ]  # fmt: skip
    return units_of(measured, labels, signals)


def _of_labels(measured: Measured, units: Units, compared: Sequence[str], name: str) -> dict[str, Any] | None:
    """`classes`, `profile` and `explained` of one labelling; None where fewer than two classes have enough words.

    For more than two towers `explained` is the mean over the towers, and each class has a `tower` that takes it: the
    one whose preference for it lies furthest above the mean.
    """
    settings = measured.settings
    counts = np.bincount(units.label, minlength=len(units.classes))
    enough = [one for one in compared if one in units.classes and counts[units.classes.index(one)] >= FEW_TYPES]
    if len(enough) < 2:
        return None
    inner = units.only(enough)
    generator = measured.generator(f"word classes, {name}")
    first = halves(inner.tallies[0].documents, settings.splits, generator)
    documents = resample(inner.tallies[0].documents, settings.bootstrap, generator)
    words = resample_within(units.label, settings.bootstrap, generator)
    inner_words = words[:, np.isin(np.asarray(units.classes)[units.label], enough)]
    frequent = inner.counts >= 2 * settings.min_count
    shares = [
        explained(
            mean_of(sets), sets, inner, frequent, first, settings.permutations, documents, inner_words,
            settings.confidence,
        )
        for sets in _by_contrast(measured, inner.tallies)
    ]  # fmt: skip
    known = [one for one in shares if one is not None]
    return {
        "classes": enough,
        "profile": _profile(measured, units, documents, words, enough),
        "explained": _mean(known) if known else None,
    }


def _by_contrast(measured: Measured, tallies: Sequence[Tallies]) -> list[list[Tallies]]:
    """The preferences under each set of readouts, for each contrast."""
    sets = len(measured.sets)
    return [list(tallies[start : start + sets]) for start in range(0, len(tallies), sets)]


def _mean(several: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean of the figures of several contrasts, and of their bounds and nulls; the median of their p-values."""
    if len(several) == 1:
        return several[0]
    found: dict[str, Any] = {}
    for key, value in several[0].items():
        if isinstance(value, dict):
            found[key] = _mean([one[key] for one in several])
        else:
            values = [one[key] for one in several if one[key] is not None]
            found[key] = float(np.median(values) if key == "p_value" else np.mean(values)) if values else None
    return found


def _profile(
    measured: Measured, units: Units, documents: Floats, words: Floats, enough: Sequence[str]
) -> list[dict[str, Any]]:
    """One row per class: its `mean` preference minus that of the compared classes, and that beyond frequency.

    `adjusted` is the mean over frequent words, each counted once, of what a spline of log frequency leaves of their
    preference, with an interval and standard error from resampled documents and words. Its `p_value` is Student's, with
    words less one as degrees of freedom; its `q_value` is the false-discovery rate over the compared classes; `sets`
    has it under each set of readouts, and it is `sure` if q is up to 1 - confidence and all sets agree in its sign.
    """
    hot = one_hot(units.label, len(units.classes))
    compared = np.array([name in enough for name in units.classes])
    frequent = units.counts >= 2 * measured.settings.min_count
    counts, words_of = units.counts, np.bincount(units.label, minlength=len(units.classes))
    usable = np.bincount(units.label[frequent], minlength=len(units.classes))
    rows: list[dict[str, Any]] = [
        {
            "class": name, "types": int(words_of[number]), "occurrences": int(counts[units.label == number].sum()),
            "compared": bool(compared[number]),
        }
        for number, name in enumerate(units.classes)
    ]  # fmt: skip
    base = smooth_basis(units.frequency[frequent]) if frequent.any() else None
    if base is not None and frequent.sum() <= base.shape[1]:
        base = None  # a spline through every word would leave nothing of them
    every = np.ones((1, units.tallies[0].documents)), np.ones((1, len(units.label)))
    for contrast, sets in zip(measured.contrasts, _by_contrast(measured, units.tallies), strict=True):
        tallies = mean_of(sets)
        sums, occurrences = (np.asarray(one.sum(axis=0)).ravel() @ hot for one in (tallies.sums, tallies.counts))
        with np.errstate(invalid="ignore", divide="ignore"):
            means = sums / occurrences - sums[compared].sum() / occurrences[compared].sum()
        adjusted: list[dict[str, Any] | None] = [None] * len(rows)
        if base is not None:
            estimate, *under = (_adjusted(one, frequent, base, hot, *every)[0] for one in (tallies, *sets))
            drawn = np.concatenate([
                _adjusted(tallies, frequent, base, hot, documents[start : start + CHUNK], words[start : start + CHUNK])
                for start in range(0, len(documents), CHUNK)
            ])  # fmt: skip
            adjusted = _tested(estimate, np.stack(under), drawn, usable, compared, measured.settings.confidence)
        for row, mean, beyond in zip(rows, means.tolist(), adjusted, strict=True):
            values = {"mean": mean, "adjusted": beyond}
            if len(measured.contrasts) > 1:
                row.setdefault("towers", []).append({"tower": contrast.tower, **values})
            else:
                row.update(values)
    for row in rows:
        if len(measured.contrasts) > 1:
            row["tower"] = max(row["towers"], key=_preferred)["tower"]
    return rows


def _preferred(of_tower: dict[str, Any]) -> float:
    return float((of_tower["adjusted"] or of_tower)["mean"])


def _tested(
    estimate: Floats, sets: Floats, drawn: Floats, words: NDArray[np.int64], compared: NDArray[np.bool_],
    confidence: float,
) -> list[dict[str, Any] | None]:  # fmt: skip
    """The adjusted mean of each class with its test; None without a frequent word."""
    n = np.maximum(words, 2)
    deviations = np.array([known.std() if len(known := of[np.isfinite(of)]) else np.nan for of in drawn.T])
    with np.errstate(invalid="ignore", divide="ignore"):
        # Words drawn from n vary by a factor of (n - 1) / n less than words do.
        error = deviations * np.sqrt(n / (n - 1))
        p_values = np.asarray(2 * stats.t.sf(np.abs(estimate / error), n - 1))
    tested = compared & (words > 1) & np.isfinite(p_values)
    q_values = np.full(len(estimate), np.nan)
    if tested.any():
        q_values[tested] = stats.false_discovery_control(p_values[tested], method="bh")
    found: list[dict[str, Any] | None] = []
    for number, value in enumerate(estimate.tolist()):
        if not np.isfinite(value):
            found.append(None)
            continue
        interval = percentile_interval(value, drawn[:, number], confidence)
        agree = bool(abs(np.sign(sets[:, number]).sum()) == len(sets))
        found.append({
            "mean": value, "low": interval.low, "high": interval.high, "sets": sets[:, number].tolist(),
            "p_value": float(p_values[number]) if tested[number] else None,
            "q_value": float(q_values[number]) if tested[number] else None,
            "sure": bool(tested[number] and q_values[number] <= 1 - confidence and agree),
        })  # fmt: skip
    return found


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
