"""The figures of each run of a study side by side, and what they say with runs as the unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..config import flatten, to_dict
from .inference import discoveries, dose_response, excess
from .matching import matched_excess
from .profiles import across_runs, signs_agree
from .reading import OneRun

CONFIDENCE = 0.95
Row = dict[str, Any]
FIGURES: dict[str, Callable[[Row], float | None]] = {
    "reliability across readouts": lambda row: _estimate(row["reliability"].get("across_readouts")),
    "reliability": lambda row: row["reliability"]["estimate"],
    "spread": lambda row: _estimate(row["spread"]),
    "explained": lambda row: _estimate(row["explained"]),
    "nominal contrast": lambda row: None if row["nominal"] is None else abs(row["nominal"]["auroc"] - 0.5),
    "separation": lambda row: row["separation"]["auroc"],
    "part of speech": lambda row: row["part_of_speech"] and row["part_of_speech"]["gain"]["estimate"],
    "sd": lambda row: row["sd"],
}
"""What strangers and doses are compared in: a line for each figure of a run."""


TESTED = {
    "spread": "spread", "explained": "explained", "nominal contrast": "nominal", "topicality": "topicality",
    "separation": "separation",
}  # fmt: skip
"""The figures that each run has a p-value of, and their keys in its row."""


def row_of(one: OneRun) -> Row:
    """The figures of one run, as in its `results.json`; null where it has none."""
    results = one.results
    classes = results["word_classes"] or {}
    upos = classes.get("upos") or {}
    planned = {row["contrast"].split()[0]: row for row in (classes.get("contrasts") or {}).get("planned", [])}
    within = (results["within_types"] or {}).get("covariates", [])
    context = results["context"]
    nominal = planned.get("nominal")
    return {
        "name": one.name, "group": one.group, "stranger": one.stranger, "corpus": one.corpus, "seed": results["seed"],
        "family": results["model"]["family"], "towers": results["model"]["towers"],
        "tokens": results["training"]["tokens"], "perplexity": results["training"]["heldout_perplexity"],
        "reliability": results["reliability"], "clusters": results["reliability_by_cluster"],
        "spread": upos.get("spread"), "explained": upos.get("explained"),
        "nominal": nominal if nominal and nominal["auroc"] is not None else None,
        "topicality": next((row for row in within if row["name"] == "topicality"), None),
        "far_context": context and context["difference"],
        "separation": results["separation"], "part_of_speech": results["part_of_speech"],
        "direction": results["direction"],
        "sd": results["preference"]["sd"], "noise_sd": results["preference"]["noise_sd"],
        "passed": one.passed(), "turned": results["emergence"]["turned"],
    }  # fmt: skip


def _estimate(figure: dict[str, Any] | None) -> float | None:
    return None if figure is None else figure["estimate"]


def counts_of(rows: Sequence[Row]) -> dict[str, Any]:
    """In how many runs of two towers a figure passes its own test, and in how many two signs agree.

    `passed`: see `across_runs`, by group of runs and for `pairs` and `strangers` as a whole. `signs`: see
    `signs_agree`, over the pairs: of the slope of topicality with the gain from far context, and with the preference
    for nominal words.
    """
    paired = [row for row in rows if row["towers"] == 2]
    passed = []
    for stranger in (False, True):
        some = [row for row in paired if row["stranger"] == stranger]
        groups = {"all": some} | {
            group: [row for row in some if row["group"] == group] for group in {row["group"]: 0 for row in some}
        }
        for group, members in groups.items():
            tests = {
                name: [None if row[key] is None else row[key]["p_value"] for row in members]
                for name, key in TESTED.items()
            }
            passed += [{"group": group, "stranger": stranger, **one} for one in across_runs(tests)]
    pairs = [row for row in paired if not row["stranger"]]
    slope = [_estimate(row["topicality"]) for row in pairs]
    far = [_estimate(row["far_context"]) for row in pairs]
    nominal = [None if row["nominal"] is None else row["nominal"]["auroc"] - 0.5 for row in pairs]
    signs = {
        "topicality and far context": signs_agree(slope, far),
        "topicality and nominal words": signs_agree(slope, nominal),
        "far context and nominal words": signs_agree(far, nominal),
    }
    return {"passed": passed, "signs": signs}


def excess_over_strangers(rows: Sequence[Row], runs: Sequence[OneRun]) -> list[dict[str, Any]]:
    """For each group that has strangers, by how much its pairs exceed them in each figure.

    `reliability, matched` compares them where strangers are as good alone as the members of a pair.
    """
    found = []
    for group in dict.fromkeys(row["group"] for row in rows):
        mine = [row for row in rows if row["group"] == group]
        for name, of in FIGURES.items():
            pairs = [value for row in mine if not row["stranger"] and (value := of(row)) is not None]
            strangers = [value for row in mine if row["stranger"] and (value := of(row)) is not None]
            if pairs and strangers:
                found.append({"group": group, "figure": name, **excess(pairs, strangers, CONFIDENCE)})
        evaluations = {
            stranger: [
                one.results["emergence"]["evaluations"]
                for one in runs
                if one.group == group and one.stranger == stranger
            ]
            for stranger in (False, True)
        }
        if matched := matched_excess(evaluations[False], evaluations[True], CONFIDENCE):
            found.append({"group": group, "figure": "reliability, matched", **matched})
    return found


def doses(rows: Sequence[Row], runs: Sequence[OneRun]) -> list[dict[str, Any]]:
    """For each preset and each number that varies between its runs, the figures against it."""
    settings = [flatten(to_dict(one.config)) for one in runs]
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


def tests_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Every p-value of a study in families of like questions, each with its q-value (see `discoveries`)."""
    tests: list[dict[str, Any]] = []

    def add(family: str, name: str, p_value: float | None) -> None:
        tests.append({"family": family, "name": name, "p_value": p_value})

    for row in found["runs"]:
        of = "strangers" if row["stranger"] else "pairs"
        for family, key in TESTED.items():
            if row[key]:
                add(f"{family} of {of}", row["name"], row[key]["p_value"])
        if row["part_of_speech"]:
            add(f"part of speech, {of}", row["name"], row["part_of_speech"]["gain"]["p_value"])
    for one in found["agreement"]:
        of = "strangers" if one["strangers"] else "pairs"
        for name, group in one["groups"].items():
            add(f"agreement of {of}", f"{one['corpus']}: {name}", group["p_value"])
    for of, profiles in (("pairs", found["profiles"]), ("strangers", found["profiles_of_strangers"])):
        if profiles:
            for name, group in profiles["agreement"].items():
                add(f"profiles of {of}", name, group["p_value"])
            for number, axis in enumerate(profiles["axes"], start=1):
                add(f"axes of {of}", f"axis {number}", axis["p_value"])
    for effect in found["class_effects"]:
        of = "strangers" if effect["stranger"] else "pairs"
        add(f"class effect, {of}", f"{effect['group']}: {effect['contrast']}", effect["class"]["p_value"])
    for one in (found["knowledge"] or {}).get("table", []):
        of = "strangers" if one["stranger"] else "pairs"
        names = (f"{side['instrument']} ({side['of']})" for side in (one["first"], one["second"]))
        add(f"what towers know, {of}", " and ".join(names), one["p_value"])
    for one in found["excess_over_strangers"]:
        add("excess over strangers", f"{one['group']}: {one['figure']}", one["p_value"])
    for dose in found["doses"]:
        for name, trend in dose["trends"].items():
            add("dose and response", f"{dose['preset']}: {name} against {dose['setting']}", trend["p_value"])
    return discoveries(tests)
