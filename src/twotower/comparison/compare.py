"""What many runs say together: their figures, agreement, class effects, controls, doses, and the emergence in each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..config import to_dict
from ..data.heldout import PreparedText
from ..data.tokenization import PREFIX
from ..errors import InputError
from ..finished import Run
from ..modeling.contrasts import contrasts
from ..preference.scores import read_scores
from ..progress import Progress
from ..runs.records import require_current
from ..runs.stages import flatten
from ..statistics.strata import FEWEST as FEWEST_IN_BIN
from ..statistics.strata import frequency_bins
from ..statistics.tallies import Tallies, tally
from .agreement import agreement, family_groups
from .class_effect import FEWEST_RUNS, Observed, class_effect
from .inference import discoveries, dose_response, excess

DRAWS, PERMUTATIONS = 200, 499
FEW_DRAWS, FEW_PERMUTATIONS = 100, 99
"""Of the agreement at each evaluation."""
FEWEST_TYPES = 10
Described = tuple[str, Path, str, bool]
"""Name, folder, group (what is the same over seeds) and whether it is a pair of strangers."""
FIGURES: dict[str, Callable[[dict[str, Any]], float | None]] = {
    "reliability": lambda row: row["reliability"]["estimate"],
    "separation": lambda row: row["separation"]["auroc"],
    "part of speech": lambda row: row["part_of_speech"] and row["part_of_speech"]["gain"]["estimate"],
    "sd": lambda row: row["sd"],
}
"""What strangers and doses are compared in."""


def compare_runs(described: Sequence[Described]) -> dict[str, Any]:
    """Everything in `study.json`. Raises `InputError` if a run lacks its scores, or they cannot be compared."""
    results = {name: Run.load(folder).results() for name, folder, _, _ in described}
    rows = [_row(name, group, stranger, results[name]) for name, _, group, stranger in described]
    groups = list(dict.fromkeys((group, stranger) for _, _, group, stranger in described))
    with Progress("compare", total=2 + 2 * len(groups), unit="comparison") as progress:
        agreements = [
            progress.counted(_agreement([one for one in described if one[3] == stranger])) for stranger in (False, True)
        ]
        effects, consistent = [], []
        for group, stranger in groups:
            mine = [one for one in described if one[2:] == (group, stranger)]
            of: dict[str, Any] = {"group": group, "stranger": stranger}
            if effect := progress.counted(_class_effect(mine)):
                effects.append(of | effect)
            if evaluations := progress.counted(_consistency(mine)):
                consistent.append(of | {"evaluations": evaluations})
    found: dict[str, Any] = {
        "runs": rows,
        "agreement": agreements[0],
        "agreement_of_strangers": agreements[1],
        "class_effects": effects,
        "excess_over_strangers": _excess(rows),
        "doses": _doses(described, rows),
        "emergence": {name: one["emergence"] for name, one in results.items()},
        "consistency": consistent,
    }
    found["tests"] = discoveries(_tests(found))
    return found


def _row(name: str, group: str, stranger: bool, results: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name, "group": group, "stranger": stranger, "seed": results["seed"],
        "family": results["model"]["family"], "towers": results["model"]["towers"],
        "tokens": results["training"]["tokens"], "perplexity": results["training"]["heldout_perplexity"],
        "reliability": results["reliability"], "separation": results["separation"],
        "part_of_speech": results["part_of_speech"], "direction": results["direction"],
        "sd": results["preference"]["sd"], "noise_sd": results["preference"]["noise_sd"],
        "passed": results["emergence"]["passed"],
    }  # fmt: skip


def _of_two_towers(described: Sequence[Described]) -> list[tuple[str, Run, str]]:
    """Name, run and group of the runs that have two towers."""
    runs = [(name, Run.load(folder), group) for name, folder, group, _ in described]
    return [one for one in runs if one[1].config.model.towers == 2]


def _class_effect(described: Sequence[Described]) -> dict[str, Any] | None:
    """The mixed-effects model of a group of runs with two towers; None for too few of them."""
    runs = [run for _, run, _ in _of_two_towers(described)]
    if len(runs) < FEWEST_RUNS:
        return None
    texts = [PreparedText(run.path) for run in runs]
    if len({(text.summary["digest"], tuple(text.pieces)) for text in texts}) > 1:
        raise InputError(
            f"study: the runs of {described[0][2]} have different corpora or tokenizers; a class effect needs the same "
            "held-out text in the same pieces"
        )
    settings = runs[0].config.analyze
    observed = [_observed(run, text) for run, text in zip(runs, texts, strict=True)]
    return class_effect(
        observed, settings.min_count, settings.frequency_ratio, settings.confidence, np.random.default_rng(len(runs)), classes
    )


def _observed(run: Run, text: PreparedText) -> Observed:
    columns = ["document", "piece_id", "piece", "upos", "readout_1", "readout_2"]
    scores = read_scores(require_current(run.path, run.config, "scores.parquet"), columns)
    return Observed(scores.assign(difference=contrasts(2)[0].of(scores)), text.frequencies)


def _consistency(described: Sequence[Described]) -> list[dict[str, Any]]:
    """The agreement of a group's runs with two towers at each evaluation that all of them have, on its sample."""
    runs = [run for _, run, _ in _of_two_towers(described)]
    columns = ["tokens", "document", "piece_id", "readout_1", "readout_2"]
    tables = [
        pd.read_parquet(require_current(run.path, run.config, "emergence.parquet"), columns=columns) for run in runs
    ]
    tables = [table for table in tables if len(table)]
    if len(tables) < 2:
        return []
    text, settings = PreparedText(runs[0].path), runs[0].config.analyze
    found = []
    for tokens in sorted(set.intersection(*(set(table["tokens"]) for table in tables))):
        parts = [table[table["tokens"] == tokens].reset_index(drop=True) for table in tables]
        where = parts[0][["document", "piece_id"]]
        if not all(part[["document", "piece_id"]].equals(where) for part in parts):
            continue  # other corpora or tokenizers, which the agreement of finished runs refuses or matches by word
        counts = np.bincount(where["piece_id"], minlength=len(text.frequencies))
        frequent = counts >= settings.min_count
        if frequent.sum() < FEWEST_TYPES:
            continue
        document = pd.factorize(where["document"])[0]
        tallies = [
            tally(document, where["piece_id"].to_numpy(), contrasts(2)[0].of(part), len(counts)).select(frequent)
            for part in parts
        ]
        bins = frequency_bins(text.frequencies[frequent], settings.frequency_ratio, FEWEST_IN_BIN)
        pairs = {"all": family_groups(["same"] * len(parts))["all"]}
        generator = np.random.default_rng(tokens)
        one = agreement(tallies, bins, pairs, FEW_DRAWS, FEW_PERMUTATIONS, settings.confidence, generator)
        found.append({"tokens": int(tokens), "types": one["types"], "runs": len(parts), **one["groups"]["all"]})
    return found


