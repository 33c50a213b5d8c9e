"""What each class of words prefers beyond frequency: profile, spread, share of variance, contrasts of classes.

The unit is a *word*: a type with a label, so that `to` as particle and `to` as adposition are two. Only whole words
count here; `explained_by.py` has the pieces of longer words as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..data.tagging import CONTENT, FUNCTION, NO_WORD
from ..statistics.intervals import centred_interval
from ..statistics.ranking import auroc_of_labels, matched, ranks_in_strata, stratified_auroc
from ..statistics.regression import omega_squared, residuals
from ..statistics.strata import FEWEST, frequency_bins, permutations_within, smooth_basis
from ..statistics.tallies import Floats, Tallies, halves, resample, resample_within, tally
from .measured import Measured

LEXICAL_AND_GRAMMATICAL = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "NOUN", "PART", "PRON", "PROPN", "SCONJ", "VERB",
)  # fmt: skip
"""The parts of speech of which the spread is taken. Numbers, symbols, punctuation and interjections are in the profile
only: what sets them apart need be neither syntax nor meaning."""
NOMINAL, VERBAL = frozenset({"NOUN", "PROPN", "NUM", "SYM"}), frozenset({"AUX", "VERB", "PART"})
PLANNED = {"nominal against verbal and grammatical": (NOMINAL, VERBAL), "function against content": (FUNCTION, CONTENT)}
"""Contrasts of parts of speech that were planned (docs/hypotheses.md), or asked from the start."""
FEW_TYPES = 3
"""Classes with fewer words are marked in the profile, and take no part in spread and share of variance."""
FEWEST_CONTRASTED = 10
DRAWS, CHUNK = 400, 100
NULLS = 499


@dataclass(frozen=True)
class Units:
    """Labelled words, with each signal added up by document and word."""

    classes: tuple[str, ...]
    label: NDArray[np.int64]
    """Class of each word, (words,)."""
    piece: NDArray[np.int64]
    """Piece id of each word, (words,)."""
    frequency: Floats
    """Training count of the type times the label's share of its held-out occurrences, (words,)."""
    strata: NDArray[np.int64]
    """Bin of frequency within which labels are permuted, (words,)."""
    tallies: list[Tallies]
    """One per signal."""

    @property
    def counts(self) -> Floats:
        """Held-out occurrences of each word, (words,)."""
        return np.asarray(self.tallies[0].counts.sum(axis=0)).ravel()

    def select(self, chosen: NDArray[np.bool_]) -> Units:
        """Only the words in the mask, (words,)."""
        return Units(
            self.classes, self.label[chosen], self.piece[chosen], self.frequency[chosen], self.strata[chosen],
            [one.select(chosen) for one in self.tallies],
        )  # fmt: skip

    def only(self, classes: Sequence[str]) -> Units:
        """Only the words of these classes, numbered in this order."""
        numbers = np.full(len(self.classes), -1)
        for number, name in enumerate(classes):
            numbers[self.classes.index(name)] = number
        label = numbers[self.label]
        chosen = self.select(label >= 0)
        return Units(tuple(classes), label[label >= 0], chosen.piece, chosen.frequency, chosen.strata, chosen.tallies)


def units_of(measured: Measured, labels: NDArray[np.object_], signals: Sequence[Floats]) -> Units:
    """Words from a label for each occurrence (`_`: none), (occurrences,), and signals of the same shape.

    Only occurrences that are whole words count.
    """
    kept = measured.scores["whole_word"].to_numpy(bool) & (labels != NO_WORD) & (labels != "")
    names, label = np.unique(labels[kept].astype(str), return_inverse=True)
    word, number = np.unique(measured.piece[kept] * max(1, len(names)) + label, return_inverse=True)
    piece, label = np.divmod(word, max(1, len(names)))
    share = np.bincount(number, minlength=len(word)) / np.maximum(measured.counts[piece], 1)
    frequency = measured.frequencies[piece] * share
    strata = frequency_bins(frequency, measured.settings.frequency_ratio, FEWEST)
    tallies = [
        tally(measured.document[kept], number, signal[kept], len(word), measured.documents) for signal in signals
    ]
    return Units(tuple(names.tolist()), label, piece, frequency, strata, tallies)


