"""What a run and a comparison hold as data frames in tidy form: one row per observation (Wickham 2014)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import pandas as pd

from ..comparison.controls import Control
from ..comparison.study import Study
from ..preference.division import CLASS, TOPIC, LabelDivision, row_of
from ..preference.measured import SETS
from ..results.results import Results
from ..statistics.contrasts import contrasts
from ..statistics.intervals import Estimate

OF_CONTRAST = ("mean", "standard_error", "low", "high")
"""Columns of `preference.parquet` that each contrast has."""
ADJUSTED = ("mean", "low", "high", "q_value", "sure")
"""Figures of a class beyond frequency."""


def preference(types: pd.DataFrame, towers: int) -> pd.DataFrame:
    """`preference.parquet` with one row per type and contrast."""
    preferences = contrasts(towers)
    if not preferences:
        return types.iloc[:0].assign(contrast=pd.Series(dtype=str), **dict.fromkeys(OF_CONTRAST, 0.0))
    names = (*OF_CONTRAST, *(f"under_{name}" for name in SETS if f"under_{name}{preferences[0].suffix}" in types))
    own_columns = {f"{name}{preference.suffix}" for preference in preferences for name in names}
    shared = types[[name for name in types if name not in own_columns]]
    parts = []
    for preference in preferences:
        values = pd.DataFrame({name: types[f"{name}{preference.suffix}"] for name in names})
        parts.append(pd.DataFrame({"contrast": preference.name}, index=types.index).join([shared, values]))
    return pd.concat(parts, ignore_index=True)


def training(path: Path) -> pd.DataFrame:
    """`metrics.jsonl` with one row per measurement and head."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        heldout = row["kind"] == "heldout"
        heads = {"joint": row["joint_nats" if heldout else "joint"]}
        heads |= {f"tower {k}": nats for k, nats in enumerate(row["tower_nats" if heldout else "towers"], start=1)}
        at = {"step": row["step"], "tokens": row["tokens"], "text": "heldout" if heldout else "training"}
        rows += [{**at, "head": head, "nats": nats} for head, nats in heads.items()]
    return pd.DataFrame(rows, columns=["step", "tokens", "text", "head", "nats"])


def word_classes(results: Results, towers: int) -> pd.DataFrame:
    """The profile by part of speech with one row per class and contrast."""
    upos = results.word_classes.upos if results.word_classes else None
    names = [contrast.name for contrast in contrasts(towers)]
    rows = [
        {"contrast": names[of_tower.tower - 1], "upos": row.name, "occurrences": row.occurrences, "types": row.types,
         **{key: getattr(of_tower.adjusted, key) for key in ADJUSTED}, "compared": row.compared}
        for row in (upos.profile if upos else [])
        for of_tower in row.each
        if of_tower.adjusted
    ]  # fmt: skip
    columns = ["contrast", "upos", "occurrences", "types", *ADJUSTED, "compared"]
    return pd.DataFrame(rows, columns=columns)


def division(rows: Sequence[LabelDivision]) -> pd.DataFrame:
    """The labels of a division, one row each."""
    flat = [
        {"label": row.label, "given": row.given, "values": row.values, "measured": row.measured,
         "share": row.share.estimate, "low": row.share.low, "high": row.share.high, "null_high": row.share.null_high,
         "held": row.held.estimate, "specialization": row.specialization and row.specialization.estimate,
         "routing": row.routing and row.routing.estimate, "verdict": row.verdict}
        for row in rows
    ]  # fmt: skip
    columns = ["label", "given", "values", "measured", "share", "low", "high", "null_high", "held", "specialization",
               "routing", "verdict"]  # fmt: skip
    return pd.DataFrame(flat, columns=columns)


def runs(study: Study) -> pd.DataFrame:
    """The runs of a comparison, one row each."""
    columns = ("group", "corpus", "stranger", "planted", "seed", "family", "towers", "tokens")
    return pd.DataFrame([
        {"run": row.name, **{key: getattr(row, key) for key in columns}} | {
            "perplexity": row.perplexity.joint,
            **_interval("reliability", row.reliability),
            "divides": row.divides,
            **_interval("D", row.size),
            **_interval("surplus", row.surplus),
            **_interval("class_share", held.share if (held := row_of(row.labels, *CLASS)) else None),
            **_interval("topic_share", held.share if (held := row_of(row.labels, *TOPIC)) else None),
        }
        for row in study.runs
    ])  # fmt: skip


