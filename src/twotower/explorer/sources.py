"""What the explorer shows: towers of a run, or models that were compared, one as the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..data.heldout import PreparedText
from ..data.measured_text import MeasuredText
from ..preference.measured import MODEL, SETS, Measured
from ..report.style import in_words
from ..results.diff_analysis import measured_models
from ..results.diff_results import DiffResults, read_diff_results, read_scored
from ..results.results import Results, read_results
from ..runs.finished import RunFolder
from ..statistics.contrasts import contrasts


class Source(ABC):
    """Where the log-probabilities of a text come from, and what things are called."""

    sides: list[str]
    """What is compared: `tower 1`, or the name of a model."""
    whole: str | None
    """The head of all towers together; models have none."""
    sets: tuple[str, ...]
    """Sets of readouts, as the columns of `scores.parquet` begin; of models the only one."""
    text: PreparedText | MeasuredText

    @property
    def alone(self) -> list[str]:
        """The column of each side."""
        return [f"{self.sets[0]}_{number}" for number in range(1, len(self.sides) + 1)]

    @abstractmethod
    def pieces(self) -> list[str]:
        """What each piece id is called."""

    def document_names(self) -> Mapping[int, str]:
        """By the number of the document."""
        names: Mapping[int, str] = self.text.documents.set_index("document")["name"].to_dict()
        return names

    @abstractmethod
    def measured(self) -> Measured:
        """The text as statistics start from it."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What the page says of it: `about`, `counted`, `objective`, `window`, `corpus`, `documents`, `tokens`,
        `sd`, `views`."""


@dataclass
class Towers(Source):
    """The towers of a run, through their readouts."""

    run: RunFolder

    def __post_init__(self) -> None:
        self.results: Results = read_results(self.run)
        self.text: PreparedText = PreparedText(self.run.path)
        self.sides = [f"tower {number}" for number in range(1, self.run.config.model.towers + 1)]
        self.whole = "joint"
        self.sets = SETS[: self.run.config.readout.replicates]

    def pieces(self) -> list[str]:
        """What each piece id is called."""
        return self.text.pieces

    def measured(self) -> Measured:
        """The text as statistics start from it."""
        return Measured.of(self.run.config, self.run.path)

    def facts(self) -> dict[str, Any]:
        """What the page says of it, see `Source`."""
        config, corpus, count = self.run.config, self.results.corpus, len(self.sides)
        return {
            "about": f"{count} {config.model.family} tower{'' if count == 1 else 's'} · {self.results.model.objective}",
            "counted": "held-out tokens", "objective": self.results.model.objective, "window": config.train.window,
            "corpus": corpus.name,
            "documents": corpus.heldout_documents, "tokens": corpus.heldout_tokens, "sd": self.results.preference.sd,
            "views": ["words", "concordance", "text", "sentence", "training", "compare", "instruments"],
        }  # fmt: skip


@dataclass
class Models(Source):
    """Models that were compared: nothing was trained, and no readouts stand between them and their text."""

    run: RunFolder

    def __post_init__(self) -> None:
        self.results: DiffResults = read_diff_results(self.run)
        self.text = MeasuredText(self.run.path)
        self.sides = self.results.names
        self.whole = None
        self.sets = (MODEL,)

    def pieces(self) -> list[str]:
        """What each piece id is called."""
        return self.run.pieces()

    def measured(self) -> Measured:
        """The text as statistics start from it."""
        return measured_models(self.run.config, self.run.path, read_scored(self.run.path))

    def facts(self) -> dict[str, Any]:
        """What the page says of it, see `Source`."""
        corpus, scorers = self.results.corpus, self.results.scorers
        loadable = [] if any(scorer.kind == "file" for scorer in scorers) else ["sentence"]
        return {
            "about": in_words(self.sides), "counted": f"{self.results.unit}s", "objective": None, "window": None,
            "corpus": corpus.name, "documents": corpus.documents, "tokens": self.results.preference.occurrences,
            "sd": self.results.preference.sd, "views": ["words", "concordance", "text", *loadable, "compare"],
        }  # fmt: skip


def source_of(run: RunFolder) -> Source:
    """The towers or the models of a finished run. Raises `InputError` for what is missing, damaged or out of date."""
    return Models(run) if run.config.diff.models else Towers(run)


def contrast_names(source: Source) -> list[str]:
    """What each preference is the difference of."""
    side_contrasts = contrasts(len(source.sides))
    if source.whole is not None:
        return [contrast.name for contrast in side_contrasts]
    if len(side_contrasts) == 1:
        return [" minus ".join(source.sides)]
    return [f"{source.sides[contrast.tower - 1]} minus the mean of all" for contrast in side_contrasts]
