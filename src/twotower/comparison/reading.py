"""What a comparison reads of each run: its results, its types and words, and its occurrences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..config.schema import AnalyzeConfig, RunConfig
from ..data.heldout import PreparedText
from ..preference.labelled import LEXICAL_AND_GRAMMATICAL, units_of
from ..preference.measured import SETS, Measured
from ..results.results import Results, read_results
from ..runs.finished import RunFolder
from ..runs.records import recorded_digest
from ..runs.stages import STAGES
from ..scoring.score_table import read_scores
from ..statistics.blocks import blocks_of
from ..statistics.contrasts import contrasts
from ..statistics.tallies import Floats, Sums, Tallies, add_up
from ..system.errors import InputError
from .class_effect import Observed
from .profiles import ProfileOfRun, SumsOfWords

FEWEST_TYPES = 10
RUNS_AT_ONCE = 20
"""Of which the words are added up together: in each document, which takes megabytes for a run."""
Described = tuple[str, Path, str, bool]
"""Name, folder, group (what is the same over seeds) and whether it is a pair of strangers."""


@dataclass(frozen=True)
class ScoredText(PreparedText):
    """A prepared text, with the held-out occurrences that every run of it has scored, in the same order."""

    @cached_property
    def occurrences(self) -> pd.DataFrame:
        """`document`, `piece_id`, `upos`, `whole_word` and `begins`, one row per occurrence, as in `scores.parquet`."""
        columns = ["document", "piece", "upos", "whole_word", "begins"]
        table = pd.read_parquet(self.run / "data" / "heldout.parquet", columns=columns)
        return table.rename(columns={"piece": "piece_id"})


@dataclass(frozen=True)
class OneRun:
    """A finished run of a study."""

    name: str
    group: str
    """Preset, corpus and varied settings: what is the same over seeds."""
    stranger: bool
    folder: RunFolder
    text: ScoredText
    results: Results

    @classmethod
    def read(cls, described: Described, texts: dict[tuple[str, ...], ScoredText]) -> OneRun:
        """Open a run folder. Raises `InputError` if it is none, or lacks its results.

        Runs that were prepared alike share one of the `texts`, which this adds to.
        """
        name, path, group, stranger = described
        folder = RunFolder(path, once=True)
        digests = tuple(recorded_digest(folder.records, name) for name in STAGES["prepare"].outputs)
        text = texts.setdefault(digests if all(digests) else (str(path),), ScoredText(path))
        return cls(name, group, stranger, folder, text, read_results(folder))

    @cached_property
    def config(self) -> RunConfig:
        """What it was made from."""
        return self.folder.config

    @property
    def paired(self) -> bool:
        """Whether it has two towers, of which the comparison of types and classes is."""
        return self.results.model.towers == 2

    @property
    def corpus(self) -> str:
        """The name of its corpus."""
        return self.results.corpus.name

    @property
    def sets(self) -> list[str]:
        """Its sets of readouts."""
        return list(SETS[: self.config.readout.replicates])

    def scores_of_towers(self, sets: Sequence[str]) -> pd.DataFrame:
        """Log-probabilities under each tower's readout. Raises `InputError` for scores that cannot be relied on."""
        columns = [f"{name}_{tower}" for name in sets for tower in (1, 2)]
        return read_scores(self.folder.require("scores.parquet"), columns)

    def difference(self) -> Floats:
        """Tower 1 minus tower 2 at each occurrence, in nats, mean over sets of readouts, (occurrences,)."""
        return contrasts(2)[0].mean_of(self.scores_of_towers(self.sets), self.sets)

    def halves(self) -> NDArray[np.float32]:
        """The same, mean over either half of the sets, (2, occurrences)."""
        sets = np.array(self.differences(self.sets), dtype=np.float32)
        return np.array([half.mean(axis=0) for half in np.split(sets, 2)])

    def differences(self, sets: Sequence[str]) -> list[Floats]:
        """The same under each of some sets."""
        scores = self.scores_of_towers(sets)
        return [contrasts(2)[0].of(scores, name) for name in sets]


