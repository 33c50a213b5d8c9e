"""What the towers of many runs know: instruments of syntax against instruments of meaning, with runs as the unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..statistics.tallies import Floats

SYNTAX, MEANING, FREQUENCY = "syntax", "meaning", "frequency"
CONFIDENCE = 0.95
DRAWS = 9999
FEWEST = 5
"""Runs from which two instruments are compared."""
Known = dict[str, Any]
Difference = tuple[str, str, float, float | None]
"""An instrument, what it is of, tower 1 minus tower 2, and the p-value of that difference where it has one."""


def differences(known: Known) -> list[Difference]:
    """By how much the first tower of a run exceeds the second, by instrument; `known` is `knowledge` of its results."""
    return [found for name, read in READERS.items() if known.get(name) for found in read(known[name])]


def _pairs(found: Known) -> Iterable[Difference]:
    for one in found["kinds"]:
        if one["difference"] and one["kind"] in (SYNTAX, MEANING):
            apart = one["difference"]
            yield f"minimal pairs, {one['set']}", one["kind"], apart["estimate"], apart["p_value"]


def _lesions(found: Known) -> Iterable[Difference]:
    words, pairs = found["upos"], found["pairs"]
    if slope := words.get("by_frequency"):
        yield "lesions, by frequency", FREQUENCY, slope["estimate"], slope["p_value"]
    if pairs and pairs.get("interaction"):
        means = [one for one in pairs["losses"] if one["way"] == "mean"]
        cost = {(one["tower"], one["kind"]): one["margin"]["estimate"] for one in means}
        for kind in (SYNTAX, MEANING):
            yield "lesions, minimal pairs", kind, cost[1, kind] - cost[2, kind], None


def _probe(found: Known) -> Iterable[Difference]:
    for row in found["differences"]:
        if row["layer"] == "chosen":
            yield "structural probe, UUAS", SYNTAX, row["uuas"]["estimate"], None


def _decoding(found: Known) -> Iterable[Difference]:
    for task, of in (("upos", SYNTAX), ("deprel", SYNTAX), ("lemma", MEANING), ("topic", MEANING)):
        for row in found["tasks"][task].get("differences", []):
            if row["layer"] == "chosen":
                yield f"decoding of {task}", of, row["accuracy"]["estimate"], None


def _words(found: Known) -> Iterable[Difference]:
    for one in found["similarity"]:
        if one.get("differences"):
            yield f"word similarity, {one['set']}", MEANING, one["differences"][-1]["estimate"], None
    for one in (found["norms"] or {}).get("norms", []):
        if one.get("differences"):
            yield f"norms, {one['norm']}", MEANING, one["differences"][-1]["estimate"], None


READERS: dict[str, Callable[[Known], Iterable[Difference]]] = {
    "pairs": _pairs,
    "probe": _probe,
    "decoding": _decoding,
    "words": _words,
    "lesions": _lesions,
}
"""For each instrument whose towers are compared over runs, what its part of `results.json` says of them."""


def knowledge_of_runs(runs: Sequence[tuple[str, bool, Known]]) -> dict[str, Any] | None:
    """Instruments of syntax × instruments of meaning × towers, over runs of two towers.

    A tower's number means nothing, so what is compared is whether the tower that is ahead by one instrument is ahead,
    or behind, by another.

    Args:
        runs: name, whether its towers are strangers, and `knowledge` of its results, of each run that has it.

    Returns:
        `instruments`: for each, and for pairs and strangers apart, in how many of how many runs the towers differ
        (p < 0.05), and the mean size of the difference; `table`: for each two instruments of different things the
        `association` of the towers' differences (see `association`), of pairs and of strangers; `runs`: the differences
        of each run. None without a run.
    """
    if not runs:
        return None
    rows: list[dict[str, Any]] = [
        {"run": name, "stranger": stranger, "differences": [
            {"instrument": instrument, "of": of, "estimate": estimate, "p_value": p_value}
            for instrument, of, estimate, p_value in differences(known)
        ]}
        for name, stranger, known in runs
    ]  # fmt: skip
    order = list(dict.fromkeys((one["instrument"], one["of"]) for row in rows for one in row["differences"]))
    by_run = [{(one["instrument"], one["of"]): one for one in row["differences"]} for row in rows]
    instruments, table = [], []
    for stranger in (False, True):
        mine = [found for row, found in zip(rows, by_run, strict=True) if row["stranger"] == stranger]
        for key in order:
            found = [one[key] for one in mine if key in one]
            tested = [one["p_value"] for one in found if one["p_value"] is not None]
            if found:
                instruments.append(
                    {"instrument": key[0], "of": key[1], "stranger": stranger, "runs": len(found),
                     "size": float(np.mean([abs(one["estimate"]) for one in found])),
                     "tested": len(tested), "passed": sum(p < 1 - CONFIDENCE for p in tested)}
                )  # fmt: skip
        for number, first in enumerate(order):
            for second in order[number + 1 :]:
                having = [one for one in mine if first in one and second in one]
                both = np.array([[one[name]["estimate"] for name in (first, second)] for one in having])
                if first[1] != second[1] and len(both) >= FEWEST:
                    table.append(
                        {"first": {"instrument": first[0], "of": first[1]},
                         "second": {"instrument": second[0], "of": second[1]},
                         "stranger": stranger, **association(both[:, 0], both[:, 1], np.random.default_rng(0))}
                    )  # fmt: skip
    return {"instruments": instruments, "table": table, "runs": rows}


def association(first: Floats, second: Floats, generator: np.random.Generator) -> dict[str, Any]:
    """Whether the tower that is ahead by one instrument is ahead by another, over runs; each of shape (runs,).

    The cosine of the two instruments' differences: +1 where the same tower is ahead by both, -1 where each has its own
    (a double dissociation). It stays the same when the towers of a run change places. The interval is a bootstrap over
    runs; the p-value, two-sided, changes the sign of one instrument's difference in each run at random. `agree`: in how
    many of the runs the signs do. Where all differences of an instrument are 0 there is no cosine: it and its interval
    are NaN, and `p_value` is None, so that it counts in no family of tests.
    """

    def cosine(a: Floats, b: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Floats = (a * b).sum(axis=-1) / np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
        return found

    found: dict[str, Any] = {"runs": len(first), "agree": int((np.sign(first) == np.sign(second)).sum())}
    estimate = float(cosine(first, second))
    if not np.isfinite(estimate):
        return found | {"estimate": np.nan, "low": np.nan, "high": np.nan, "p_value": None}
    signs = generator.choice([-1.0, 1.0], size=(DRAWS, len(first)))
    chance = np.abs(cosine(signs * first, second))
    drawn = generator.integers(len(first), size=(DRAWS, len(first)))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(cosine(first[drawn], second[drawn]), [tail, 1 - tail])
    return found | {
        "estimate": estimate, "low": float(low), "high": float(high),
        "p_value": float((1 + (chance >= abs(estimate) - 1e-12).sum()) / (DRAWS + 1)),
    }  # fmt: skip