def word_classes(measured: Measured) -> dict[str, Any] | None:
    """Profiles by part of speech and, where the corpus has them, by dependency relation and morphological feature.

    Returns `upos`, `deprel`, `features` (by name of the feature), each as `_of_labels` gives it, and `contrasts` of
    parts of speech (see `contrast_classes`); None for a single tower.
    """
    if measured.towers == 1:
        return None
    signals = [measured.difference(contrast) for contrast in measured.contrasts]
    noise = [measured.noise_difference(tower) for tower in range(1, measured.towers + 1)]
    found: dict[str, Any] = {}
    units = units_of(measured, measured.upos, [*signals, *noise])
    found["upos"] = _of_labels(measured, units, LEXICAL_AND_GRAMMATICAL, "upos")
    found["contrasts"] = contrast_classes(measured, units)
    annotations = None if measured.text is None else measured.text.annotations
    for name, labels in _annotated(annotations).items():
        kind, _, feature = name.partition(" ")
        of = units_of(measured, labels, [*signals, *noise])
        part = _of_labels(measured, of, of.classes, name)
        if kind == "deprel":
            found["deprel"] = part
        else:
            found.setdefault("features", {})[feature] = part
    return found


def _annotated(annotations: Any) -> dict[str, NDArray[np.object_]]:
    """By name, `deprel` or `feature NAME`, the label of each occurrence; features have a value or `_`."""
    found: dict[str, NDArray[np.object_]] = {}
    if annotations is None:
        return found
    if "deprel" in annotations:
        found["deprel"] = annotations["deprel"].astype(str).to_numpy(dtype=object)
    if "feats" in annotations:
        texts = annotations["feats"].astype(str)
        each = {text: dict(one.split("=", 1) for one in text.split("|") if "=" in one) for text in texts.unique()}
        for feature in sorted({name for values in each.values() for name in values}):
            known = {text: values.get(feature, NO_WORD) for text, values in each.items()}
            found[f"feature {feature}"] = texts.map(known).to_numpy(dtype=object)
    return found


def _of_labels(measured: Measured, units: Units, spreading: Sequence[str], name: str) -> dict[str, Any] | None:
    """`profile`, `spread` and `explained` of one labelling; None where fewer than two classes have enough words.

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
        _spread(tallies, inner, first, orders, documents, inner_words, settings.confidence) for tallies in inner.tallies
    ]
    frequent = inner.counts >= 2 * settings.min_count
    shares = [
        _explained(tallies, inner, frequent, first, orders, documents, inner_words, settings.confidence)
        for tallies in inner.tallies
    ]
    return {
        "classes": enough,
        "profile": _profile(measured, units, contrasts, documents, words, enough),
        "spread": _with_floor(each, contrasts, root=True),
        "explained": _with_floor(shares, contrasts, root=False),
    }


def _with_floor(each: list[dict[str, Any] | None], contrasts: int, root: bool) -> dict[str, Any] | None:
    """The figure of the preference with that of the noise beside it; over several contrasts their (root) mean square.

    Bounds and nulls of several are averaged alike, which is right where the towers' figures are of one size.
    """
    mine = [one for one in each[:contrasts] if one is not None]
    if not mine:
        return None
    floors = [one for one in each[contrasts:] if one is not None]
    found = mine[0] if len(mine) == 1 else _pooled(mine, root)
    floor = max(floors, key=lambda one: one["estimate"]) if floors else None
    keys = ("estimate", "low", "high")
    return found | {"noise_floor": None if floor is None else {key: floor[key] for key in keys}}


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


def _one_hot(label: NDArray[np.int64], classes: int) -> Floats:
    found: Floats = (label[:, None] == np.arange(classes)).astype(np.float64)
    return found


def _spread(
    tallies: Tallies, units: Units, first: Floats, orders: NDArray[np.int64], documents: Floats, words: Floats,
    confidence: float,
) -> dict[str, Any]:  # fmt: skip
    """Standard deviation of the class means, weighted by occurrences, in nats.

    Class means of two halves of the documents are multiplied, so that what is measured badly adds nothing: without an
    effect the mean of their products is 0 (its root is taken as 0 where it is negative). The null gives the labels to
    other words of the same bin of frequency. The interval resamples documents and words.
    """
    hot = _one_hot(units.label, len(units.classes))
    estimate = _spread_of(tallies, first, None, None, hot)
    drawn = []
    for start in range(0, len(documents), CHUNK):
        part = slice(start, start + CHUNK)
        splits = np.resize(first, (len(documents[part]), first.shape[1]))
        drawn.append(_spread_of_each(tallies, splits, documents[part], words[part], hot))
    # A resample of words adds spread of its own, whatever the classes: the draws are centred.
    low, high = centred_interval(estimate, np.concatenate(drawn), confidence)
    null = _null_spreads(tallies, first, units, orders)
    return {
        "estimate": estimate, "low": max(low, 0.0) if np.isfinite(low) else low, "high": high,
        "null": {"mean": float(null.mean()), "high": float(np.quantile(null, confidence))},
        "p_value": float((1 + (null >= estimate - 1e-12).sum()) / (1 + len(null))),
    }  # fmt: skip


def _spread_of(tallies: Tallies, first: Floats, documents: Floats | None, words: Floats | None, hot: Floats) -> float:
    """One figure over all splits."""
    weights = first if documents is None else first * documents
    other = (1 - first) if documents is None else (1 - first) * documents
    sums = [np.asarray(one @ tallies.sums) for one in (weights, other)]
    counts = [np.asarray(one @ tallies.counts) for one in (weights, other)]
    if words is not None:
        sums, counts = [one * words for one in sums], [one * words for one in counts]
    products = _products([one @ hot for one in sums], [one @ hot for one in counts])
    return _root(float(np.nanmean(products)))


def _spread_of_each(tallies: Tallies, first: Floats, documents: Floats, words: Floats, hot: Floats) -> Floats:
    """One figure per draw, each with a split and weights of its own; (draws,)."""
    sides = (first * documents, (1 - first) * documents)
    sums = [(np.asarray(one @ tallies.sums) * words) @ hot for one in sides]
    counts = [(np.asarray(one @ tallies.counts) * words) @ hot for one in sides]
    products = _products(sums, counts)
    found: Floats = np.sqrt(np.maximum(products, 0.0))
    return found


def _products(sums: list[Floats], counts: list[Floats]) -> Floats:
    """Mean over classes, weighted by occurrences, of the product of the two halves' deviations; (splits,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [np.where(n > 0, s / n, np.nan) for s, n in zip(sums, counts, strict=True)]
        overall = [s.sum(axis=-1) / n.sum(axis=-1) for s, n in zip(sums, counts, strict=True)]
    share = counts[0] + counts[1]
    share = share / share.sum(axis=-1, keepdims=True)
    deviations = [mean - whole[..., None] for mean, whole in zip(means, overall, strict=True)]
    found: Floats = np.nansum(share * deviations[0] * deviations[1], axis=-1)
    return found


