"""What the report shows, as plain data."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..config.schema import RunConfig
from ..data.tagging import CONTENT, FUNCTION, NO_WORD
from ..preference.class_variance import FEW_TYPES
from ..preference.measured import SETS
from ..results.results import Results, results_in
from ..runs.provenance import Provenance, read_provenance
from ..statistics.contrasts import Contrast, contrasts
from ..training.metrics import Trained, read_trained
from .finding import row_name
from .passages import Passage, ShadedText, WordInSentences, passages, words_in_sentences
from .sheet import Plate
from .style import ALL_COLOR, CLASS_COLORS, PREFERENCE_COLOR, TOWER_COLORS

if TYPE_CHECKING:
    from .diff_contents import DiffContents

PROFILE_COLUMNS = [
    "tower", "upos", "mean", "low", "high", "sets", "sure", "strangers", "occurrences", "word_class", "compared",
]  # fmt: skip


@dataclass(frozen=True)
class Contents:
    """Everything on the page."""

    config: RunConfig
    settings: str
    """All settings of the run, as YAML."""
    results: Results
    trained: Trained
    provenance: Provenance
    training: pd.DataFrame
    """step, tokens, joint, tower_K: nats on the training batches."""
    heldout: pd.DataFrame
    """step, tokens, joint, tower_K: nats on held-out text."""
    types: pd.DataFrame
    """`preference.parquet`, the types that occur often enough for statistics."""
    profile: pd.DataFrame
    """tower, upos, mean, low, high (beyond frequency), sets (their means), sure, strangers (their mean, or NaN),
    occurrences, word_class, compared; by the first tower's mean."""
    passages: list[Passage]
    in_sentences: list[WordInSentences]
    """Words whose division depends most on the word before."""
    plates: dict[str, Plate] = field(default_factory=dict)
    """The figures that are drawn already, by name."""

    def without_text(self) -> Contents:
        """The same without any of the corpus' running text, for a page that is shared."""
        return replace(self, passages=[], in_sentences=[])

    @property
    def towers(self) -> int:
        """Number of towers."""
        return self.config.model.towers

    @property
    def series(self) -> list[tuple[str, str, str]]:
        """For each preference its name, its colour, and the suffix of its columns in `types`."""
        single = len(self.contrasts) == 1
        return [(c.name, PREFERENCE_COLOR if single else TOWER_COLORS[c.tower - 1], c.suffix) for c in self.contrasts]

    @property
    def tower_lines(self) -> list[tuple[str, str, str]]:
        """For each training curve its column in `training` and `heldout`, its name and its colour."""
        if self.towers == 1:
            return [("joint", "the model", ALL_COLOR), ("tower_1", "its readout", TOWER_COLORS[0])]
        alone = [(f"tower_{k}", f"tower {k} alone", TOWER_COLORS[k - 1]) for k in range(1, self.towers + 1)]
        return [("joint", "all towers together", ALL_COLOR), *alone]

    @property
    def sets(self) -> list[str]:
        """The sets of readouts under which `types` has preferences."""
        suffix = self.contrasts[0].suffix if self.contrasts else ""
        return [name for name in SETS if f"under_{name}{suffix}" in self.types]

    @property
    def contrasts(self) -> list[Contrast]:
        """The preferences of which the page tells; none for a single tower."""
        return contrasts(self.towers)


def read_contents(config: RunConfig, run: Path) -> Contents:
    """Gather the report's data from a run folder."""
    results = results_in(run / "results.json", run)
    provenance = read_provenance(run, f"delete it, and `twotower run --out {run}` writes it")
    training, heldout = _curves(run / "metrics.jsonl")
    types = pd.read_parquet(run / "preference.parquet")
    types = types[types["count"] >= 2 * config.analyze.min_count].reset_index(drop=True)
    tower_contrasts = contrasts(config.model.towers)
    text = ShadedText(run, tower_contrasts) if tower_contrasts else None
    shaded = passages(text) if text else []
    contexts = words_in_sentences(text, results.division.contexts) if text and results.division else []
    theirs = results_in(run / "strangers.json", run) if (run / "strangers.json").is_file() else None
    profile = _profile(results, theirs)
    settings = (run / "config.yaml").read_text(encoding="utf-8")
    return Contents(
        config, settings, results, read_trained(run), provenance, training, heldout, types, profile, shaded, contexts
    )


