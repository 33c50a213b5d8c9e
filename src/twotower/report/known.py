"""What each tower knows, in sentences: the summary of `twotower know`, and of the page's section."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .summary import figure


def what_is_known(results: dict[str, Any]) -> list[str]:
    """A sentence or two for each instrument that was used. `results` are those of a run."""
    known = results.get("knowledge", {})
    return [sentence for name, tell in TELL.items() if known.get(name) for sentence in tell(known[name])]


def last_views(views: list[dict[str, Any]], trained: bool = True) -> list[dict[str, Any]]:
    """Of the views of words the deepest of each tower."""
    mine = [view for view in views if view["tower"] and view["trained"] == trained]
    deepest = {view["tower"]: view for view in sorted(mine, key=lambda view: view["layer"])}
    return [deepest[tower] for tower in sorted(deepest)]


def deepest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the last layer."""
    last = max((row["layer"] for row in rows), default=None)
    return [row for row in rows if row["layer"] == last]


def is_sure(values: dict[str, Any], centre: float = 0.0) -> bool:
    """Whether an interval leaves out a value."""
    low, high = values.get("low"), values.get("high")
    return low is not None and high is not None and (low > centre or high < centre)


def _each(figures: list[dict[str, Any]]) -> str:
    return " and ".join(figure(one) for one in figures)


def _pairs(found: dict[str, Any]) -> list[str]:
    said = []
    for row in found["kinds"]:
        towers = [row["accuracy"][head] for head in found["heads"] if head.startswith("tower")]
        chance = row["accuracy"].get("frequency")
        said.append(
            f"Minimal pairs of {row['kind']} ({row['set']}, {row['pairs']:,} pairs): all towers together find the "
            f"better sentence in {figure(row['accuracy']['joint'])} of them, the towers alone in {_each(towers)}; "
            "guessing gives 0.50" + (f" and the frequency of the pieces alone {figure(chance)}." if chance else ".")
        )
        apart = row.get("difference")
        if apart and apart.get("p_value") is not None:
            said.append(
                f"On these the towers differ by {figure(apart)} (tower {apart['of'][0]} minus tower {apart['of'][1]}; "
                f"p = {apart['p_value']:.2g})."
            )
    return said


def _probe(found: dict[str, Any]) -> list[str]:
    best = [row["uuas"] for row in found["chosen"]]
    nulls = best[0]["null"] if best else {}
    controls = "; ".join(
        f"{name.replace('_', ' ')} {figure(nulls[name])}"
        for name in ("untrained", "embedding", "linear_order")
        if name in nulls
    )
    layers = " and ".join(f"{figure(one)} (layer {one['layer']})" for one in best)
    return [
        f"Structural probe: the towers' states give {layers} of the edges of gold trees (UUAS), controls of the first: "
        f"{controls}." + _differ(found, "uuas")
    ]


def _differ(found: dict[str, Any], measure: str) -> str:
    rows = [row for row in found["differences"] if row.get("layer", "chosen") == "chosen"]
    told = (f"Tower {row['towers'][0]} minus tower {row['towers'][1]}: {figure(row[measure])}." for row in rows[:1])
    return "".join(f" {one}" for one in told)


TASKS = {"upos": "part of speech", "deprel": "dependency relation", "lemma": "lemma", "topic": "topic"}


def _decoding(found: dict[str, Any]) -> list[str]:
    said = []
    for name, task in found["tasks"].items():
        if task.get("left_out"):
            said.append(f"{TASKS.get(name, name).capitalize()} was not decoded: {task['left_out']}.")
            continue
        accuracy, selectivity = (_each([row[one] for row in task["chosen"]]) for one in ("accuracy", "selectivity"))
        said.append(
            f"{TASKS.get(name, name).capitalize()} can be read off the towers with an accuracy of {accuracy} (always "
            f"the commonest label: {figure(task['majority']['accuracy'])}); selectivity {selectivity}."
        )
    return said


def _perturbed_masking(found: dict[str, Any]) -> list[str]:
    if found.get("left_out"):
        return [f"{found['left_out'][0].upper()}{found['left_out'][1:]}."]
    mine = [view["uuas"] for view in found["views"] if view["tower"]]
    right = figure(found["baselines"]["right_branching"]["uuas"])
    return [
        f"Perturbed masking: trees from the impact of words on each other have {_each(mine)} of the gold edges; those "
        f"of untrained towers {_each([one['null'] for one in mine])}, right-branching trees {right}."
        + _differ(found, "uuas")
    ]


def _words(found: dict[str, Any]) -> list[str]:
    counts = found["words"]
    said = [
        f"{counts['covered']:,} of the {counts['asked']:,} words that were asked for occur at least "
        f"{counts['least_occurrences']} times in the training text."
    ]
    for one in found["similarity"]:
        views = last_views(one["views"])
        if not views:
            said.append(f"{one['set']}: only {one['covered']} of {one['total']} pairs are covered, too few to measure.")
            continue
        if any(view["null"]["high"] is None for view in views):
            said.append(f"{one['set']}: its ratings are all alike, so there is nothing to measure.")
            continue
        bound = max(view["null"]["high"] for view in views)
        said.append(
            f"Word similarity, {one['set']} ({one['covered']} of {one['total']} pairs): the rank correlation with "
            f"people's ratings is {_each(views)} in the last layers of the towers; shuffled words reach {bound:.2f}."
        )
    for one in (found.get("norms") or {"norms": []})["norms"]:
        views = last_views(one["views"])
        if one["norm"] in ("concreteness", "age_of_acquisition") and views:
            said.append(
                f"{_norm(one['norm']).capitalize()} of {one['words']:,} words: the last layers of the towers explain "
                f"{_each(views)} of its variance; frequency and length explain {figure(one['baseline'])}."
            )
    return said


def _norm(name: str) -> str:
    return name.replace("_", " ")


def _similarity(found: dict[str, Any]) -> list[str]:
    rows = deepest(found["across"])
    if not rows:
        return []
    nulls = [row["cka"]["null"]["untrained"] for row in rows]
    return [
        f"The states of the towers' last layers have a CKA of {_each([row['cka'] for row in rows])} (0: unrelated, 1: "
        f"the same up to rotation and scale), over {found['tokens']:,} held-out tokens; those of untrained towers "
        f"{_each(nulls)}."
    ]


def _lesions(found: dict[str, Any]) -> list[str]:
    said = []
    upos = found.get("upos") or {}
    means = [row for row in upos.get("lesions", []) if row["way"] == "mean"]
    if means:
        losses = " and ".join(f"{figure(row['loss'])} nats without tower {row['tower']}" for row in means)
        said.append(f"All towers together lose {losses} per token (the tower's part replaced by its mean).")
    apart = upos.get("apart")
    if apart:
        said.append(
            f"The losses by word class are {figure(apart)} nats apart between the towers; random halves of the units "
            f"reach {apart['null']['high']:.2f} (p = {apart['p_value']:.2g})."
        )
    interaction = (found.get("pairs") or {}).get("interaction")
    if interaction:
        verdict = "a double dissociation" if interaction["crossover"] else "no double dissociation"
        said.append(
            f"Syntax against meaning: lesions of the two towers differ by {figure(interaction)} standard deviations "
            f"(p = {interaction['p_value']:.2g} against random halves of the units); this is {verdict} in this run."
        )
    return said


TELL: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "pairs": _pairs, "probe": _probe, "decoding": _decoding, "perturbed_masking": _perturbed_masking, "words": _words,
    "lesions": _lesions, "similarity": _similarity,
}  # fmt: skip
"""For each instrument by name, what its part of `results.json` says, in sentences."""