def by_text(runs: Sequence[OneRun]) -> dict[str, list[OneRun]]:
    """Runs with the same held-out text, by the name of their corpus (made unique by a number where texts share one)."""
    texts: dict[str, list[OneRun]] = {}
    digests: dict[str, str] = {}
    for run in runs:
        digest = run.text.summary.digest
        if digest not in digests:
            taken = sum(name == run.corpus or name.startswith(f"{run.corpus} (") for name in digests.values())
            digests[digest] = run.corpus if not taken else f"{run.corpus} ({taken + 1})"
        texts.setdefault(digests[digest], []).append(run)
    return texts


@dataclass(frozen=True)
class SharedTypes:
    """The types that are frequent in all of some runs of one text, with each run's preferences."""

    kind: str
    """`pieces`, or `whole words` where vocabularies differ."""
    pieces: list[str]
    frequency: NDArray[np.int64]
    """Training count of each type, (types,)."""
    preferences: list[list[Tallies]]
    """Of each run, under each set of readouts that all of them have."""


def shared_types(runs: Sequence[OneRun]) -> SharedTypes:
    """Raises `InputError` where too few types are frequent in all runs."""
    least = max(2 * run.config.analyze.min_count for run in runs)
    same = _same_pieces(runs)
    frequent = [_frequent(run, least, same) for run in runs]
    shared = sorted(set.intersection(*(set(types.index) for types in frequent)))
    if len(shared) < FEWEST_TYPES:
        raise InputError(
            f"study: its runs share {len(shared)} types that are frequent enough; agreement needs {FEWEST_TYPES}"
        )
    frequency = frequent[0].loc[shared, "training_count"].to_numpy()
    preferences = _tallies(runs, [types.loc[shared, "piece_id"].to_numpy() for types in frequent], whole=not same)
    return SharedTypes("pieces" if same else "whole words", shared, frequency, preferences)


def _frequent(run: OneRun, least: int, pieces: bool) -> pd.DataFrame:
    """The types that occur often enough, by their piece; where vocabularies differ, often enough as whole words.

    With another vocabulary the first piece of a longer word may be the same type, and its occurrences are not the same.
    """
    types = run.folder.preference()[["piece", "piece_id", "count", "training_count"]]
    count = types["count"]
    if not pieces:
        whole = run.text.occurrences["piece_id"][run.text.occurrences["whole_word"].to_numpy()]
        count = types["piece_id"].map(whole.value_counts()).fillna(0)
    return types[count >= least].set_index("piece")


def _same_pieces(runs: Sequence[OneRun]) -> bool:
    """Whether the runs have the same vocabulary."""
    texts = {id(run.text): run.text for run in runs}
    return len({tuple(text.pieces) for text in texts.values()}) == 1


@dataclass(frozen=True)
class Cells:
    """The occurrences of chosen pieces of a text, whose values runs add up by document and piece."""

    kept: NDArray[np.bool_]
    """Which occurrences these are, (occurrences,)."""
    block: NDArray[np.int32]
    """Of those, the document or block of documents that is resampled, in the order of the text, (kept,)."""
    kind: NDArray[np.int64]
    """Place of their piece among the chosen ones, (kept,)."""
    counts: Sums
    """(blocks, types); runs share them."""

    @classmethod
    def of(cls, occurrences: pd.DataFrame, ids: NDArray[np.integer], whole: bool = False) -> Cells:
        """Of the pieces `ids`, where `occurrences` has `document` and `piece_id`; `whole`: as whole words only."""
        piece = occurrences["piece_id"].to_numpy()
        number = np.full(1 + max(piece.max(initial=0), ids.max(initial=0)), -1)
        number[ids] = np.arange(len(ids))
        kind, document = number[piece], pd.factorize(occurrences["document"])[0]
        block = blocks_of(int(document.max()) + 1)
        kept = kind >= 0
        if whole:
            kept &= occurrences["whole_word"].to_numpy()
        blocks = block[document[kept]]
        return cls(kept, blocks, kind[kept], add_up(blocks, kind[kept], None, len(ids), int(block[-1]) + 1))

    def tally(self, values: Floats) -> Tallies:
        """Add up a value of each occurrence of the text, (occurrences,); in single precision, as runs may be many."""
        blocks, types = self.counts.shape
        sums = add_up(self.block, self.kind, values[self.kept], types, blocks)
        return Tallies(self.counts, cast(Sums, sums.astype(np.float32)))


