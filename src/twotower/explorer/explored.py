"""A finished run as the explorer reads it: through the checked readers, each table when it is first asked for."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..config.schema import RunConfig
from ..data.heldout import PreparedText
from ..preference.types import types_table
from ..report.style import WORD_CLASSES
from ..runs.finished import RunFolder
from ..scoring.score_table import read_scores
from ..statistics.contrasts import Contrast, contrasts
from ..system.errors import InputError
from .held_words import HeldoutWords, heldout_words
from .plain import columns, number, text
from .sources import Source, contrast_names, source_of

Floats = NDArray[np.float64]
YEAR = re.compile(r"(?<!\d)1\d{3}(?!\d)|(?<!\d)20\d{2}(?!\d)")
ANYTIME = (1, 9999)
"""Years between which every document lies."""


class ExploredRun:
    """One run, with its held-out text occurrence by occurrence.

    Raises `InputError` if the run is not finished, or if a file of it is out of date or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.run = RunFolder(path)
        self.config: RunConfig = self.run.config
        self.source: Source = source_of(self.run)
        self.contrasts: list[Contrast] = contrasts(self.towers)
        self.types = self.run.preference()
        self.run.require("scores.parquet")

    @property
    def text(self) -> PreparedText:
        """The prepared text of a run of towers."""
        assert isinstance(self.source.text, PreparedText), "models have no text that was prepared for towers"
        return self.source.text

    @property
    def name(self) -> str:
        """The folder's name."""
        return text(self.run.path.resolve().name)

    @property
    def towers(self) -> int:
        """Number of towers, or of models."""
        return len(self.source.sides)

    @property
    def heads(self) -> list[str]:
        """The heads whose log-probabilities are shown, as they are called in `scores.parquet`."""
        return [*([self.source.whole] if self.source.whole else []), *self.source.alone]

    @property
    def sets(self) -> tuple[str, ...]:
        """The run's sets of readouts, as the columns of `scores.parquet` begin."""
        return self.source.sets

    @cached_property
    def scores(self) -> pd.DataFrame:
        """`document`, `position`, `piece_id`, `upos` and the heads, one row per held-out occurrence.

        What a tower says alone (`readout_K`) is the mean over sets of readouts.
        """
        alone = {
            head: self._by_set[[f"{name}_{tower}" for name in self.sets]].mean(axis=1)
            for tower, head in enumerate(self.source.alone, start=1)
        }
        wanted = ["document", "position", "piece_id", "upos", *([self.source.whole] if self.source.whole else [])]
        return read_scores(self.run.path / "scores.parquet", wanted).assign(**alone)

    @cached_property
    def _by_set(self) -> pd.DataFrame:
        """Log-probabilities of each tower alone under each set of readouts, columns SET_K."""
        wanted = [f"{name}_{k}" for name in self.sets for k in range(1, self.towers + 1)]
        return read_scores(self.run.path / "scores.parquet", wanted)

    @cached_property
    def piece_ids(self) -> NDArray[np.int64]:
        """The piece of each held-out occurrence, (occurrences,)."""
        return np.asarray(self.scores["piece_id"], dtype=np.int64)

    @cached_property
    def pieces(self) -> NDArray[np.object_]:
        """The pieces by id, printable."""
        return np.array([text(piece) for piece in self.source.pieces()], dtype=object)

    @cached_property
    def words(self) -> HeldoutWords:
        """The held-out text as words."""
        return heldout_words(self)

    @cached_property
    def bounds(self) -> NDArray[np.int64]:
        """Where each held-out document begins in the occurrences, and where the last ends; (documents + 1,)."""
        numbers = self.scores["document"].to_numpy()
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        return np.append(starts, len(numbers)).astype(np.int64)

    @cached_property
    def document_names(self) -> list[str]:
        """The name of each held-out document that was scored, in the order of the text."""
        names = self.source.document_names()
        numbers = self.scores["document"].to_numpy()[self.bounds[:-1]]
        return [text(names[number]) for number in numbers]

    @cached_property
    def document_years(self) -> list[int | None]:
        """The year in the name of each held-out document, where it has one (`1863-Lincoln.txt`)."""
        years = [YEAR.search(name) for name in self.document_names]
        return [int(year.group()) if year else None for year in years]

    def chosen_documents(self, name: str, first: int, last: int) -> NDArray[np.bool_]:
        """Which held-out documents have `name` in their name, in any case, and a year from `first` to `last`.

        An empty name is in all of them. Documents without a year pass only if no year is asked for (1 to 9999).
        """
        wanted, anytime = name.casefold(), (first, last) == ANYTIME
        return np.array([
            wanted in document.casefold() and (anytime if year is None else first <= year <= last)
            for document, year in zip(self.document_names, self.document_years, strict=True)
        ], dtype=bool)  # fmt: skip

    @cached_property
    def measures(self) -> dict[str, Floats]:
        """What a passage can be coloured by, by name, in nats, each (occurrences,).

        `preference` (for more than two towers `preference_K` of each), the mean over sets of readouts; the same under
        each set, `set1`, `set2` and so on; and the log-probabilities of the heads.
        """
        preferences = {f"preference{contrast.suffix}": self.preference(contrast) for contrast in self.contrasts}
        return (
            preferences | self.set_preferences | {head: self.scores[head].to_numpy(np.float64) for head in self.heads}
        )

    def preference(self, contrast: Contrast) -> Floats:
        """A preference at each occurrence, in nats, (occurrences,): the mean over sets of readouts."""
        return contrast.of(self.scores, self.sets[0])

    @cached_property
    def set_preferences(self) -> dict[str, Floats]:
        """The preferences under each set of readouts, `set1`, `set2`, …, each (occurrences,); none for one set."""
        if len(self.sets) == 1:
            return {}
        return {
            f"set{number_}{contrast.suffix}": contrast.of(self._by_set, name)
            for contrast in self.contrasts for number_, name in enumerate(self.sets, start=1)
        }  # fmt: skip

    def summary(self) -> dict[str, Any]:
        """What the page needs to know before it shows anything."""
        source, facts = self.source, self.source.facts()
        sides = [text(side) for side in source.sides]
        return {
            "name": self.name,
            "about": text(facts["about"]),
            "models": source.whole is None,
            "counted": facts["counted"],
            "views": facts["views"],
            "objective": facts["objective"],
            "window": facts["window"],
            "towers": self.towers,
            "sides": sides,
            "contrasts": [
                {"name": text(name), "suffix": contrast.suffix, "tower": contrast.tower}
                for contrast, name in zip(self.contrasts, contrast_names(source), strict=True)
            ],
            "heads": self.heads,
            "alone": source.alone,
            "head_names": dict(zip(self.heads, [*["joint head"] * (source.whole is not None), *sides], strict=True)),
            "measures": list(self.measures),
            "sets": len(self.sets),
            "set_columns": [f"under_{name}" for name in self.sets if self.contrasts and source.whole is not None],
            "upos": self.words.tags,
            "class_names": WORD_CLASSES,
            "corpus": text(facts["corpus"]),
            "heldout_documents": facts["documents"],
            "heldout_tokens": facts["tokens"],
            "frequent": 2 * self.config.analyze.min_count,
            "confidence": self.config.analyze.confidence,
            "mean": {
                contrast.suffix: number(float(self.preference(contrast).mean())) for contrast in self.contrasts
            },
            "types": len(self.types),
            "preference": {"sd": facts["sd"]},
        }  # fmt: skip

    def types_table(self) -> dict[str, Any]:
        """`preference.parquet`, column by column."""
        return columns(self.types)

    def types_in(self, documents: NDArray[np.bool_]) -> dict[str, Any]:
        """The same for the documents of a mask, (documents,). Raises `InputError` if there are none."""
        if not documents.any():
            raise InputError("no held-out document passes the filter: loosen it")
        scores = self.run.scores()[np.repeat(documents, np.diff(self.bounds))].reset_index(drop=True)
        return columns(types_table(replace(self.source.measured(), scores=scores)))

    def documents(self) -> dict[str, Any]:
        """The held-out documents: `name`, `year` (or None), `tokens`, and the mean of each preference, in nats."""
        starts, counts = self.bounds[:-1], np.diff(self.bounds)
        table = pd.DataFrame({"name": self.document_names, "tokens": counts})
        for name, values in self.measures.items():
            if name.startswith("preference"):
                table[name] = np.add.reduceat(values, starts) / counts if len(starts) else []
        return {**columns(table), "year": self.document_years}

    def passage(self, document: int, start: int, length: int) -> dict[str, Any]:
        """`length` pieces of a held-out document from its piece `start` on: `piece_id`, `piece`, `upos`, measures."""
        first, last = int(self.bounds[document]), int(self.bounds[document + 1])
        begin = min(first + max(0, start), last)
        chosen = slice(begin, min(begin + length, last))
        ids = self.piece_ids[chosen]
        tags = self.scores["upos"].iloc[chosen].astype(str).to_numpy()
        table = pd.DataFrame({"piece_id": ids, "piece": self.pieces[ids], "upos": tags})
        for name, values in self.measures.items():
            table[name] = values[chosen]
        return {"document": document, "start": begin - first, "tokens": last - first, **columns(table)}
