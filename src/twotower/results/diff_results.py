"""Everything that `results.json` says of a comparison of models: one record."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ..config.conversion import OMITTED
from ..data.inventory import Inventory
from ..preference.clusters import ReliabilityByCluster
from ..preference.contexts import ContextOfType
from ..preference.divergence import DivergenceOfPair
from ..preference.division import Division, LabelDivision, with_strangers
from ..preference.router import Router
from ..preference.types import Spread
from ..preference.word_classes import WordClasses
from ..runs.finished import RunFolder
from ..runs.listing import MainFigures
from ..runs.records import read_record
from ..runs.stages import DIFF
from ..scoring.about import About
from ..statistics.gains import Surplus
from ..statistics.intervals import Estimate
from ..statistics.verdicts import Verdict

NO_CONTROL = (
    "No control was given (--control), so nothing says whether this is more than two models of one kind differ by."
)


@dataclass(frozen=True)
class CorpusOfDiff:
    """The text that models were compared on."""

    name: str
    documents: int
    characters: int
    words: int
    digest: str
    """SHA-256 of the text."""
    tagger: str
    """What named the parts of speech; `none` if nothing did."""
    inventory: Inventory
    blocks: int | None
    """Blocks of neighbouring documents that are resampled in the place of single ones; None where single ones are."""


@dataclass(frozen=True)
class Alignment:
    """What could be compared."""

    words: int
    """Characters of the text."""
    rows: int
    """Tokens, or words that all tokenizers have."""
    words_not_aligned: int
    """Words that have no token of their own in one of the tokenizers, and are counted with their neighbours."""


@dataclass(frozen=True)
class MeanDifference(Estimate):
    """How much better a model predicts the text, in nats per token or word, with its interval over documents."""

    model: str
    against: str
    """The other model, or `the mean of all`."""


@dataclass(frozen=True)
class DivisionOfControl:
    """How the first model and the control divide the text between them."""

    size: Estimate | None
    mixing: Estimate | None
    labels: list[LabelDivision]


@dataclass(frozen=True)
class DivisionOfModels:
    """The ruler with models in place of towers. Without a control, what needs one is left out."""

    size: Estimate | None
    """D, in nats: the root of the variance of their difference; None where it cannot be measured."""
    mixing: Estimate | None
    """What the mean of the models' probabilities gains over the better one, in nats per token or word."""
    labels: list[LabelDivision]
    router: Router | None
    """How much of the difference a rule fitted to all labels predicts; None where nothing can be measured."""
    contexts: list[ContextOfType]
    """The words in context that make most of the difference."""
    why: str
    """What could not be measured, and what to do about it; "" if everything was."""
    surplus: Estimate | None = field(default=None, metadata=OMITTED)
    """The same as `mixing`, beside a control."""
    control: DivisionOfControl | None = field(default=None, metadata=OMITTED)
    differ: Verdict | None = field(default=None, metadata=OMITTED)
    """Whether the models differ by more than the first model and the control do."""
    gain: Verdict | None = field(default=None, metadata=OMITTED)
    """Whether mixing them gains more than mixing the first with the control."""
    verdict: Verdict | None = field(default=None, metadata=OMITTED)
    """Both verdicts together."""

    @classmethod
    def of(
        cls, division: Division, control: Division | None, router: Router | None, contexts: list[ContextOfType]
    ) -> DivisionOfModels:
        """The ruler's figures without those of readouts, and without verdicts where there is no control."""
        size, mixing = division.size, _estimate(division.surplus)
        if control is None:
            return cls(size, mixing, division.labels, router, contexts, f"{division.why} {NO_CONTROL}".strip())
        beside = with_strangers(division, control)
        of_control = DivisionOfControl(control.size, _estimate(control.surplus), control.labels)
        return cls(
            size, mixing, beside.labels, router, contexts, beside.why, mixing, of_control, beside.differ, beside.gain,
            beside.verdict,
        )  # fmt: skip

    @property
    def as_division(self) -> Division:
        """The same, for what shows divisions of towers; without a control its verdicts are `not measurable`."""
        missing: Verdict = "not measurable"
        division = Division(
            self.size, _surplus(self.mixing), self.labels, None, self.differ or missing, self.gain or missing,
            self.verdict or missing, self.why,
        )  # fmt: skip
        if self.control is None:
            return division
        of_control = replace(division, size=self.control.size, surplus=_surplus(self.control.mixing),
                         labels=self.control.labels)  # fmt: skip
        return replace(division, strangers=of_control)


def _estimate(surplus: Surplus | None) -> Estimate | None:
    return None if surplus is None else Estimate(surplus.estimate, surplus.low, surplus.high)


def _surplus(mixing: Estimate | None) -> Surplus | None:
    return None if mixing is None else Surplus(mixing.estimate, mixing.low, mixing.high, None)


@dataclass(frozen=True)
class DiffResults:
    """Every number in the report of a comparison, with its interval. Null in JSON: it cannot be computed."""

    corpus: CorpusOfDiff
    scorers: list[About]
    """The models, in the order in which they were named."""
    unit: str
    """What is compared: `token` or `word`."""
    same_vocabulary: bool
    characters: int
    """Of the text that all models have scored."""
    unscored: int
    """Tokens or words that one of the models does not score."""
    alignment: Alignment
    seed: int
    difference: list[MeanDifference]
    """Of two models the first minus the second, of more each minus the mean of all."""
    division: DivisionOfModels
    preference: Spread
    """How the types' mean differences are spread."""
    reliability: Estimate
    """Correlation of the types' mean differences between halves of the documents."""
    reliability_by_cluster: ReliabilityByCluster | None
    word_classes: WordClasses | None
    """What classes of words are predicted better by which model."""
    divergence: list[DivergenceOfPair] | None = field(default=None, metadata=OMITTED)
    """Of whole distributions; left out where vocabularies differ."""
    control: About | None = field(default=None, metadata=OMITTED)

    @property
    def names(self) -> list[str]:
        """The names of the models."""
        return [scorer.name for scorer in self.scorers]

    @property
    def main(self) -> MainFigures:
        """The figures that `twotower list` shows."""
        return MainFigures.of(None, None, self.division.size, self.division.surplus, self.division.verdict)


@dataclass(frozen=True)
class Scored:
    """`scorers.json`: what the stage `score` says of models and text."""

    unit: str
    same_vocabulary: bool
    characters: int
    unscored: int
    alignment: Alignment
    scorers: list[About]
    control: About | None

    @property
    def shared(self) -> dict[str, Any]:
        """These, as fields of `DiffResults`."""
        return {part.name: getattr(self, part.name) for part in fields(self)}


def read_diff_results(run: RunFolder) -> DiffResults:
    """Every number of a comparison. Raises `InputError` if `results.json` is missing, damaged or out of date."""
    return diff_results_in(run.require("results.json"), run.path)


def diff_results_in(path: Path, run: Path) -> DiffResults:
    """The results in a file of a run folder, which need not be finished. Raises `InputError` if they cannot be read."""
    remedy = f"redo it with `{DIFF['analyze'].command(run)} --overwrite`"
    return read_record(DiffResults, path, remedy)


def read_scored(run: Path) -> Scored:
    """`scorers.json` of a run folder. Raises `InputError` if it is damaged."""
    return read_record(Scored, run / "scorers.json", f"redo it with `{DIFF['score'].command(run)}`")
