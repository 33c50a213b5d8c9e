"""The section "What each tower knows": a part for each instrument that was used, with its tables and its figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .known import TASKS, TELL, last_views
from .summary import figure


@dataclass(frozen=True)
class Table:
    """A table of text; the first `left` columns are aligned to the left."""

    label: str
    head: list[str]
    rows: list[list[str]]
    left: int = 1


@dataclass(frozen=True)
class Part:
    """What one instrument found."""

    name: str
    title: str
    how: str
    """What it measures, in a sentence or two."""
    sentences: list[str]
    tables: list[Table] = field(default_factory=list)


def parts(results: dict[str, Any]) -> list[Part]:
    """A part for each instrument that was used, in a fixed order; none for a run that was asked nothing."""
    known = results.get("knowledge") or {}
    return [
        Part(name, title, how, TELL[name](known[name]) if name in TELL else [], tables(known[name]))
        for name, (title, how, tables) in PARTS.items()
        if known.get(name)
    ]


def _pairs(found: dict[str, Any]) -> list[Table]:
    heads = found["heads"]

    def row(one: dict[str, Any], *named: str) -> list[str]:
        apart = one.get("difference")
        return [*named, f"{one['pairs']:,}", *(figure(one["accuracy"][head]) for head in heads),
                figure(apart) if apart else "–"]  # fmt: skip

    said = ["together" if head == "joint" else "frequencies" if head == "frequency" else head for head in heads]
    head = ["pairs", *said, "difference"]
    kinds = [row(one, one["set"], one["kind"]) for one in found["kinds"]]
    paradigms = [row(one, one["paradigm"].replace("_", " "), one["kind"]) for one in found["paradigms"]]
    tables = [Table("Accuracy by kind of pair", ["set", "kind", *head], kinds, 2)] if kinds else []
    if paradigms:
        tables.append(Table("Accuracy by paradigm", ["paradigm", "kind", *head], paradigms, 2))
    return tables


MEASURES = {"uuas": "UUAS", "dspr": "DSpr", "root": "root", "nspr": "NSpr"}


def _probe(found: dict[str, Any]) -> list[Table]:
    rows = [[_view(view), *(figure(view[name]) for name in MEASURES)] for view in found["views"]]
    rows.append(["each word linked to the next", *(figure(found["linear_order"][name]) for name in MEASURES)])
    return [
        Table("Trees in the states, by layer", ["states of", *MEASURES.values()], rows),
        *_differences(found, MEASURES),
    ]


def _view(view: dict[str, Any]) -> str:
    return str(view["view"]) if view["trained"] or "untrained" in view["view"] else f"untrained {view['view']}"


def _differences(found: dict[str, Any], measures: dict[str, str]) -> list[Table]:
    rows = [
        [f"{row['towers'][0]} minus {row['towers'][1]}", str(row.get("layer", "output")),
         *(figure(row[name]) for name in measures)]
        for row in found["differences"]
    ]  # fmt: skip
    return [Table("Differences between towers", ["towers", "layer", *measures.values()], rows, 2)] if rows else []


def _decoding(found: dict[str, Any]) -> list[Table]:
    measures = {"accuracy": "accuracy", "control": "control task", "selectivity": "selectivity",
                "compression": "compression"}  # fmt: skip
    tables = []
    for name, task in found["tasks"].items():
        if task.get("left_out"):
            continue
        rows = [[_view(view), *(figure(view[one]) for one in measures)] for view in task["views"]]
        common = task["majority"]
        rows.append(["the commonest label", figure(common["accuracy"]), "–", "–", figure(common["compression"])])
        label = f"{TASKS.get(name, name).capitalize()} ({task['labels']} labels), by layer"
        tables.append(Table(label, ["states of", *measures.values()], rows))
    return tables


def _perturbed_masking(found: dict[str, Any]) -> list[Table]:
    if found.get("left_out"):
        return []
    measures = {"uuas": "UUAS", "uas": "UAS"}
    rows = [
        ["all towers together" if view["view"] == "joint" else view["view"],
         *(text for name in measures for text in (figure(view[name]), figure(view[name]["null"])))]
        for view in found["views"]
    ]  # fmt: skip
    rows += [
        [f"{name.replace('_', '-')} trees", *(text for one in measures for text in (figure(values[one]), "–"))]
        for name, values in found["baselines"].items()
    ]
    head = ["states of", *(text for name in measures.values() for text in (name, f"{name}, untrained"))]
    return [Table("Trees from the impact of words on each other", head, rows), *_differences(found, measures)]


def _words(found: dict[str, Any]) -> list[Table]:
    tables = []
    sets = [one for one in found["similarity"] if one["views"]]
    if sets:
        towers = [view["tower"] for view in last_views(sets[0]["views"])]
        head = ["set", "pairs", "shared embedding", *(f"tower {k}" for k in towers), "difference", "untrained"]
        rows = []
        for one in sets:
            shared = next(view for view in one["views"] if view["tower"] == 0 and view["trained"])
            floor = ", ".join(f"{view['estimate']:.2f}" for view in last_views(one["views"], trained=False))
            rows.append([one["set"], f"{one['covered']} of {one['total']}", figure(shared),
                         *map(figure, last_views(one["views"])), _difference(one["differences"]), floor])  # fmt: skip
        tables.append(Table("Correlation with people's ratings of similarity, last layers", head, rows))
    norms = [one for one in (found.get("norms") or {"norms": []})["norms"] if one["views"]]
    if norms:
        towers = [view["tower"] for view in last_views(norms[0]["views"])]
        head = ["norm", "words", "frequency and length", *(f"tower {k}" for k in towers),
                *(f"tower {k} beyond these" for k in towers), "difference"]  # fmt: skip
        rows = [
            [one["norm"].replace("_", " "), f"{one['words']:,}", figure(one["baseline"]),
             *map(figure, last_views(one["views"])),
             *(figure(view["beyond_baseline"]) for view in last_views(one["views"])), _difference(one["differences"])]
            for one in norms
        ]  # fmt: skip
        tables.append(Table("Share of the variance of norms that is predicted (R²), last layers", head, rows))
    return tables


def _difference(rows: list[dict[str, Any]]) -> str:
    """The difference of the first two towers in the last layer."""
    return figure(max(rows, key=lambda row: row["layer"])) if rows else "–"


def _similarity(found: dict[str, Any]) -> list[Table]:
    rows = [
        [f"layer {one['layer']}", f"{one['towers'][0]} and {one['towers'][1]}",
         *(text for name in ("cka", "procrustes") for text in (
             figure(one[name]), figure(one[name]["null"]["untrained"]), figure(one[name]["null"]["shuffled"])))]
        for one in found["across"]
    ]  # fmt: skip
    head = ["layer", "towers", "CKA", "untrained towers", "shuffled tokens",
            "Procrustes distance", "untrained towers", "shuffled tokens"]  # fmt: skip
    return [Table("Likeness of the towers, layer by layer", head, rows, 2)] if rows else []


def _lesions(found: dict[str, Any]) -> list[Table]:
    tables = []
    for key, label in (("upos", "word class"), ("relations", "dependency relation")):
        means = [row for row in (found.get(key) or {}).get("lesions", []) if row["way"] == "mean"]
        if means:
            head = [label, "tokens", *(f"without tower {row['tower']}" for row in means)]
            losses = [{one["class"]: one for one in row["classes"]} for row in means]
            rows = [
                [name, f"{one['occurrences']:,}", *(figure(classes[name]["loss"]) for classes in losses)]
                for name, one in losses[0].items()
                if all(name in classes for classes in losses)
            ]
            tables.append(Table(f"Nats lost by {label}", head, rows))
    pairs = found.get("pairs") or {}
    if pairs.get("losses"):
        rows = [
            [f"tower {row['tower']}", row["way"], row["kind"], figure(row["accuracy"]), figure(row["margin"])]
            for row in pairs["losses"]
        ]
        head = ["lesion of", "replaced by", "kind of pair", "accuracy lost", "margin lost (nats)"]
        tables.append(Table("What lesions cost on minimal pairs", head, rows, 3))
    return tables


PARTS: dict[str, tuple[str, str, Callable[[dict[str, Any]], list[Table]]]] = {
    "pairs": (
        "Minimal pairs",
        "Two sentences differ in one place, which makes one of them ungrammatical (syntax) or implausible (meaning). "
        "Accuracy is the share of pairs in which the better sentence has the higher log-probability.",
        _pairs,
    ),
    "probe": (
        "Structural probe",
        "A linear map of the states is trained so that distances between words are distances in the dependency tree. "
        "UUAS is the share of gold edges that it finds in sentences it was not trained on; DSpr and NSpr are rank "
        "correlations of distances and of depths.",
        _probe,
    ),
    "decoding": (
        "Linear decoding",
        "A linear classifier reads a label off a word's state. Selectivity is its accuracy minus that on random labels "
        "of word types: what is left when memory of words is taken away. Compression is how much shorter than a "
        "uniform code the labels become.",
        _decoding,
    ),
    "perturbed_masking": (
        "Perturbed masking",
        "The impact of one word on another is how far the state of the other, hidden, moves when the first is hidden "
        "as well. Trees of the greatest impact are compared with gold trees; nothing is trained.",
        _perturbed_masking,
    ),
    "words": (
        "Meanings of words",
        "A word is the mean state of its occurrences in the last layer of a tower, or its vector in the shared "
        "embedding. Cosines of words are compared with people's ratings of similarity; ridge regression predicts norms "
        "such as concreteness for words that it was not fitted on. The difference is tower 1 minus tower 2.",
        _words,
    ),
    "lesions": (
        "Lesions",
        "What a tower contributes to the joint prediction is replaced by its mean, by zero, or by its values at "
        "another position. What is lost shows what only this tower contributes.",
        _lesions,
    ),
    "similarity": (
        "Likeness of the towers' layers",
        "Unbiased linear CKA is 1 where two layers hold the same states up to rotation and scale, and 0 on average "
        "where they are unrelated. The squared Procrustes distance runs from 0 (the same) to 2.",
        _similarity,
    ),
}
"""For each instrument its title, what it measures, and its tables, in the order of the page."""
