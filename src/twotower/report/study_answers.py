"""What a study found, in sentences: each with its figures, its null and the number of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..comparison.figures import distinct_groups
from ..data.tagging import NONE
from ..preference.direction import DIVIDED
from .finding import UNTAGGED
from .instruments.record import figure
from .style import plural

Row = dict[str, Any]


def finding(study: dict[str, Any]) -> str:
    """What was measured, in one sentence."""
    pairs = [row for row in study["runs"] if not row["stranger"] and row["towers"] > 1]
    known = [row for row in pairs if row["reliability"]["estimate"] is not None]
    if not pairs:
        return "No run of this study is a pair of cooperating towers: it has nothing to compare with strangers."
    if not known:
        return "How the towers divide the work could not be measured: no run of this study has enough held-out text."
    text = f"In {len(known)} pairs preferences measured twice correlate with r = {_range(_each(known, _reliability))}"
    others = _each([row for row in study["runs"] if row["stranger"]], _reliability)
    return text + (f"; in {len(others)} pairs of strangers with r = {_range(others)}." if others else ".")


def conclusions(study: dict[str, Any]) -> list[str]:
    """Four answers: is there a preference (C1), is it consistent (C2), does it follow word class, and context (C3)."""
    pairs = [row for row in study["runs"] if not row["stranger"] and row["towers"] > 1]
    strangers = [row for row in study["runs"] if row["stranger"]]
    return [
        _reliable(pairs, strangers, study["excess_over_strangers"]),
        _consistent(study),
        _classes(pairs, strangers, study),
        _context(pairs, study["signs"]),
    ]


def _reliable(pairs: list[Row], strangers: list[Row], excess: list[Row]) -> str:
    question = "C1: do the towers come to prefer different tokens?"
    known = [row for row in pairs if row["reliability"]["estimate"] is not None]
    if not known:
        return f"{question} This could not be measured: no run has enough text."
    above = sum(row["reliability"]["low"] is not None and row["reliability"]["low"] > 0 for row in known)
    text = (
        f"{question} Preferences measured on other documents with other readouts correlate with "
        f"r = {_range(_each(known, _reliability))}, above 0 in {above} of {len(known)} pairs (0 means no difference "
        "between towers)"
    )
    others = _each(strangers, _reliability)
    if others:
        text += f". For strangers, which do not cooperate, r = {_range(others)}"
        text += _excesses(excess, "reliability")
    clusters = [row["clusters"]["order"]["estimate"] for row in known if row["clusters"] and row["clusters"]["order"]]
    if clusters:
        text += f". Between early and late documents, r = {_range(clusters)}"
    return text + "."


def _reliability(row: Row) -> float | None:
    value: float | None = row["reliability"]["estimate"]
    return value


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
            f"{name} {figure(group)} (chance {number(group['chance'])}, p = {group['p_value']:.2g})"
            for name, group in distinct_groups(one["groups"]).items()
        )
        said.append(
            f"The preferences of {one['types']:,} {one['shared']} ({one['corpus']}) have, beyond frequency, an RMS r "
            f"of: {groups}"
        )
    return f"{question} {'. '.join(said)}."


def _classes(pairs: list[Row], strangers: list[Row], study: dict[str, Any]) -> str:
    question = "C3: does the division follow word class?"
    known = [row for row in pairs if row["explained"]]
    if not known:
        why = (
            UNTAGGED if pairs and all(row.get("tagger") == NONE for row in pairs) else "no run has enough tagged words"
        )
        return f"{question} This could not be measured: {why}."
    passed = sum(row["explained"]["p_value"] < 0.05 for row in known)
    text = (
        f"{question} Word class explains {_range([row['explained']['estimate'] for row in known], percent=True)} of "
        f"the variance between words beyond frequency, more than exchanged labels in {passed} of {len(known)} pairs "
        "(p < 0.05)"
    )
    if others := [row["explained"] for row in strangers if row["explained"]]:
        text += (
            f". In strangers it explains {_range([one['estimate'] for one in others], percent=True)} (p < 0.05 in "
            f"{sum(one['p_value'] < 0.05 for one in others)} of {len(others)})"
        )
        text += _excesses(study["excess_over_strangers"], "explained")
    if nominal := [row["nominal"] for row in known if row["nominal"]]:
        apart = sum(one["p_value"] < 0.05 for one in nominal)
        text += (
            f". Nominal words differ from verbal and grammatical ones of like frequency in {apart} of {len(nominal)}"
        )
    text += _class_effects(study["class_effects"])
    ends = [row["direction"]["difference"]["low"] for row in known if row["direction"]]
    if by_direction := [low for low in ends if low is not None and low > DIVIDED]:
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
