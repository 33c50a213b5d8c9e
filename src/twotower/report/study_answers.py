"""What a study found, in sentences: each with its figures, its null and the number of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..comparison.figures import distinct_groups
from ..preference.direction import divides
from .style import plural
from .summary import beyond_null, figure, is_reliable

Row = dict[str, Any]


def finding(study: dict[str, Any]) -> str:
    """The page's finding in one sentence."""
    pairs = [row for row in study["runs"] if not row["stranger"] and row["towers"] > 1]
    known = [row for row in pairs if _across(row) is not None]
    if not known:
        return "No run of this study has enough held-out text to show how its towers divide the work."
    reliable = sum(is_reliable(row["reliability"]) for row in known)
    text = f"In {_of(reliable, len(known))} the towers divide the work reliably"
    if by_direction := sum(bool(row["direction"] and divides(row["direction"])) for row in known):
        text += f"; in {_of(by_direction, len(known))} they divide it by reading direction"
    tagged = [row for row in known if row["spread"]]
    if tagged:
        beyond = sum(beyond_null(row["spread"]) for row in tagged)
        text += f"; in {_of(beyond, len(tagged))} the division follows word class beyond chance"
    return text + "."


def _of(some: int, all_: int) -> str:
    """How many of the pairs, in words that also fit one pair."""
    if all_ == 1:
        return "the only pair" if some else "no pair"
    return f"all {all_} pairs" if some == all_ else f"{some} of {all_} pairs"


def conclusions(study: dict[str, Any]) -> list[str]:
    """Four answers: is there a preference (C1), is it consistent (C2), does it follow word class, and context (C3)."""
    pairs = [row for row in study["runs"] if not row["stranger"] and row["towers"] > 1]
    strangers = [row for row in study["runs"] if row["stranger"]]
    return [
        _reliable(pairs, strangers, study["excess_over_strangers"]),
        _consistent(study),
        _classes(pairs, strangers, study),
        _context(pairs, study["counts"]["signs"]),
    ]


def _reliable(pairs: list[Row], strangers: list[Row], excess: list[Row]) -> str:
    question = "C1: do the towers come to prefer different tokens?"
    known = [row for row in pairs if _across(row) is not None]
    if not known:
        return f"{question} No run has enough text to answer this."
    text = (
        f"{question} Yes in {sum(is_reliable(row['reliability']) for row in known)} of {len(known)} pairs: their "
        f"preferences are reliable across documents and readouts (r = {_range(_each(known, _across))}; 0 means no "
        "difference between towers)"
    )
    others = _each(strangers, _across)
    if others:
        text += f". For strangers, which do not cooperate, r = {_range(others)}"
        text += _excesses(excess, "reliability across readouts")
    clusters = [row["clusters"]["order"]["estimate"] for row in known if row["clusters"] and row["clusters"]["order"]]
    if clusters:
        text += f". Between early and late documents, r = {_range(clusters)}"
    return text + "."


def _across(row: Row) -> float | None:
    across = row["reliability"].get("across_readouts")
    return None if across is None else across["estimate"]


def _consistent(study: dict[str, Any]) -> str:
    question = "C2: do different runs divide the work in the same way?"
    profiles, agreements = study["profiles"], [one for one in study["agreement"] if not one["strangers"]]
    if profiles is None and not agreements:
        return f"{question} A single pair of towers cannot show this. Give more seeds, presets or corpora."
    said = []
    if profiles:
        axis, whole = profiles["axes"][0], profiles["agreement"]["all"]
        ends = sorted(axis["classes"], key=lambda name: -float(axis["classes"][name]))
        shared = "share an axis" if axis["share"] > axis["null_high"] else "share no axis beyond chance"
        one, other = (" and ".join([", ".join(map(plural, some[:2])), plural(some[2])]) for some in (ends, ends[-3:]))
        said.append(
            f"The word-class profiles of {len(profiles['runs'])} pairs {shared}. The first axis takes "
            f"{100 * axis['share']:.0f} % of them; chance gives at most {100 * axis['null_high']:.0f} % "
            f"(p = {axis['p_value']:.2g}). It has {one} at one end, {other} at the other. The correlation of two "
            f"profiles is {figure(whole)} (RMS r); chance gives {whole['chance']:.2f} (p = {whole['p_value']:.2g})"
        )
        if profiles["mixed_tags"]:
            said.append("Beware: the runs were tagged in different ways, so their word classes differ in part")
    for one in agreements:
        groups = "; ".join(
            f"{name} {group['estimate']:.2f} [{group['low']:.2f}, {group['high']:.2f}] (noise floor "
            f"{group['noise_floor']['estimate']:.2f}, p = {group['p_value']:.2g})"
            for name, group in distinct_groups(one["groups"]).items()
        )
        said.append(f"The preferences of {one['types']:,} {one['shared']} ({one['corpus']}) have an RMS r of: {groups}")
    return f"{question} {'. '.join(said)}."


