"""The hypothesis tests of a study, in families of similar questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from .agreement import AgreementOfPairs
from .inference import Discovery, Test, discoveries
from .profiles import AgreementOfProfiles
from .study import Study

Group = TypeVar("Group", AgreementOfPairs, AgreementOfProfiles)


def hypothesis_tests(study: Study) -> list[Discovery]:
    """The hypothesis tests of a study, each once, in families of similar questions and with its q-value.

    See `discoveries`. All p-values of `study.json` are here but these:

    - those of later axes, of types and of profiles. They are looked for only where the axes before them lie beyond
      their null, so that a family would hold only those that pass;
    - those of the same runs under a second name: of a group that is all runs, of corpora that are groups, and of two
      settings that put the runs in the same order.
    """
    parts = (_tests_of_runs, _tests_of_signs, _tests_of_agreement, _tests_of_profiles, _tests_of_trends)
    return discoveries(test for part in parts for test in part(study))


def _of(stranger: bool) -> str:
    return "strangers" if stranger else "pairs"


def _tests_of_runs(study: Study) -> Iterator[Test]:
    for row in study.runs:
        figures = {"explained": row.explained, "nominal contrast": row.nominal, "topicality": row.topicality}
        for family, figure in figures.items():
            if figure:
                yield f"{family} of {_of(row.stranger)}", row.name, figure.p_value
    for run in study.knowledge.runs if study.knowledge else []:
        for difference in run.differences:
            yield f"{difference.instrument} ({difference.of}), {_of(run.stranger)}", run.run, difference.p_value


def _tests_of_signs(study: Study) -> Iterator[Test]:
    for name, signs in study.signs.items():
        yield "signs that agree", name, signs.p_value


def _tests_of_agreement(study: Study) -> Iterator[Test]:
    for text in study.agreement:
        kind, corpus = _of(text.strangers), text.corpus
        for name, group in distinct_groups(text.agreement.groups).items():
            yield f"agreement of {kind}", f"{corpus}: {name}", group.p_value
        yield f"first axis of types, {kind}", corpus, text.agreement.spectrum.p_value


def _tests_of_profiles(study: Study) -> Iterator[Test]:
    for kind, profiles in (("pairs", study.profiles), ("strangers", study.profiles_of_strangers)):
        if profiles:
            for name, group in distinct_groups(profiles.agreement).items():
                yield f"profiles of {kind}", name, group.p_value
                yield f"what profiles of {kind} share", name, group.shared.p_value
            yield f"axes of {kind}", "axis 1", profiles.axes[0].p_value


def distinct_groups(groups: Mapping[str, Group]) -> dict[str, Group]:
    """Groups of pairs of runs without those that are an earlier one under another name.

    As many pairs of the same runs with the same estimate to the last digit are the same pairs.
    """
    names: dict[tuple[int, float, float], str] = {}
    for name, group in groups.items():
        names.setdefault((group.pairs, group.estimate, group.p_value), name)
    return {name: groups[name] for name in names.values()}


def _tests_of_trends(study: Study) -> Iterator[Test]:
    """The tests with runs as the unit."""
    for effect in study.class_effects:
        yield (
            f"class effect, {_of(effect.stranger)}", f"{effect.group}: {effect.contrast}", effect.model.effect.p_value
        )  # fmt: skip
    for instruments in study.knowledge.table if study.knowledge else []:
        yield f"what towers know, {_of(instruments.stranger)}", instruments.name, instruments.association.p_value
    for row in study.excess_over_strangers:
        yield "excess over strangers", f"{row.group}: {row.figure}", row.excess.p_value
    orders = set()
    for dose in study.doses:
        steps = sorted({point.dose for point in dose.points})
        order = tuple((point.run, steps.index(point.dose)) for point in dose.points)
        if order in orders:
            continue
        orders.add(order)
        for name, trend in dose.trends.items():
            yield "dose and response", f"{dose.preset}: {name} against {dose.setting}", trend.p_value
