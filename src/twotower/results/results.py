"""Everything that `results.json` says of a run: one record, in which a statistic is a field with its function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..config.conversion import OMITTED
from ..data.inventory import CorpusSummary, Inventory, PartOfCorpus
from ..knowledge.findings.knowledge import Knowledge
from ..preference.clusters import ReliabilityByCluster, by_cluster
from ..preference.context import Context
from ..preference.direction import Direction
from ..preference.divided import DivisionOfRun, division_of_run
from ..preference.emergence import Emergence
from ..preference.explained_by import ExplainedBy, explained_by
from ..preference.measured import Measured
from ..preference.occurrences import WithinTypes, within_types
from ..preference.reliability import reliability_of
from ..preference.types import Perplexity, Spread, spread_of_types
from ..preference.word_classes import WordClasses, word_classes
from ..runs.finished import RunFolder, require_towers
from ..runs.listing import MainFigures
from ..runs.records import read_record
from ..runs.stages import STAGES
from ..statistics.intervals import Estimate
from ..training.convergence import TrainedReadouts

STATISTIC = "statistic"


def measured_by(statistic: Callable[[Measured], Any]) -> dict[str, Callable[[Measured], Any]]:
    """Metadata of a field of `Results` that a function computes from the scores."""
    return {STATISTIC: statistic}


@dataclass(frozen=True)
class CorpusOfRun:
    """The text that a run was trained and measured on."""

    name: str
    documents: int
    tokens: int
    heldout_documents: int
    heldout_tokens: int
    parts: list[PartOfCorpus]
    digest: str
    """SHA-256 of the text."""
    tagger: str
    """What named the parts of speech; `none` if nothing did."""
    vocabulary: int
    """Pieces that the tokenizer knows."""
    inventory: Inventory
    heldout_blocks: int | None
    """Blocks of neighbouring documents that are resampled instead of single ones; None if single ones are."""

    @classmethod
    def of(cls, summary: CorpusSummary, heldout_blocks: int | None) -> CorpusOfRun:
        """What `data/corpus.json` says of it."""
        shared = {part.name for part in fields(cls)} - {"heldout_blocks"}
        return cls(**{name: getattr(summary, name) for name in shared}, heldout_blocks=heldout_blocks)


@dataclass(frozen=True)
class ModelOfRun:
    """The towers of a run."""

    family: str
    objective: str
    """`causal`, `masked` or `bidirectional`."""
    towers: int
    cooperation: float
    """1: one loss for all towers; 0: strangers."""
    parameters: int
    width: int
    layers: int
    planted: str
    """The kind of division that was planted; `none` elsewhere."""
    dial: float
    """How strongly it was planted, from 0 to 1."""


@dataclass(frozen=True)
class Baselines:
    """Held-out perplexity of models that count words."""

    unigram: float
    bigram: float


@dataclass(frozen=True)
class TrainingOfRun:
    """How long the towers were trained, and how good they are."""

    steps: int
    tokens: int
    heldout_perplexity: Perplexity
    baselines: Baselines


@dataclass(frozen=True)
class Results:
    """Every number in the report of a run, with its interval and its null. Null in JSON: it cannot be computed."""

    corpus: CorpusOfRun
    model: ModelOfRun
    training: TrainingOfRun
    readouts: TrainedReadouts
    """How far the readouts were trained, under which everything is measured."""
    seed: int
    division: DivisionOfRun | None = field(metadata=measured_by(division_of_run))
    """The ruler: whether and how the towers divide the work; None for a single tower."""
    preference: Spread = field(metadata=measured_by(spread_of_types))
    reliability: Estimate = field(metadata=measured_by(reliability_of))
    """Correlation of the types' preferences between halves of the documents, under different sets of readouts."""
    reliability_by_cluster: ReliabilityByCluster | None = field(metadata=measured_by(by_cluster))
    """The same between halves that keep clusters of documents together; None for a single tower."""
    word_classes: WordClasses | None = field(metadata=measured_by(word_classes))
    """What classes of words prefer; None for a single tower."""
    explained_by: ExplainedBy | None = field(metadata=measured_by(explained_by))
    """What explains preference; None for a single tower, or too few frequent types."""
    within_types: WithinTypes | None = field(metadata=measured_by(within_types))
    """At which of its occurrences one tower predicts a word better; None for a single tower."""
    context: Context | None
    """How far the towers look; None where no document holds a whole window."""
    direction: Direction | None
    """How much the towers depend on either side of the context; None for towers that read in one direction."""
    emergence: Emergence
    """How good the towers were at each evaluation of the training."""
    knowledge: Knowledge | None = field(default=None, metadata=OMITTED)
    """What the towers know; left out where no instrument was used."""

    @property
    def main(self) -> MainFigures:
        """The figures that `twotower list` shows."""
        training, division = self.training, self.division
        return MainFigures.of(
            training.tokens, training.heldout_perplexity.joint, division.size if division else None,
            division.surplus if division else None, division.verdict if division else None,
        )  # fmt: skip


STATISTICS: dict[str, Callable[[Measured], Any]] = {
    part.name: part.metadata[STATISTIC] for part in fields(Results) if STATISTIC in part.metadata
}
"""The functions that compute figures from the scores, by the field of `Results` that each fills."""


def read_results(run: RunFolder) -> Results:
    """Every number of a run of towers.

    Raises `InputError` if `results.json` is missing, damaged or out of date, and for a comparison of models.
    """
    require_towers(run.config, run.path)
    return results_in(run.require("results.json"), run.path)


def results_in(path: Path, run: Path) -> Results:
    """The results in a file of a run folder, which need not be finished. Raises `InputError` if they cannot be read."""
    remedy = f"redo it with `{STAGES['analyze'].command(run)} --overwrite`"
    return read_record(Results, path, remedy)
