"""The figures of each run of a study side by side, and what they say with runs as the unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from ..config.conversion import INLINED
from ..config.schema import RunConfig
from ..data.corpus_names import short_name
from ..preference.class_contrasts import ContrastOfClasses
from ..preference.class_variance import Explained
from ..preference.clusters import ReliabilityByCluster
from ..preference.direction import Direction
from ..preference.division import CLASS, TOPIC, Division, LabelDivision, row_of, with_strangers
from ..preference.occurrences import Coefficient
from ..preference.types import Perplexity
from ..runs.stages import STAGES, stage_settings
from ..statistics.gains import Surplus
from ..statistics.intervals import Estimate, Interval
from ..statistics.verdicts import Verdict
from .grid import strangers_of
from .inference import Excess, Trend, dose_response, excess
from .profiles import AgreementOfSigns, signs_agree
from .reading import OneRun

NOTHING_PLANTED = "none"


@dataclass(frozen=True)
class RunOfStudy:
    """The figures of one run, as in its `results.json`; None where it has none."""

    name: str
    group: str
    """What is the same over seeds."""
    stranger: bool
    planted: str
    """The kind of division that was planted in it (`model.planted`); "none" for a natural pair."""
    corpus: str
    seed: int
    tagger: str
    family: str
    towers: int
    tokens: int
    """Of training."""
    perplexity: Perplexity
    reliability: Estimate
    clusters: ReliabilityByCluster | None
    explained: Explained | None
    """By word class."""
    nominal: ContrastOfClasses | None
    """Nominal words against verbal and grammatical ones."""
    topicality: Coefficient | None
    far_context: Estimate | None
    direction: Direction | None
    sd: float | None
    """Standard deviation of the preferences of types, in nats."""
    size: Estimate | None
    """D, how far the towers differ in what two sets of readouts agree on, in nats."""
    surplus: Surplus | None
    """How much better all towers together are than the better one, in nats per token."""
    divides: Verdict
    """Whether its towers divide the work, beside its own strangers or those of the study."""
    labels: list[LabelDivision]
    """What each label holds of the difference between its towers."""

    @property
    def natural(self) -> bool:
        """Whether it is a pair of cooperating towers, or more, in which nothing was planted."""
        return not self.stranger and self.planted == NOTHING_PLANTED and self.towers > 1

    @property
    def kind(self) -> str:
        """What figures and sentences call it."""
        if self.stranger:
            return "strangers"
        return "pairs" if self.planted == NOTHING_PLANTED else f"planted, {self.planted}"


@dataclass(frozen=True)
class ExcessOfGroup:
    """By how much the pairs of a group exceed its strangers in one figure."""

    group: str
    figure: str
    excess: Excess = field(metadata=INLINED)


@dataclass(frozen=True)
class PointOfDose:
    """A run, the value of the setting there, and its figures."""

    run: str
    dose: float
    figures: dict[str, float | None] = field(metadata=INLINED)
    """By the names of `FIGURES`."""


@dataclass(frozen=True)
class Dose:
    """A setting that varies between the runs of a preset, and what the figures make of it."""

    preset: str
    setting: str
    points: list[PointOfDose]
    trends: dict[str, Trend]
    """By figure."""


FIGURES: dict[str, Callable[[RunOfStudy], float | None]] = {
    "D": lambda row: _estimate(row.size),
    "surplus": lambda row: _estimate(row.surplus),
    "class given frequency": lambda row: _held(row_of(row.labels, *CLASS)),
    "topic given type": lambda row: _held(row_of(row.labels, *TOPIC)),
    "reliability": lambda row: _estimate(row.reliability),
}
"""What strangers and doses are compared in: a line for each figure of a run."""
NO_DOSES = frozenset({
    "seed", "threads", "prepare.split_seed", "prepare.heldout_words", "train.micro_batch", "train.evaluations",
    "train.evaluation_tokens", "train.readout_share", "train.readout_learning_rate",
})  # fmt: skip
"""Settings of the stages that train which are no amount of anything, or change nothing that the figures are of.