def _tallies(runs: Sequence[OneRun], ids: Sequence[NDArray[np.integer]], whole: bool) -> list[list[Tallies]]:
    """Preferences of each run's piece ids, added up by document and type; `whole`: see `Cells.of`."""
    sets = SETS[: min(len(run.sets) for run in runs)]
    known: dict[tuple[int, bytes], Cells] = {}
    tallies = []
    for run, mine in zip(runs, ids, strict=True):
        key = (id(run.text), mine.tobytes())
        cells = known[key] if key in known else known.setdefault(key, Cells.of(run.text.occurrences, mine, whole))
        tallies.append([cells.tally(difference) for difference in run.differences(sets)])
    return tallies


def profiles_of(runs: Sequence[OneRun]) -> list[ProfileOfRun]:
    """The words of each run by part of speech, with the difference between its towers.

    The words of a text are found once for all runs of it that compare words in the same way.
    """
    profiles: dict[str, ProfileOfRun] = {}
    alike: dict[tuple[int, AnalyzeConfig], list[OneRun]] = {}
    for run in runs:
        alike.setdefault((id(run.text), run.config.analyze), []).append(run)
    for same_text in alike.values():
        text, config = same_text[0].text, same_text[0].config
        measured = Measured(
            text.occurrences, 2, text.pieces, text.frequencies, text.classes, config.analyze, config.seed
        )
        for start in range(0, len(same_text), RUNS_AT_ONCE):
            part = same_text[start : start + RUNS_AT_ONCE]
            units = units_of(measured, measured.upos, (run.difference() for run in part))
            lexical = units.only([name for name in LEXICAL_AND_GRAMMATICAL if name in units.classes])
            for run, tallies in zip(part, lexical.tallies, strict=True):
                words = SumsOfWords.of(replace(lexical, tallies=[tallies]))
                profiles[run.name] = ProfileOfRun(
                    run.name, run.group, run.corpus, text.summary.tagger, words, run.results.seed, text.summary.digest
                )
    return [profiles[run.name] for run in runs]


def observed(runs: Sequence[OneRun]) -> Observed:
    """The occurrences that the runs of a group measured, for the mixed-effects model.

    Raises `InputError` where they measured different texts, or the same text in other pieces or with other tags.
    """
    text = runs[0].text
    for run in runs[1:]:
        if run.text is not text and not same_occurrences(run.text, text):
            raise InputError(
                f"study: {runs[0].name} and {run.name}, both of {run.group}, have different corpora, tokenizers or "
                "tags; a class effect needs the same held-out text in the same pieces with the same tags"
            )
    upos = text.occurrences["upos"].astype(str)
    occurrences = text.occurrences[["document", "piece_id", "begins"]].assign(upos=upos)
    return Observed(occurrences, text.frequencies, [run.halves() for run in runs])


def same_occurrences(text: ScoredText, other: ScoredText) -> bool:
    """Whether two texts have the same held-out pieces with the same tags."""
    if text.summary.digest != other.summary.digest or text.pieces != other.pieces:
        return False
    columns = ["document", "piece_id", "upos"]
    return bool(
        text.occurrences[columns].astype({"upos": str}).equals(other.occurrences[columns].astype({"upos": str}))
    )