def _curves(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows: dict[str, list[dict[str, Any]]] = {"train": [], "heldout": []}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        towers = row.pop("towers", None) or row.pop("tower_nats")
        rows[row.pop("kind")].append(row | {f"tower_{k}": value for k, value in enumerate(towers, start=1)})
    for row in rows["heldout"]:
        row["joint"] = row.pop("joint_nats")
    return pd.DataFrame(rows["train"]), pd.DataFrame(rows["heldout"])


def _profile(results: Results, strangers: Results | None) -> pd.DataFrame:
    upos = results.word_classes.upos if results.word_classes else None
    theirs = _adjusted_means(strangers)
    rows = []
    for row in upos.profile if upos else []:
        word_class = "function" if row.name in FUNCTION else "content" if row.name in CONTENT else "other"
        for preference in row.each:
            if preference.adjusted and row.types >= FEW_TYPES:
                shared = {"upos": row.name, "occurrences": row.occurrences, "word_class": word_class}
                names = ("mean", "low", "high", "sets", "sure")
                figures: dict[str, Any] = {key: getattr(preference.adjusted, key) for key in names}
                figures["strangers"] = theirs.get((row.name, preference.tower), math.nan)
                rows.append({"tower": preference.tower, **shared, **figures, "compared": row.compared})
    if not rows:
        return pd.DataFrame(columns=PROFILE_COLUMNS)
    table = pd.DataFrame(rows)
    order = table[table["tower"] == 1].set_index("upos")["mean"]
    table["order"] = table["upos"].map(order)
    return table.sort_values(["order", "tower"], ignore_index=True).drop(columns="order")


def _adjusted_means(results: Results | None) -> dict[tuple[str, int], float]:
    """What a run's classes prefer beyond frequency, by class and tower."""
    upos = results.word_classes.upos if results and results.word_classes else None
    return {
        (row.name, preference.tower): preference.adjusted.mean
        for row in (upos.profile if upos else []) for preference in row.each if preference.adjusted
    }  # fmt: skip


def context_curves(contents: Contents) -> list[tuple[str, str, pd.DataFrame]]:
    """For each head its name, its colour, and what it gains over one token of context: context, gain, low, high."""
    context = contents.results.context
    curves = []
    for curve in context.curves if context else []:
        gains = [{"context": point.context, **vars(point.gain)} for point in curve.points]
        points = pd.DataFrame(gains).rename(columns={"estimate": "gain"})
        tower = int(curve.head.split()[-1]) if curve.head != "joint" else 0
        name = curve.head if tower else "all towers together"
        curves.append((name, TOWER_COLORS[tower - 1] if tower else ALL_COLOR, points))
    return curves


def shares(contents: Contents) -> pd.DataFrame:
    """What explains the preferences of types: name, estimate, low, high (shares of the variance), largest last.

    Empty where types do not differ in preference, as with one tower given twice.
    """
    explained = contents.results.explained_by
    rows = [{"name": row_name(group.name), **vars(group.shapley)} for group in (explained.groups if explained else [])]
    table = pd.DataFrame(rows, columns=["name", "estimate", "low", "high", "of_reliable"])
    return table.dropna(subset="estimate").sort_values("estimate", ignore_index=True)


def scatter_points(contents: Contents) -> tuple[dict[str, tuple[pd.DataFrame, str]], str, str]:
    """Pieces by how well they are predicted: tower 2 over tower 1 for two towers, each over the mean of all for more.

    Returns, by name, groups of rows of `types` with coordinates `x`, `y` (nats) and `preference`, and their colour; and
    the labels of the axes.
    """
    types, points = contents.types, {}
    if len(contents.series) == 1:
        for word_class, color in CLASS_COLORS.items():
            rows = types[types["word_class"] == word_class]
            if len(rows):
                rows = rows.assign(x=rows["readout_1"], y=rows["readout_2"], preference=rows["mean"])
                name = "other words and parts of words" if word_class == "other" else f"{word_class} words"
                points[name] = rows, color
        return points, "log-probability under tower 1 (nats)", "under tower 2 (nats)"
    mean = types[[f"readout_{tower}" for tower in range(1, contents.towers + 1)]].mean(axis=1)
    for contrast in contents.contrasts:
        preference = types[f"mean{contrast.suffix}"]
        rows = types.assign(x=mean, y=types[f"readout_{contrast.tower}"], preference=preference)
        if len(rows):
            points[f"tower {contrast.tower}"] = rows, TOWER_COLORS[contrast.tower - 1]
    return points, "log-probability, mean of all towers (nats)", "under each tower (nats)"


def histogram_range(contents: Contents) -> tuple[float, float]:
    """The range that holds 99.8 % of preferences, in nats."""
    values = contents.types[[f"mean{suffix}" for _, _, suffix in contents.series]].to_numpy().ravel()
    if not len(values):
        return -1.0, 1.0
    low, high = np.quantile(values, [0.001, 0.999])
    return float(low) - 0.05, float(high) + 0.05


def is_plain_word(piece: str, upos: str) -> bool:
    """Whether a piece is a whole word of letters: no part of a word, number, symbol or punctuation."""
    return upos not in (NO_WORD, "NUM", "SYM", "PUNCT", "X") and piece.replace("'", "").replace("-", "").isalpha()


def favourites(contents: Contents | DiffContents, tower: int, number: int = 60, upos: str = "") -> dict[str, float]:
    """The words that a tower, or a model, prefers most, among those whose interval leaves out the mean of all types.

    Of one part of speech if `upos` names it. Only plain words (`is_plain_word`), and only words that it prefers under
    every set of readouts. Returns the word and how far the tower's preference for it is from that mean, in nats,
    largest first.
    """
    tower_contrasts, types = contents.contrasts, contents.types
    contrast = tower_contrasts[0] if len(tower_contrasts) == 1 else tower_contrasts[tower - 1]
    sign = 1.0 if tower == contrast.tower else -1.0
    mean, low, high = (types[name + contrast.suffix] for name in ("mean", "low", "high"))
    centre = mean.mean()
    plain = [is_plain_word(str(p), str(u)) for p, u in zip(types["piece"], types["upos"], strict=True)]
    beyond = ((low > centre) if sign > 0 else (high < centre)) & np.asarray(plain, dtype=bool)
    if upos:
        beyond &= types["upos"] == upos
    for name in contents.sets:
        under = types[f"under_{name}{contrast.suffix}"]
        beyond &= sign * (under - under.mean()) > 0
    ranked = (sign * (mean - centre))[beyond].sort_values(ascending=False, kind="stable").head(number)
    return {str(types.loc[index, "piece"]): float(value) for index, value in ranked.items()}
