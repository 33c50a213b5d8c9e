"""What a study found, in sentences: each with its figures, its null and the number of runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median

from ..comparison.agreement import AgreementOfPairs
from ..comparison.families import distinct_groups
from ..comparison.figures import NOTHING_PLANTED, ExcessOfGroup, RunOfStudy
from ..comparison.profiles import AgreementOfSigns
from ..comparison.study import Study
from ..data.tagging import NONE
from ..preference.direction import divides
from ..preference.division import CLASS, TOPIC, holds, row_of
from ..statistics.intervals import is_known
from .finding import UNTAGGED, label_name
from .numbers import figure, number, p_value, span


def finding(study: Study) -> str:
    """How many pairs divide the work, by how much they differ and what they gain, beside strangers, in one sentence."""
    pairs = [row for row in study.runs if row.natural]
    known = [row for row in pairs if row.size is not None]
    if not pairs:
        return "No run of this study is a pair of cooperating towers: it has nothing to compare with strangers."
    if not known:
        return "How the towers divide the work could not be measured: no run of this study has enough held-out text."
    strangers = [row for row in study.runs if row.stranger and row.size is not None]
    text = f"{_verdicts(known)}. They differ by D = {span(sizes(known))} nats"
    if strangers:
        text += f", strangers by {span(sizes(strangers))}"
    if gains := _gains(known):
        text += f"; together they gain {span(gains, 3)} nats per token over the better one"
        if others := _gains(strangers):
            text += f", strangers {span(others, 3)}"
    control = "" if strangers else " No strangers were trained to compare them with."
    return f"{text}.{control}"


def _verdicts(pairs: Sequence[RunOfStudy]) -> str:
    """`The towers divide the work in 2 of 3 pairs (undecided in 1)`."""
    verdicts = [row.divides for row in pairs]
    others = [f"{name} in {verdicts.count(name)}" for name in ("no", "undecided", "not measurable") if name in verdicts]
    text = f"The towers divide the work in {verdicts.count('yes')} of {counted(len(pairs))}"
    return text + (f" ({', '.join(others)})" if others else "")


def counted(pairs: int) -> str:
    """So many pairs."""
    return "1 pair" if pairs == 1 else f"{pairs} pairs"


def sizes(rows: Sequence[RunOfStudy]) -> list[float]:
    """D of those in which it could be measured."""
    return [row.size.estimate for row in rows if row.size]


def _gains(rows: Sequence[RunOfStudy]) -> list[float]:
    return [row.surplus.estimate for row in rows if row.surplus]


def conclusions(study: Study) -> list[str]:
    """Four answers: is there a preference (C1), is it consistent (C2), does it follow class and topic, context (C3)."""
    pairs = [row for row in study.runs if row.natural]
    return [
        _divided(pairs, study),
        _consistent(study),
        _followed(pairs, study),
        _context(pairs, study.signs),
    ]


def _divided(pairs: list[RunOfStudy], study: Study) -> str:
    question = "C1: do the towers divide the work?"
    known = [row for row in pairs if row.size]
    if not known:
        return f"{question} This could not be measured: no run has enough text."
    text = f"{question} {_verdicts(known)}"
    for figure_name, phrase in (("D", "D"), ("surplus", "the surplus")):
        text += _excesses(study.excess_over_strangers, figure_name, phrase)
    return f"{text}{_planted(study)}."


def _planted(study: Study) -> str:
    """What the same ruler says of pairs in which a division was planted."""
    rows = [row for row in study.runs if row.planted != NOTHING_PLANTED and not row.stranger]
    clauses = [
        f"{kind}: " + ", ".join(f"{verdict} in {count}" for verdict, count in verdicts.items())
        for kind in sorted({row.planted for row in rows})
        if (verdicts := Counter(row.divides for row in rows if row.planted == kind))
    ]
    return f". Of pairs with a planted division the same ruler says: {'; '.join(clauses)}" if clauses else ""


def _consistent(study: Study) -> str:
    question = "C2: do different runs divide the work in the same way?"
    profiles, agreements = study.profiles, [agreement for agreement in study.agreement if not agreement.strangers]
    if profiles is None and not agreements:
        return f"{question} A single pair of towers cannot show this. Give more seeds, presets or corpora."
    sentences = []
    for text in agreements:
        shared = "types" if text.shared == "pieces" else text.shared
        groups = "; ".join(
            f"{name} {figure(at_least_zero(group))} (chance {number(group.chance)}, p = {group.p_value:.2g})"
            for name, group in distinct_groups(text.agreement.groups).items()
        )
        sentences.append(
            f"The preferences of {text.agreement.types:,} {shared} ({text.corpus}) agree beyond frequency with an "
            f"RMS r of: {groups}"
        )
    if profiles and len({row.corpus for row in study.runs if row.natural}) > 1:  # types do not compare across texts
        whole = profiles.agreement["all"]
        sentences.append(
            f"Across texts, the word-class profiles of {len(profiles.runs)} pairs agree with an RMS r of "
            f"{figure(whole)} (chance {number(whole.chance)}, p = {whole.p_value:.2g})"
        )
        if profiles.mixed_tags:
            sentences.append("Beware: the runs were tagged in different ways, so their word classes differ in part")
    return f"{question} {'. '.join(sentences)}."


def _followed(pairs: list[RunOfStudy], study: Study) -> str:
    untagged = bool(pairs) and all(row.tagger == NONE for row in pairs)
    text = "C3: does the division follow word class and topic? " + ". ".join((
        _held("Beyond frequency, word class", CLASS, UNTAGGED if untagged else "no run has enough tagged words",
              pairs, study),
        _held("Beyond the token itself, the topic of its document", TOPIC, "no run has enough held-out documents",
              pairs, study),
    ))  # fmt: skip
    if most := largest(pairs):
        text += f". {most}"
    if by_direction := [row for row in pairs if row.direction and divides(row.direction)]:
        text += (
            f". {len(by_direction)} pairs divide the work by reading direction. In these, a preference for a class is "
            "no evidence of syntax and semantics by itself"
        )
    return text + "."


def _held(name: str, label: tuple[str, str], unmeasured: str, pairs: list[RunOfStudy], study: Study) -> str:
    """What a label holds beyond another one in the pairs, and by how much more than in strangers."""
    known = [division for row in pairs if (division := row_of(row.labels, *label))]
    if not known:
        return f"{name} could not be measured: {unmeasured}"
    yes = sum(division.verdict == "yes" for division in known)
    shares = span([division.share.estimate for division in known], percent=True)
    text = f"{name} holds {shares} of the squared difference: yes in {yes} of {len(known)} pairs"
    return text + _excesses(study.excess_over_strangers, " given ".join(label), "what it holds")


def largest(pairs: Sequence[RunOfStudy]) -> str:
    """The label that holds most in the median pair, of those that hold a share in any."""
    names = {division.label for row in pairs for division in row.labels if not division.given and holds(division)}
    shares = {
        name: [division.share.estimate for row in pairs if (division := row_of(row.labels, name))] for name in names
    }
    if not shares:
        return ""
    name = max(shares, key=lambda label: median(shares[label]))
    return f"Most of the difference is held by {label_name(name)}: {span(shares[name], percent=True)}"


def _context(pairs: list[RunOfStudy], signs: dict[str, AgreementOfSigns]) -> str:
    question = "Does it follow topic and far context?"
    slopes = [row.topicality for row in pairs if row.topicality and is_known(row.topicality)]
    if not slopes:
        return f"{question} No run has enough text to answer this."
    sure = sum(slope.low > 0 or slope.high < 0 for slope in slopes)
    size = span([abs(slope.estimate) for slope in slopes], 3)
    text = (
        f"{question} In {sure} of {len(slopes)} pairs one tower follows the topic: it is the better one where a word "
        f"is typical of its document ({size} nats per standard deviation of topicality)"
    )
    for name, claim in (
        ("topicality and far context", "also gains more from far context"),
        ("topicality and nominal words", "also prefers nominal words"),
    ):
        agreement = signs[name]
        if agreement.runs:
            text += (
                f". That tower {claim} in {agreement.agree} of {agreement.runs} (sign test, "
                f"p = {p_value(agreement.p_value)})"
            )
    return text + "."


def _excesses(rows: Iterable[ExcessOfGroup], kind: str, name: str) -> str:
    excesses = [row for row in rows if row.figure == kind]
    clauses = [
        (f"{row.group} " if len(excesses) > 1 else "")
        + figure(row.excess, digits=3)
        + ("" if row.excess.p_value is None else f" (p = {row.excess.p_value:.2g})")
        for row in excesses
    ]
    return f". By how much {name} exceeds that of strangers: {'; '.join(clauses)}" if clauses else ""


def at_least_zero(group: AgreementOfPairs) -> AgreementOfPairs:
    """A root mean square as it can be read: an estimate of it that is freed of noise may lie below 0."""
    return replace(group, **{end: max(0.0, getattr(group, end)) for end in ("estimate", "low", "high")})
