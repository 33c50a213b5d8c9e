"""The figures of each run of a study side by side, and what they say with runs as the unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from typing import Any

from ..config.schema import RunConfig
from ..data.corpus_names import short_name
from ..runs.stages import STAGES, stage_settings
from ..statistics.intervals import Interval
from .inference import discoveries, dose_response, excess
from .profiles import signs_agree
from .reading import OneRun

CONFIDENCE = 0.95
Row = dict[str, Any]
Test = tuple[str, str, float | None]
"""Family, name and p-value."""
FIGURES: dict[str, Callable[[Row], float | None]] = {
    "reliability": lambda row: row["reliability"].estimate,
    "explained": lambda row: _estimate(row["explained"]),
    "nominal contrast": lambda row: None if row["nominal"] is None else abs(row["nominal"].auroc - 0.5),
    "sd": lambda row: row["sd"],
}
"""What strangers and doses are compared in: a line for each figure of a run."""


TESTED = {"explained": "explained", "nominal contrast": "nominal", "topicality": "topicality"}
"""The figures that each run has a p-value of, and their keys in its row."""
NO_DOSES = frozenset({
    "seed", "threads", "prepare.split_seed", "prepare.heldout_words", "train.micro_batch", "train.evaluations",
    "train.evaluation_tokens", "train.readout_share", "train.readout_learning_rate",
})  # fmt: skip
"""Settings of the stages that train which are no amount of anything, or change nothing that the figures are of.

The readouts that train along with the towers only watch them: those that the figures are of have a stage of their own.
"""


def row_of(one: OneRun) -> Row:
    """The figures of one run, as in its `results.json`; null where it has none."""
    results, classes = one.results, one.results.word_classes
    upos = classes.upos if classes else None
    nominal = next((row for row in classes.contrasts if row.contrast.startswith("nominal")), None) if classes else None
    return {
        "name": one.name, "group": one.group, "stranger": one.stranger, "corpus": one.corpus, "seed": results.seed,
        "tagger": results.corpus.tagger,
        "family": results.model.family, "towers": results.model.towers,
        "tokens": results.training.tokens, "perplexity": results.training.heldout_perplexity,
        "reliability": results.reliability, "clusters": results.reliability_by_cluster,
        "explained": upos and upos.explained,
        "nominal": nominal if nominal and isfinite(nominal.auroc) else None,
        "topicality": results.within_types and results.within_types.coefficient("topicality"),
        "far_context": results.context and results.context.difference,
        "direction": results.direction, "sd": results.preference.sd,
    }  # fmt: skip


def _estimate(figure: Interval | None) -> float | None:
    return None if figure is None else figure.estimate


def signs_of(rows: Sequence[Row]) -> dict[str, Any]:
    """In how many pairs of towers two signed figures agree (see `signs_agree`).

    Of the slope of topicality with the gain from far context, and of both with the preference for nominal words.
    """
    pairs = [row for row in rows if row["towers"] == 2 and not row["stranger"]]
    slope = [_estimate(row["topicality"]) for row in pairs]
    far = [_estimate(row["far_context"]) for row in pairs]
    nominal = [None if row["nominal"] is None else row["nominal"].auroc - 0.5 for row in pairs]
    return {
        "topicality and far context": signs_agree(slope, far),
        "topicality and nominal words": signs_agree(slope, nominal),
        "far context and nominal words": signs_agree(far, nominal),
    }


def excess_over_strangers(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """For each group that has strangers, by how much its pairs exceed them in each figure."""
    found = []
    for group in dict.fromkeys(row["group"] for row in rows):
        mine = [row for row in rows if row["group"] == group]
        for name, of in FIGURES.items():
            pairs = [value for row in mine if not row["stranger"] and (value := of(row)) is not None]
            strangers = [value for row in mine if row["stranger"] and (value := of(row)) is not None]
            if pairs and strangers:
                found.append({"group": group, "figure": name, **excess(pairs, strangers, CONFIDENCE)})
    return found


def doses(rows: Sequence[Row], runs: Sequence[OneRun]) -> list[dict[str, Any]]:
    """For each preset and corpus, and each number of what is trained that varies between its runs, figures against it.

    A corpus may have settings of its own, which would stand for the corpus, so its runs are compared with each other
    only. `preset` names the corpus, too, where the runs of a preset have several.
    """
    kinds = [(one.config.preset, short_name(one.config.prepare.corpus)) for one in runs]
    settings = [_trained(one.config) for one in runs]
    found = []
    for kind in dict.fromkeys(kinds):
        several = len({corpus for preset, corpus in kinds if preset == kind[0]}) > 1
        mine = [number for number, other in enumerate(kinds) if other == kind]
        pairs = [number for number in mine if not rows[number]["stranger"]]
        for key in settings[mine[0]]:
            # Strangers are the dose 0 of cooperation; on any other scale they are no dose at all.
            used = mine if key == "model.cooperation" else pairs
            values = [settings[number][key] for number in used]
            if not all(_is_dose(value) for value in values) or len(set(values)) < 2:
                continue
            points = [
                {"run": rows[number]["name"], "dose": value}
                | {figure: of(rows[number]) for figure, of in FIGURES.items()}
                for number, value in zip(used, values, strict=True)
            ]
            seeds = [runs[number].config.seed for number in used]
            trends = {figure: _trend(points, figure, seeds) for figure in FIGURES}
            preset = "-".join(kind) if several else kind[0]
            found.append({"preset": preset, "setting": key, "points": points, "trends": trends})
    return found


def _trained(config: RunConfig) -> dict[str, Any]:
    """The settings, by dotted name, that can change what is trained."""
    found: dict[str, Any] = {}
    for stage in ("prepare", "train", "readout"):
        found |= stage_settings(config, STAGES[stage])
    if config.train.minutes is not None:
        found["train.tokens"] = None  # the clock says how many, whatever the setting
    return {key: value for key, value in found.items() if key not in NO_DOSES}


def _is_dose(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _trend(points: Sequence[dict[str, Any]], figure: str, seeds: Sequence[int]) -> dict[str, Any]:
    known = [(point["dose"], point[figure], seed) for point, seed in zip(points, seeds, strict=True)
             if point[figure] is not None]  # fmt: skip
    return dose_response([dose for dose, _, _ in known], [value for _, value, _ in known], [seed for *_, seed in known])


def tests_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The hypothesis tests of a study, each once, in families of like questions and with its q-value.

    See `discoveries`. All p-values of `study.json` are here but these:

    - those of later axes, of types and of profiles. They are looked for only where the axes before them lie beyond
      their null, so that a family would hold only those that pass;
    - those of the same runs under a second name: of a group that is all runs, of corpora that are groups, and of two
      settings that put the runs in the same order.
    """
    parts = (_tests_of_runs, _tests_of_signs, _tests_of_agreement, _tests_of_profiles, _tests_of_trends)
    listed = [test for part in parts for test in part(found)]
    return discoveries({"family": family, "name": name, "p_value": p_value} for family, name, p_value in listed)