def _excess(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each group that has strangers, by how much its pairs exceed them in each figure."""
    found = []
    for group in dict.fromkeys(row["group"] for row in rows):
        mine = [row for row in rows if row["group"] == group]
        for figure, of in FIGURES.items():
            pairs = [value for row in mine if not row["stranger"] and (value := of(row)) is not None]
            strangers = [value for row in mine if row["stranger"] and (value := of(row)) is not None]
            if pairs and strangers:
                found.append({"group": group, "figure": figure, **excess(pairs, strangers, 0.95)})
    return found


def _doses(described: Sequence[Described], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each preset and each number that varies between its runs, the figures against it."""
    settings = [flatten(to_dict(Run.load(folder).config)) for _, folder, _, _ in described]
    found = []
    for preset in dict.fromkeys(one["preset"] for one in settings):
        mine = [number for number, one in enumerate(settings) if one["preset"] == preset]
        pairs = [number for number in mine if not rows[number]["stranger"]]
        for key, first in settings[mine[0]].items():
            if key == "seed" or isinstance(first, bool) or not isinstance(first, (int, float)):
                continue
            # Strangers are the dose 0 of cooperation; on any other scale they are no dose at all.
            used = mine if key == "model.cooperation" else pairs
            if len({settings[number][key] for number in used}) < 2:
                continue
            points = [
                {"run": rows[number]["name"], "dose": settings[number][key]}
                | {figure: of(rows[number]) for figure, of in FIGURES.items()}
                for number in used
            ]
            trends = {}
            for figure in FIGURES:
                known = [point for point in points if point[figure] is not None]
                trends[figure] = dose_response([point["dose"] for point in known], [point[figure] for point in known])
            found.append({"preset": preset, "setting": key, "points": points, "trends": trends})
    return found


def _tests(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Every p-value of a study, in families of like questions."""
    tests: list[dict[str, Any]] = []

    def add(family: str, name: str, p_value: float | None) -> None:
        tests.append({"family": family, "name": name, "p_value": p_value})

    for row in found["runs"]:
        of = "strangers" if row["stranger"] else "pairs"
        add(f"separation of {of}", row["name"], row["separation"]["p_value"])
        if row["part_of_speech"]:
            add(f"part of speech, {of}", row["name"], row["part_of_speech"]["gain"]["p_value"])
    for kind in ("agreement", "agreement_of_strangers"):
        for name, group in (found[kind] or {"groups": {}})["groups"].items():
            add(kind.replace("_", " "), name, group["p_value"])
    for effect in found["class_effects"]:
        of = "strangers" if effect["stranger"] else "pairs"
        add(f"class effect, {of}", effect["group"], effect["class"]["p_value"])
    for one in found["excess_over_strangers"]:
        add("excess over strangers", f"{one['group']}: {one['figure']}", one["p_value"])
    for dose in found["doses"]:
        for figure, trend in dose["trends"].items():
            add("dose and response", f"{dose['preset']}: {figure} against {dose['setting']}", trend["p_value"])
    return tests


def _agreement(described: Sequence[Described]) -> dict[str, Any] | None:
    """Agreement of the runs with two towers that scored the same text; None for fewer than two such runs."""
    pairs = _of_two_towers(described)
    if len(pairs) < 2:
        return None
    names, runs, groups = zip(*pairs, strict=True)
    texts = [PreparedText(run.path) for run in runs]
    if len({text.summary["digest"] for text in texts}) > 1:
        raise InputError(
            "study: its runs have different corpora; agreement needs the same held-out text in all of them"
        )
    least = max(2 * run.config.analyze.min_count for run in runs)
    same_pieces = len({tuple(text.pieces) for text in texts}) == 1
    frequent = [_frequent(run, least, same_pieces) for run in runs]
    shared = sorted(set.intersection(*(set(one.index) for one in frequent)))
    if len(shared) < FEWEST_TYPES:
        raise InputError(
            f"study: its runs share {len(shared)} types that are frequent enough; agreement needs {FEWEST_TYPES}"
        )
    training_count = frequent[0].loc[shared, "training_count"].to_numpy()
    bins = frequency_bins(training_count, runs[0].config.analyze.frequency_ratio, FEWEST_IN_BIN)
    tallies = [_tallies(run, one, shared) for run, one in zip(runs, frequent, strict=True)]
    generator = np.random.default_rng(0)
    found = agreement(tallies, bins, family_groups(groups), DRAWS, PERMUTATIONS, 0.95, generator)
    return {"names": list(names), "shared": "pieces" if same_pieces else "whole words", **found}


def _frequent(run: Run, least: int, pieces: bool) -> pd.DataFrame:
    """The types that occur often enough, by their piece; only whole words where vocabularies differ."""
    types = run.preference()
    types = types[types["count"] >= least]
    if not pieces:
        types = types[~types["piece"].str.startswith(PREFIX)]
    return types.set_index("piece")


def _tallies(run: Run, frequent: pd.DataFrame, shared: list[str]) -> Tallies:
    path = require_current(run.path, run.config, "scores.parquet")
    scores = read_scores(path, ["document", "piece_id", "readout_1", "readout_2"])
    number = np.full(int(scores["piece_id"].max()) + 1, -1)
    ids = frequent.loc[shared, "piece_id"].to_numpy()
    number[ids] = np.arange(len(shared))
    kind = number[scores["piece_id"].to_numpy()]
    document = pd.factorize(scores["document"])[0]
    kept = kind >= 0
    return tally(document[kept], kind[kept], contrasts(2)[0].of(scores)[kept], len(shared))