def _interval(name: str, value: Estimate | None) -> dict[str, float | None]:
    """A figure and the ends of its interval, each in a column of its own."""
    ends = ("estimate", "low", "high")
    return {f"{name}_{end}".removesuffix("_estimate"): None if value is None else getattr(value, end) for end in ends}


def profiles(study: Study) -> pd.DataFrame:
    """The profile of each run of a comparison: one row per run and class."""
    rows = []
    for part, stranger in ((study.profiles, False), (study.profiles_of_strangers, True)):
        for run in part.runs if part else []:
            at = {"run": run.name, "group": run.group, "corpus": run.corpus, "stranger": stranger}
            rows += [
                {**at, "upos": name, "mean": mean}
                for name, mean in zip(part.classes if part else [], run.profile, strict=True)
            ]
    return pd.DataFrame(rows, columns=["run", "group", "corpus", "stranger", "upos", "mean"])


def agreement(study: Study) -> pd.DataFrame:
    """The agreement of runs that scored the same text: one row per pair of runs."""
    rows = [
        {"corpus": text.corpus, "strangers": text.strangers, "first": text.names[first], "second": text.names[second],
         "types": text.agreement.types, "r": text.agreement.r[first][second]}
        for text in study.agreement
        for first, second in combinations(range(len(text.names)), 2)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["corpus", "strangers", "first", "second", "types", "r"])


def tests(study: Study) -> pd.DataFrame:
    """Every test of a comparison: one row each."""
    return pd.DataFrame([vars(test) for test in study.tests], columns=["family", "name", "p_value", "q_value"])


def words(scores: pd.DataFrame, towers: int, sets: Sequence[str]) -> pd.DataFrame:
    """The words that are one piece, one row per word and contrast; a tower's values are means over `sets`."""
    whole_words = scores[scores["whole_word"].astype(bool)]
    by_word = whole_words["piece"].astype(str)
    grouped = whole_words.groupby(by_word, sort=True)
    shared = pd.DataFrame({
        "upos": grouped["upos"].agg(lambda tags: tags.mode().iloc[0]).astype(str), "count": grouped.size(),
        "documents": grouped["document"].nunique(), "joint": grouped["joint"].mean(),
    })  # fmt: skip
    for tower in range(1, towers + 1):
        shared[f"readout_{tower}"] = _alone(whole_words, tower, sets).groupby(by_word).mean()
    parts = []
    for contrast in contrasts(towers):
        values = {f"under_{name}": pd.Series(contrast.of(whole_words, name), whole_words.index) for name in sets}
        means = pd.DataFrame(values).groupby(by_word).mean()
        means.insert(0, "mean", means.mean(axis=1))
        parts.append(shared.join(means).reset_index(names="word").assign(contrast=contrast.name))
    table = pd.concat(parts, ignore_index=True) if parts else shared.reset_index(names="word").assign(contrast="")
    return table[["contrast", *(name for name in table if name != "contrast")]]


def documents(scores: pd.DataFrame, names: Mapping[int, str], towers: int, sets: Sequence[str]) -> pd.DataFrame:
    """The held-out documents, one row each; a tower's values are means over `sets`."""
    grouped = scores.groupby("document", sort=True)
    table = pd.DataFrame({"tokens": grouped.size(), "joint": grouped["joint"].mean()})
    table.insert(0, "name", [names[int(number)] for number in table.index])
    for tower in range(1, towers + 1):
        table[f"readout_{tower}"] = _alone(scores, tower, sets).groupby(scores["document"]).mean()
    for contrast in contrasts(towers):
        values = pd.Series(contrast.mean_of(scores, sets), scores.index)
        table[f"preference{contrast.suffix}"] = values.groupby(scores["document"]).mean()
    return table.reset_index(names="document")


def _alone(scores: pd.DataFrame, tower: int, sets: Sequence[str]) -> pd.Series:
    """The log-probability of each occurrence under a tower alone, mean over sets of readouts."""
    return scores[[f"{name}_{tower}" for name in sets]].astype("float64").mean(axis=1)


def controls(rows: Sequence[Control]) -> pd.DataFrame:
    """A run and its controls, one row each."""
    flat = [
        {"name": row.name, "meaning": row.meaning, "parameters": row.parameters, "perplexity": row.perplexity.joint,
         "divides": row.divides, "D": row.size and row.size.estimate, "surplus": row.surplus and row.surplus.estimate,
         "class_held": row.of_class and row.of_class.held.estimate, "reliability": row.reliability.estimate}
        for row in rows
    ]  # fmt: skip
    columns = ["name", "meaning", "parameters", "perplexity", "divides", "D", "surplus", "class_held", "reliability"]
    return pd.DataFrame(flat, columns=columns)