def _root(value: float) -> float:
    return float(np.sqrt(max(value, 0.0)))


def _null_spreads(tallies: Tallies, first: Floats, units: Units, orders: NDArray[np.int64]) -> Floats:
    """The spread under each permutation of the labels, (permutations,)."""
    sides = (first, 1 - first)
    stacked = np.vstack([np.asarray(one @ part) for part in (tallies.sums, tallies.counts) for one in sides])
    splits, classes = len(first), len(units.classes)
    found = np.empty(len(orders))
    for number, order in enumerate(orders):
        added = stacked @ _one_hot(units.label[order], classes)
        sums, counts = (
            [added[:splits], added[splits : 2 * splits]],
            [added[2 * splits : 3 * splits], added[3 * splits :]],
        )
        found[number] = _root(float(np.nanmean(_products(sums, counts))))
    return found


def _explained(
    tallies: Tallies, units: Units, frequent: NDArray[np.bool_], first: Floats, orders: NDArray[np.int64],
    documents: Floats, words: Floats, confidence: float,
) -> dict[str, Any] | None:  # fmt: skip
    """Share of the variance between words that class explains beyond a spline of log frequency (omega squared).

    Only frequent words count, each as one. `of_reliable` divides it by the reliability of the words' means (residuals
    of the same spline, halves of the documents, Spearman and Brown): what no predictor could reach is left out.
    """
    label = units.label[frequent]
    kept = np.bincount(label, minlength=len(units.classes)) >= FEW_TYPES
    frequent = frequent & kept[units.label]
    label = np.unique(units.label[frequent], return_inverse=True)[1]
    classes = int(kept.sum())
    base = smooth_basis(units.frequency[frequent])
    if classes < 2 or frequent.sum() < 3 * (classes + base.shape[1]):
        return None
    hot, part = _one_hot(label, classes), tallies.select(frequent)
    ones = np.ones((1, int(frequent.sum())))
    values = part.means(np.ones((1, part.documents)))[0]
    estimate = float(omega_squared(values, ones, base, hot)[0])
    drawn = []
    for start in range(0, len(documents), CHUNK):
        chosen = slice(start, start + CHUNK)
        means, _ = part.means(documents[chosen])
        weights = words[chosen][:, frequent] * np.isfinite(means)
        drawn.append(omega_squared(means, weights, base, hot))
    low, high = centred_interval(estimate, np.concatenate(drawn), confidence)
    # Labels move among all words of a bin, and frequent ones keep to themselves: bins hold words of like frequency.
    inside = permutations_within(units.strata[frequent], len(orders), np.random.default_rng(len(label)))
    null = np.array([omega_squared(values, ones, base, hot[order])[0] for order in inside])
    reliable = _reliability(part, base, first)
    return {
        "estimate": estimate, "low": low, "high": high,
        "null": {"mean": float(null.mean()), "high": float(np.quantile(null, confidence))},
        "p_value": float((1 + (null >= estimate - 1e-12).sum()) / (1 + len(null))),
        "of_reliable": estimate / reliable if reliable > 0.05 else None,
        "reliability": reliable, "types": int(frequent.sum()),
    }  # fmt: skip


