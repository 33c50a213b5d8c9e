"""What a study found, in sentences: each with its figures, its null and the number of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

from ..comparison.families import distinct_groups
from ..comparison.figures import ExcessOfGroup, RunOfStudy
from ..comparison.profiles import AgreementOfSigns
from ..comparison.study import EffectInGroup, Study
from ..data.tagging import NONE
from ..preference.direction import divides
from ..statistics.intervals import is_known
from .finding import UNTAGGED
from .style import plural
from .summary import figure, p_value


def finding(study: Study) -> str:
    """How far the pairs differ and what they gain together, beside strangers, in one sentence."""
    pairs = [row for row in study.runs if not row.stranger and row.towers > 1]
    known = [row for row in pairs if row.size is not None]
    if not pairs:
        return "No run of this study is a pair of cooperating towers: it has nothing to compare with strangers."
    if not known:
        return "How the towers divide the work could not be measured: no run of this study has enough held-out text."
    strangers = [row for row in study.runs if row.stranger and row.size is not None]
    many = "In 1 pair" if len(known) == 1 else f"In {len(known)} pairs"
    text = f"{many} the towers differ by D = {_range(_sizes(known))} nats"
    if strangers:
        text += f", strangers by {_range(_sizes(strangers))}"
    if gains := _gains(known):
        text += f"; together they gain {_range(gains, 3)} nats per token over the better one"
        if others := _gains(strangers):
            text += f", strangers {_range(others, 3)}"
    control = "" if strangers else " No strangers were trained to compare them with."
    return f"{text}.{control}"


def _sizes(rows: Sequence[RunOfStudy]) -> list[float]:
    return [row.size.estimate for row in rows if row.size]


def _gains(rows: Sequence[RunOfStudy]) -> list[float]:
    return [row.surplus.estimate for row in rows if row.surplus]


def conclusions(study: Study) -> list[str]:
    """Four answers: is there a preference (C1), is it consistent (C2), does it follow word class, and context (C3)."""
    pairs = [row for row in study.runs if not row.stranger and row.towers > 1]
    strangers = [row for row in study.runs if row.stranger]
    return [
        _reliable(pairs, strangers, study.excess_over_strangers),
        _consistent(study),
        _classes(pairs, strangers, study),
        _context(pairs, study.signs),
    ]


def _reliable(pairs: list[RunOfStudy], strangers: list[RunOfStudy], excess: list[ExcessOfGroup]) -> str:
    question = "C1: do the towers come to prefer different tokens?"
    known = [row for row in pairs if isfinite(row.reliability.estimate)]
    if not known:
        return f"{question} This could not be measured: no run has enough text."
    above = sum(row.reliability.low > 0 for row in known)
    text = (
        f"{question} Preferences measured on other documents with other readouts correlate with "
        f"r = {_range(_reliabilities(known))}, above 0 in {above} of {len(known)} pairs (0 means no difference "
        "between towers)"
    )
    others = _reliabilities(strangers)
    if others:
        text += f". For strangers, which do not cooperate, r = {_range(others)}"
        text += _excesses(excess, "reliability")
    clusters = [row.clusters.order.estimate for row in known if row.clusters and row.clusters.order]
    if clusters:
        text += f". Between early and late documents, r = {_range(clusters)}"
    return text + "."


def _reliabilities(rows: Iterable[RunOfStudy]) -> list[float]:
    return [row.reliability.estimate for row in rows if isfinite(row.reliability.estimate)]


def _consistent(study: Study) -> str:
    question = "C2: do different runs divide the work in the same way?"
    profiles, agreements = study.profiles, [one for one in study.agreement if not one.strangers]
    if profiles is None and not agreements:
        return f"{question} A single pair of towers cannot show this. Give more seeds, presets or corpora."
    said = []
    if profiles:
        axis, whole = profiles.axes[0], profiles.agreement["all"]
        ends = sorted(axis.classes, key=lambda name: -axis.classes[name])
        shared = "share an axis" if axis.share > axis.null_high else "share no axis beyond chance"
        one, other = (" and ".join([", ".join(map(plural, some[:2])), plural(some[2])]) for some in (ends, ends[-3:]))
        said.append(
            f"The word-class profiles of {len(profiles.runs)} pairs {shared}. The first axis takes "
            f"{100 * axis.share:.0f} % of them; chance gives at most {100 * axis.null_high:.0f} % "
            f"(p = {axis.p_value:.2g}). It has {one} at one end, {other} at the other. The correlation of two "
            f"profiles is {figure(whole)} (RMS r); chance gives {whole.chance:.2f} (p = {whole.p_value:.2g})"
        )
        if profiles.mixed_tags:
            said.append("Beware: the runs were tagged in different ways, so their word classes differ in part")
    for text in agreements:
        groups = "; ".join(
            f"{name} {figure(group)} (chance {number(group.chance)}, p = {group.p_value:.2g})"
            for name, group in distinct_groups(text.agreement.groups).items()
        )
        said.append(
            f"The preferences of {text.agreement.types:,} {text.shared} ({text.corpus}) have, beyond frequency, an "
            f"RMS r of: {groups}"
        )
    return f"{question} {'. '.join(said)}."


def _classes(pairs: list[RunOfStudy], strangers: list[RunOfStudy], study: Study) -> str:
    question = "C3: does the division follow word class?"
    known = [row.explained for row in pairs if row.explained]
    if not known:
        why = UNTAGGED if pairs and all(row.tagger == NONE for row in pairs) else "no run has enough tagged words"
        return f"{question} This could not be measured: {why}."
    passed = sum(one.p_value < 0.05 for one in known)
    text = (
        f"{question} Word class explains {_range([one.estimate for one in known], percent=True)} of "
        f"the variance between words beyond frequency, more than exchanged labels in {passed} of {len(known)} pairs "
        "(p < 0.05)"
    )
    if others := [row.explained for row in strangers if row.explained]:
        text += (
            f". In strangers it explains {_range([one.estimate for one in others], percent=True)} (p < 0.05 in "
            f"{sum(one.p_value < 0.05 for one in others)} of {len(others)})"
        )
        text += _excesses(study.excess_over_strangers, "explained")
    if nominal := [row.nominal for row in pairs if row.explained and row.nominal]:
        apart = sum(one.p_value < 0.05 for one in nominal)
        text += (
            f". Nominal words differ from verbal and grammatical ones of similar frequency in {apart} of {len(nominal)}"
        )
    text += _class_effects(study.class_effects)
    if by_direction := [row for row in pairs if row.explained and row.direction and divides(row.direction)]:
        text += (
            f". {len(by_direction)} pairs divide the work by reading direction. In these, a preference for a class is "
            "no evidence of syntax and semantics by itself"
        )
    return text + "."


def _context(pairs: list[RunOfStudy], signs: dict[str, AgreementOfSigns]) -> str:
    question = "Does it follow topic and far context?"
    slopes = [row.topicality for row in pairs if row.topicality and is_known(row.topicality)]
    if not slopes:
        return f"{question} No run has enough text to answer this."
    sure = sum(one.low > 0 or one.high < 0 for one in slopes)
    size = _range([abs(one.estimate) for one in slopes], 3)
    text = (
        f"{question} In {sure} of {len(slopes)} pairs one tower follows the topic: it is the better one where a word "
        f"is typical of its document ({size} nats per standard deviation of topicality)"
    )
    for name, said in (
        ("topicality and far context", "also gains more from far context"),
        ("topicality and nominal words", "also prefers nominal words"),
    ):
        one = signs[name]
        if one.runs:
            text += f". That tower {said} in {one.agree} of {one.runs} (sign test, p = {p_value(one.p_value)})"
    return text + "."


def _excesses(rows: Iterable[ExcessOfGroup], kind: str) -> str:
    said = [
        f"{row.group} {figure(row.excess)}" + ("" if row.excess.p_value is None else f", p = {row.excess.p_value:.2g}")
        for row in rows
        if row.figure == kind
    ]
    return f" (excess over strangers: {'; '.join(said)})" if said else ""


def _class_effects(effects: list[EffectInGroup]) -> str:
    said = [
        f"{row.group}, {row.contrast}: {figure(row.model.effect, digits=3)} nats, p = {row.model.effect.p_value:.2g}"
        for row in effects
        if not row.stranger
    ]
    return f". Over seeds, class differs beyond frequency and length by: {'; '.join(said)}" if said else ""


def _range(values: list[float], digits: int = 2, percent: bool = False) -> str:
    ends = [f"{100 * end:.0f}" if percent else f"{end:.{digits}f}" for end in (min(values), max(values))]
    return " to ".join(dict.fromkeys(ends)) + (" %" if percent else "")


def number(value: float | None, digits: int = 2) -> str:
    """A number for a table: a dash where there is none, one significant digit where it is too small."""
    if value is None or not isfinite(value):
        return "–"
    return f"{value:.{digits}f}" if abs(value) >= 10**-digits else f"{value:.1g}"