The readouts that train along with the towers only watch them: those that the figures are of have a stage of their own.
"""


def division_of(run: OneRun, runs: Sequence[OneRun]) -> Division | None:
    """What the ruler found in a run, beside its strangers: its own, or those among `runs`, of the same seed if any."""
    division = run.results.division
    if division is None or division.strangers is not None or run.stranger:
        return division
    alike = [other for other in runs if other.stranger and _are_its_strangers(other.config, run.config)]
    alike.sort(key=lambda other: other.config.seed != run.config.seed)
    controls = [other.results.division for other in alike if other.results.division is not None]
    return with_strangers(division, controls[0]) if controls else division


def _are_its_strangers(strangers: RunConfig, pair: RunConfig) -> bool:
    """Whether two runs differ in cooperation, in what was planted, and in their seed at the most."""
    config = strangers_of(pair)
    sections = ("prepare", "model", "train", "readout")
    return all(getattr(strangers, name) == getattr(config, name) for name in sections)


def figures_of(run: OneRun, division: Division | None) -> RunOfStudy:
    """The figures of one run."""
    results, classes = run.results, run.results.word_classes
    upos = classes.upos if classes else None
    nominal = next((row for row in classes.contrasts if row.contrast.startswith("nominal")), None) if classes else None
    return RunOfStudy(
        name=run.name,
        group=run.group,
        stranger=run.stranger,
        planted=run.config.model.planted,
        corpus=run.corpus,
        seed=results.seed,
        tagger=results.corpus.tagger,
        family=results.model.family,
        towers=results.model.towers,
        tokens=results.training.tokens,
        perplexity=results.training.heldout_perplexity,
        reliability=results.reliability,
        clusters=results.reliability_by_cluster,
        explained=upos.explained if upos else None,
        nominal=nominal if nominal and isfinite(nominal.auroc) else None,
        topicality=results.within_types.coefficient("topicality") if results.within_types else None,
        far_context=results.context.difference if results.context else None,
        direction=results.direction,
        sd=results.preference.sd,
        size=division.size if division else None,
        surplus=division.surplus if division else None,
        divides=division.verdict if division else "not measurable",
        labels=division.labels if division else [],
    )


def _held(label: LabelDivision | None) -> float | None:
    """In nats squared, as strangers differ in next to nothing: a share of that would say little."""
    return None if label is None else _estimate(label.held)


def _estimate(figure: Interval | None) -> float | None:
    return figure.estimate if figure is not None and isfinite(figure.estimate) else None


def signs_of(rows: Sequence[RunOfStudy]) -> dict[str, AgreementOfSigns]:
    """In how many pairs of towers two signed figures agree (see `signs_agree`).

    Of the slope of topicality with the gain from far context, and of both with the preference for nominal words.
    """
    pairs = [row for row in rows if row.towers == 2 and row.natural]
    slope = [_estimate(row.topicality) for row in pairs]
    far = [_estimate(row.far_context) for row in pairs]
    nominal = [None if row.nominal is None else row.nominal.auroc - 0.5 for row in pairs]
    return {
        "topicality and far context": signs_agree(slope, far),
        "topicality and nominal words": signs_agree(slope, nominal),
        "far context and nominal words": signs_agree(far, nominal),
    }


def excess_over_strangers(rows: Sequence[RunOfStudy], confidence: float) -> list[ExcessOfGroup]:
    """For each group that has strangers, by how much its pairs exceed them in each figure."""
    excesses = []
    for group in dict.fromkeys(row.group for row in rows):
        mine = [row for row in rows if row.group == group]
        for name, figure_of in FIGURES.items():
            pairs = [value for row in mine if row.natural and (value := figure_of(row)) is not None]
            strangers = [value for row in mine if row.stranger and (value := figure_of(row)) is not None]
            if pairs and strangers:
                excesses.append(ExcessOfGroup(group, name, excess(pairs, strangers, confidence)))
    return excesses


def doses(rows: Sequence[RunOfStudy], runs: Sequence[OneRun]) -> list[Dose]:
    """For each preset and corpus, and each number of what is trained that varies between its runs, figures against it.

    A corpus may have settings of its own, which would stand for the corpus, so its runs are compared with each other
    only. `preset` names the corpus, too, where the runs of a preset have several.
    """
    kinds = [(run.config.preset, short_name(run.config.prepare.corpus)) for run in runs]
    settings = [_trained(run.config) for run in runs]
    responses = []
    for kind in dict.fromkeys(kinds):
        several = len({corpus for preset, corpus in kinds if preset == kind[0]}) > 1
        mine = [number for number, other in enumerate(kinds) if other == kind]
        pairs = [number for number in mine if rows[number].natural]
        for key in settings[mine[0]]:
            # Strangers are the dose 0 of cooperation; on any other scale they are no dose at all.
            strangers = [number for number in mine if rows[number].stranger and key == "model.cooperation"]
            used = sorted([*pairs, *strangers])
            values = [settings[number][key] for number in used]
            if not all(_is_dose(value) for value in values) or len(set(values)) < 2:
                continue
            points = [
                PointOfDose(
                    rows[number].name, value, {figure: figure_of(rows[number]) for figure, figure_of in FIGURES.items()}
                )
                for number, value in zip(used, values, strict=True)
            ]
            seeds = [runs[number].config.seed for number in used]
            trends = {figure: _trend(points, figure, seeds) for figure in FIGURES}
            preset = "-".join(kind) if several else kind[0]
            responses.append(Dose(preset, key, points, trends))
    return responses


def _trained(config: RunConfig) -> dict[str, Any]:
    """The settings, by dotted name, that can change what is trained."""
    settings: dict[str, Any] = {}
    for stage in ("prepare", "train", "readout"):
        settings |= stage_settings(config, STAGES[stage])
    if config.train.minutes is not None:
        settings["train.tokens"] = None  # the clock says how many, whatever the setting
    return {key: value for key, value in settings.items() if key not in NO_DOSES}


def _is_dose(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _trend(points: Sequence[PointOfDose], figure: str, seeds: Sequence[int]) -> Trend:
    known = [
        (point.dose, value, seed) for point, seed in zip(points, seeds, strict=True)
        if (value := point.figures[figure]) is not None
    ]  # fmt: skip
    return dose_response([dose for dose, _, _ in known], [value for _, value, _ in known], [seed for *_, seed in known])