def _reliability(part: Tallies, base: Floats, first: Floats) -> float:
    """Spearman and Brown's reliability of the words' means beyond frequency, mean over splits; at least 0."""
    sides = [part.means(side)[0] for side in (first, 1 - first)]
    weights = np.isfinite(sides[0]) & np.isfinite(sides[1])
    a, b = (residuals(side, weights.astype(np.float64), base) for side in sides)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    mean = float(np.nanmean(r)) if np.isfinite(r).any() else 0.0
    return 2 * mean / (1 + mean) if mean > 0 else 0.0


def _profile(
    measured: Measured, units: Units, contrasts: int, documents: Floats, words: Floats, enough: Sequence[str]
) -> list[dict[str, Any]]:
    """One row per class: its mean preference minus the mean of the spreading classes, over occurrences and over words.

    Intervals resample documents and words. `adjusted` is the mean over frequent words, each counted once, of what a
    spline of log frequency leaves of their preference.
    """
    hot = _one_hot(units.label, len(units.classes))
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


def contrast_classes(measured: Measured, units: Units) -> dict[str, Any]:
    """Areas under the ROC curve between classes of words of like frequency: the planned contrasts, and all pairs.

    The area is the probability that a word of the first class has the higher preference (for tower 1 of two) than one
    of the second whose training frequency differs by a factor up to `frequency_ratio`; words without such a counterpart
    are left out and counted. Two-sided p by permutation of the labels within bins of frequency; q over the pairs. The
    interval resamples documents and words. Returns `planned` and `pairs`, one row each; only for two towers, since a
    contrast of each of several would be a family of its own.
    """
    settings = measured.settings
    if measured.towers != 2:
        return {"planned": [], "pairs": []}
    frequent = units.select(units.counts >= 2 * settings.min_count)
    names = np.asarray(units.classes)[frequent.label]
    generator = measured.generator("contrasts")
    planned = []
    for name, (first, second) in PLANNED.items():
        row = _contrast(measured, frequent, np.isin(names, list(first)), np.isin(names, list(second)),
                        settings.bootstrap, settings.permutations, generator)  # fmt: skip
        planned.append({"contrast": name, "first": sorted(first), "second": sorted(second), **row})
    sizes = {name: int((names == name).sum()) for name in units.classes}
    classes = [name for name in LEXICAL_AND_GRAMMATICAL if sizes.get(name, 0) >= FEWEST_CONTRASTED]
    pairs = [
        {"first": one, "second": other,
         **_contrast(measured, frequent, names == one, names == other, DRAWS // 2, NULLS, generator)}
        for one, other in combinations(classes, 2)
    ]  # fmt: skip
    known = [pair for pair in pairs if np.isfinite(pair["p_value"])]
    if known:
        adjusted = stats.false_discovery_control([pair["p_value"] for pair in known], method="bh")
        for pair, q_value in zip(known, adjusted, strict=True):
            pair["q_value"] = float(q_value)
    return {"planned": planned, "pairs": pairs}


def _contrast(
    measured: Measured, units: Units, first: NDArray[np.bool_], second: NDArray[np.bool_], draws: int,
    permutations: int, generator: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    chosen = first | second
    strata = frequency_bins(units.frequency[chosen], measured.settings.frequency_ratio)
    label = first[chosen]
    counterpart = matched(label, strata)
    tallies = units.tallies[0].select(chosen).select(counterpart)
    label, strata = label[counterpart], strata[counterpart]
    row: dict[str, Any] = {
        "first_types": int(label.sum()), "second_types": int((~label).sum()),
        "unmatched": int((~counterpart).sum()), "auroc": np.nan, "low": np.nan, "high": np.nan, "p_value": np.nan,
    }  # fmt: skip
    if not label.any() or label.all():
        return row
    values = tallies.means(np.ones((1, tallies.documents)))[0]
    estimate = float(stratified_auroc(values, label, strata)[0])
    drawn = []
    for start in range(0, draws, CHUNK):
        size = min(CHUNK, draws - start)
        means, _ = tallies.means(resample(tallies.documents, size, generator))
        words = resample_within(label.astype(np.int64), size, generator)
        drawn.append(stratified_auroc(means, label, strata, words))
    low, high = centred_interval(estimate, np.concatenate(drawn), measured.settings.confidence)
    labels = label[permutations_within(strata, permutations, generator)].T.astype(np.float64)
    null = auroc_of_labels(*ranks_in_strata(values, strata), labels, strata)[0]
    beyond = int((np.abs(null - 0.5) >= abs(estimate - 0.5) - 1e-12).sum())
    return row | {"auroc": estimate, "low": low, "high": high, "p_value": (1 + beyond) / (1 + permutations)}
