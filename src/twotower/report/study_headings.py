"""Headings that say what was found, for the parts of a study's page."""

from __future__ import annotations

from collections.abc import Sequence

from ..comparison.agreement import AgreementOfPairs
from ..comparison.figures import RunOfStudy
from ..comparison.profiles import AgreementOfProfiles
from ..comparison.study import Study
from ..preference.division import CLASS, TOPIC, row_of
from ..statistics.intervals import is_known
from .finding import row_name
from .headings import LEVEL
from .numbers import figure, fixed, number, span
from .study_answers import counted, largest, sizes

MEASURED = ("D", "surplus", "reliability")
"""Figures of a study that are called what they are; the others have a label's name."""


def figure_name(name: str) -> str:
    """What a figure of a study is called."""
    return name if name in MEASURED else row_name(*name.split(" given "))


def headings(study: Study) -> dict[str, str]:
    """By the anchor of a part of the page, what its heading says was found."""
    pairs = [row for row in study.runs if row.natural]
    return {
        "answers": _answers(study, pairs),
        "labels": largest(pairs) or "No label surely holds a share of the difference between towers",
        "profiles": _profiles(study),
        "agreement": _types(study),
        "classes": _contrasts(study),
        "context": _context(pairs),
        "knowledge": _knowledge(study),
        "excess": _excess(study),
        "doses": _doses(study),
        "emergence": _emergence(study, pairs),
        "runs": _runs(study, pairs),
    }


def _answers(study: Study, pairs: Sequence[RunOfStudy]) -> str:
    """The paper's three claims in one line."""
    known = [row for row in pairs if row.size]
    clauses, follows = [], []
    if known:
        yes = sum(row.divides == "yes" for row in known)
        clauses.append(f"towers divide the work in {yes} of {counted(len(known))} (C1)")
    if groups := [agreement.agreement.groups["all"] for agreement in study.agreement if not agreement.strangers]:
        agree = sum(group.p_value < LEVEL for group in groups)
        where = "" if len(groups) == 1 else f" on {agree} of {len(groups)} texts"
        clauses.append(f"runs {'agree' if agree else 'do not surely agree'}{where if agree else ''} (C2)")
    for label in (CLASS, TOPIC):
        if rows := [division for row in pairs if (division := row_of(row.labels, *label))]:
            yes = sum(division.verdict == "yes" for division in rows)
            follows.append(f"{row_name(label[0])} surely matters in {yes} of {counted(len(rows))}")
    if follows:
        clauses.append(f"{', '.join(follows)} (C3)")
    return f"Of the paper's claims: {'; '.join(clauses)}" if clauses else "The paper's claims could not be tested"


def _profiles(study: Study) -> str:
    if not study.profiles:
        return "Profiles of word classes cannot be compared"
    return f"The profiles of word classes {_agree(study.profiles.agreement['all'])}"


def _types(study: Study) -> str:
    groups = [agreement.agreement.groups["all"] for agreement in study.agreement if not agreement.strangers]
    if not groups:
        return "Agreement in single types cannot be measured"
    if len(groups) == 1:
        return f"The preferences of single types {_agree(groups[0])}"
    agree = sum(group.p_value < LEVEL for group in groups)
    return f"The preferences of single types agree between runs on {agree} of {len(groups)} texts"


def _agree(group: AgreementOfPairs | AgreementOfProfiles) -> str:
    """How well runs agree, beside chance."""
    if not is_known(group):
        return "measure too little to be compared between runs"
    verb = "agree" if group.p_value < LEVEL else "do not surely agree"
    return f"{verb} between runs: RMS r = {fixed(max(0.0, group.estimate))}, by chance {number(group.chance)}"


def _contrasts(study: Study) -> str:
    effects = [effect for effect in study.class_effects if not effect.stranger]
    sure = [effect for effect in effects if (p := effect.model.effect.p_value) is not None and p < LEVEL]
    if not sure:
        return "Over seeds, no two groups of word classes surely differ"
    named = dict.fromkeys(effect.contrast for effect in sure)
    return f"Over seeds, these groups of word classes differ: {'; '.join(named)}"


def _context(pairs: Sequence[RunOfStudy]) -> str:
    far = [row.far_context for row in pairs if row.far_context and is_known(row.far_context)]
    if not far:
        return "Whether far context helps one tower more was not measured"
    sure = sum(difference.low > 0 or difference.high < 0 for difference in far)
    return f"Far context surely helps one tower more in {sure} of {counted(len(far))}"


def _knowledge(study: Study) -> str:
    rows = [row for row in (study.knowledge.instruments if study.knowledge else []) if not row.stranger and row.tested]
    if not rows:
        return "No instrument can test within a run whether the towers know different things"
    passed, tested = sum(row.passed for row in rows), sum(row.tested for row in rows)
    return f"Instruments tell the towers apart in {passed} of {tested} tests"


def _excess(study: Study) -> str:
    excesses = [row.excess for row in study.excess_over_strangers if row.figure == "D"]
    if not excesses:
        return "Without strangers, nothing says what cooperation adds"
    if len(excesses) == 1:
        difference = figure(excesses[0]) if is_known(excesses[0]) else fixed(excesses[0].estimate)
        return f"D of pairs minus D of strangers: {difference} nats"
    surely = sum(excess.low > 0 for excess in excesses)
    return f"D of pairs exceeds that of strangers in {surely} of {len(excesses)} groups of runs"


def _doses(study: Study) -> str:
    clauses = []
    for dose in study.doses:
        for name, trend in dose.trends.items():
            if trend.tau is not None and trend.p_value is not None and trend.p_value < LEVEL:
                clauses.append(f"{figure_name(name)} {'rises' if trend.tau > 0 else 'falls'} with {dose.setting}")
    text = "; ".join(dict.fromkeys(clauses)) or "no figure surely follows a setting that varies"
    return text[:1].upper() + text[1:]


def _emergence(study: Study, pairs: Sequence[RunOfStudy]) -> str:
    followed = [study.emergence[row.name].evaluations for row in pairs or study.runs]
    ends = [evaluations[-1].joint_nats for evaluations in followed if evaluations]
    if not ends:
        return "No run was followed during its training"
    return f"Training ends at {span(ends)} nats per token of held-out text"


def _runs(study: Study, pairs: Sequence[RunOfStudy]) -> str:
    if not (known := sizes(pairs)):
        return f"All figures of {len(study.runs)} runs"
    others = sizes([row for row in study.runs if row.stranger])
    beside = f", in strangers {span(others)}" if others else ""
    return f"In {counted(len(known))} D is {span(known)} nats{beside}"