def _classes(pairs: list[Row], strangers: list[Row], study: dict[str, Any]) -> str:
    question = "C3: does the division follow word class?"
    known = [row for row in pairs if row["spread"]]
    if not known:
        return f"{question} No run has enough tagged words to answer this."
    text = (
        f"{question} In {sum(beyond_null(row['spread']) for row in known)} of {len(known)} pairs the spread of the "
        f"word classes exceeds its null and noise floor ({_range([row['spread']['estimate'] for row in known])} nats; "
        f"chance gives at most {_range([row['spread']['null']['high'] for row in known])})"
    )
    if rest := [one for row in known if (one := row["spread"].get("without_most_frequent"))]:
        beyond = sum(one["estimate"] > one["null"]["high"] for one in rest)
        text += f". Without the ten most frequent words it exceeds its null in {beyond} of {len(rest)}"
    if explained := [row["explained"]["estimate"] for row in known if row["explained"]]:
        text += (
            f". Word class explains {_range(explained, percent=True)} of the variance between words beyond frequency"
        )
    if others := [row["spread"] for row in strangers if row["spread"]]:
        text += (
            f". The spread of strangers does so in {sum(beyond_null(one) for one in others)} of {len(others)} "
            f"({_range([one['estimate'] for one in others])} nats)"
        )
        text += _excesses(study["excess_over_strangers"], "spread")
    for one in study["counts"]["passed"]:
        if one["group"] == "all" and not one["stranger"] and one["figure"] == "nominal contrast":
            text += (
                f". Nominal words differ from verbal and grammatical ones of like frequency in {one['passed']} of "
                f"{one['runs']} pairs (p = {one['p_value']:.2g})"
            )
    separated = [row for row in known if row["separation"]["p_value"] is not None]
    if separated:
        passed = sum(row["separation"]["p_value"] < 0.05 for row in separated)
        text += f". Function words differ from content words in {passed} of {len(separated)}"
    text += _class_effects(study["class_effects"])
    if by_direction := [row for row in known if row["direction"] and divides(row["direction"])]:
        text += (
            f". {len(by_direction)} pairs divide the work by reading direction. In these, a preference for a class is "
            "no evidence of syntax and semantics by itself"
        )
    return text + "."


def _context(pairs: list[Row], signs: dict[str, Any]) -> str:
    question = "Does it follow topic and far context?"
    slopes = [row["topicality"] for row in pairs if row["topicality"] and row["topicality"]["low"] is not None]
    if not slopes:
        return f"{question} No run has enough text to answer this."
    sure = sum(one["low"] > 0 or one["high"] < 0 for one in slopes)
    size = _range([abs(one["estimate"]) for one in slopes], 3)
    text = (
        f"{question} In {sure} of {len(slopes)} pairs one tower follows the topic: it is the better one where a word "
        f"is typical of its document ({size} nats per standard deviation of topicality)"
    )
    for name, said in (
        ("topicality and far context", "also gains more from far context"),
        ("topicality and nominal words", "also prefers nominal words"),
    ):
        one = signs[name]
        if one["runs"]:
            text += f". That tower {said} in {one['agree']} of {one['runs']} (sign test, p = {one['p_value']:.2g})"
    return text + "."


def _excesses(excess: Iterable[Row], kind: str) -> str:
    said = [
        f"{one['group']} {figure(one)}" + (f", p = {one['p_value']:.2g}" if one["p_value"] is not None else "")
        for one in excess
        if one["figure"] == kind
    ]
    return f" (excess over strangers: {'; '.join(said)})" if said else ""


def _class_effects(effects: list[Row]) -> str:
    said = [
        f"{effect['group']}, {effect['contrast']}: {figure(effect['class'], digits=3)} nats, "
        f"p = {effect['class']['p_value']:.2g}"
        for effect in effects
        if not effect["stranger"]
    ]
    return f". Over seeds, class differs beyond frequency and length by: {'; '.join(said)}" if said else ""


def _each(rows: Sequence[Row], of: Any) -> list[float]:
    return [value for row in rows if (value := of(row)) is not None]


def _range(values: list[float], digits: int = 2, percent: bool = False) -> str:
    low, high = min(values), max(values)
    if percent:
        return f"{100 * low:.0f} %" if len(values) == 1 else f"{100 * low:.0f} to {100 * high:.0f} %"
    return f"{low:.{digits}f}" if len(values) == 1 else f"{low:.{digits}f} to {high:.{digits}f}"


def number(value: float | None, digits: int = 2) -> str:
    """A number for a table: a dash where there is none, one significant digit where it is too small."""
    return "–" if value is None else f"{value:.{digits}f}" if abs(value) >= 10**-digits else f"{value:.1g}"