def _of(stranger: bool) -> str:
    return "strangers" if stranger else "pairs"


def _tests_of_runs(found: dict[str, Any]) -> Iterator[Test]:
    for row in found["runs"]:
        of = _of(row["stranger"])
        for family, key in TESTED.items():
            if row[key]:
                yield f"{family} of {of}", row["name"], row[key].p_value
    for row in (found["knowledge"] or {"runs": []})["runs"]:
        for one in row["differences"]:
            yield f"{one['instrument']} ({one['of']}), {_of(row['stranger'])}", row["run"], one["p_value"]


def _tests_of_signs(found: dict[str, Any]) -> Iterator[Test]:
    for name, one in found["signs"].items():
        yield "signs that agree", name, one["p_value"]


def _tests_of_agreement(found: dict[str, Any]) -> Iterator[Test]:
    for one in found["agreement"]:
        of, corpus = _of(one["strangers"]), one["corpus"]
        for name, group in distinct_groups(one["groups"]).items():
            yield f"agreement of {of}", f"{corpus}: {name}", group["p_value"]
        yield f"first axis of types, {of}", corpus, one["spectrum"]["p_value"]


def _tests_of_profiles(found: dict[str, Any]) -> Iterator[Test]:
    for of, profiles in (("pairs", found["profiles"]), ("strangers", found["profiles_of_strangers"])):
        if profiles:
            for name, group in distinct_groups(profiles["agreement"]).items():
                yield f"profiles of {of}", name, group["p_value"]
                yield f"what profiles of {of} share", name, group["shared"]["p_value"]
            yield f"axes of {of}", "axis 1", profiles["axes"][0]["p_value"]


def distinct_groups(groups: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Groups of pairs of runs without those that are an earlier one under another name.

    As many pairs of the same runs with the same estimate to the last digit are the same pairs.
    """
    found: dict[tuple[Any, ...], str] = {}
    for name, group in groups.items():
        found.setdefault((group["pairs"], group["estimate"], group["p_value"]), name)
    return {name: groups[name] for name in found.values()}


def _tests_of_trends(found: dict[str, Any]) -> Iterator[Test]:
    """The tests with runs as the unit."""
    for effect in found["class_effects"]:
        name = f"{effect['group']}: {effect['contrast']}"
        yield f"class effect, {_of(effect['stranger'])}", name, effect["class"]["p_value"]
    for one in (found["knowledge"] or {"table": []})["table"]:
        names = (f"{side['instrument']} ({side['of']})" for side in (one["first"], one["second"]))
        yield f"what towers know, {_of(one['stranger'])}", " and ".join(names), one["p_value"]
    for one in found["excess_over_strangers"]:
        yield "excess over strangers", f"{one['group']}: {one['figure']}", one["p_value"]
    orders = set()
    for dose in found["doses"]:
        steps = sorted({point["dose"] for point in dose["points"]})
        order = tuple((point["run"], steps.index(point["dose"])) for point in dose["points"])
        if order in orders:
            continue
        orders.add(order)
        for name, trend in dose["trends"].items():
            yield "dose and response", f"{dose['preset']}: {name} against {dose['setting']}", trend["p_value"]
