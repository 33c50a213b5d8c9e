"""What a comparison reads of each run: its results, its types and words, and its occurrences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data.heldout import PreparedText
from ..data.tokenization import PREFIX
from ..errors import InputError
from ..finished import Run
from ..modeling.contrasts import contrasts
from ..preference.labelled import LEXICAL_AND_GRAMMATICAL, units_of
from ..preference.measured import INDEPENDENT, Measured
from ..preference.scores import read_scores
from ..runs.records import read_json, require_current
from ..statistics.strata import FEWEST as FEWEST_IN_BIN
from ..statistics.strata import frequency_bins
from ..statistics.tallies import Floats, Tallies, tally
from .class_effect import Observed
from .profiles import ProfileOfRun

FEWEST_TYPES = 10
Described = tuple[str, Path, str, bool]
"""Name, folder, group (what is the same over seeds) and whether it is a pair of strangers."""


@dataclass(frozen=True)
class OneRun:
    """A finished run of a study."""

    name: str
    group: str
    """Preset, corpus and varied settings: what is the same over seeds."""
    stranger: bool
    run: Run
    text: PreparedText
    results: dict[str, Any]

    @classmethod
    def read(cls, described: Described) -> OneRun:
        """Open a run folder. Raises `InputError` if it is none, or lacks its results."""
        name, folder, group, stranger = described
        run = Run.load(folder)
        return cls(name, group, stranger, run, PreparedText(run.path), run.results())

    @property
    def paired(self) -> bool:
        """Whether it has two towers, of which the comparison of types and classes is."""
        return bool(self.results["model"]["towers"] == 2)

    @property
    def corpus(self) -> str:
        """The name of its corpus."""
        return str(self.results["corpus"]["name"])

    def passed(self) -> dict[str, Any]:
        """When its figures had emerged: the `tokens`, and the `seconds` of training until then."""
        timing = read_json(self.run.path / "training.json", "redo the stage train")["seconds_at"]
        return {
            name: value and value | {"seconds": timing.get(str(value["tokens"]))}
            for name, value in self.results["emergence"]["passed"].items()
        }

    def scores(self, columns: list[str]) -> pd.DataFrame:
        """Columns of its `scores.parquet`. Raises `InputError` if it is missing or out of date."""
        return read_scores(require_current(self.run.path, self.run.config, "scores.parquet"), columns)

    def emergence(self) -> pd.DataFrame:
        """What its evaluations scored: tokens, document, piece and both towers' readouts."""
        columns = ["tokens", "document", "piece_id", "readout_1", "readout_2"]
        return pd.read_parquet(require_current(self.run.path, self.run.config, "emergence.parquet"), columns=columns)


def by_text(runs: Sequence[OneRun]) -> dict[str, list[OneRun]]:
    """Runs with the same held-out text, by the name of their corpus (made unique by a number where texts share one)."""
    found: dict[str, list[OneRun]] = {}
    digests: dict[str, str] = {}
    for one in runs:
        digest = one.text.summary["digest"]
        if digest not in digests:
            taken = sum(name == one.corpus or name.startswith(f"{one.corpus} (") for name in digests.values())
            digests[digest] = one.corpus if not taken else f"{one.corpus} ({taken + 1})"
        found.setdefault(digests[digest], []).append(one)
    return found


@dataclass(frozen=True)
class SharedTypes:
    """The types that are frequent in all of some runs of one text, with each run's preference and noise."""

    kind: str
    """`pieces`, or `whole words` where vocabularies differ."""
    pieces: list[str]
    bins: NDArray[np.int64]
    """Bin of training frequency of each type, (types,)."""
    preferences: list[Tallies]
    noise: list[Tallies]
    """The same for two readouts of each run's first tower."""


def shared_types(runs: Sequence[OneRun]) -> SharedTypes:
    """Raises `InputError` where too few types are frequent in all runs."""
    least = max(2 * one.run.config.analyze.min_count for one in runs)
    same = len({tuple(one.text.pieces) for one in runs}) == 1
    frequent = [_frequent(one.run, least, same) for one in runs]
    shared = sorted(set.intersection(*(set(one.index) for one in frequent)))
    if len(shared) < FEWEST_TYPES:
        raise InputError(
            f"study: its runs share {len(shared)} types that are frequent enough; agreement needs {FEWEST_TYPES}"
        )
    training_count = frequent[0].loc[shared, "training_count"].to_numpy()
    bins = frequency_bins(training_count, runs[0].run.config.analyze.frequency_ratio, FEWEST_IN_BIN)
    both = [_tallies(one, types.loc[shared, "piece_id"].to_numpy()) for one, types in zip(runs, frequent, strict=True)]
    return SharedTypes(
        "pieces" if same else "whole words", shared, bins, [pair[0] for pair in both], [pair[1] for pair in both]
    )


def _frequent(run: Run, least: int, pieces: bool) -> pd.DataFrame:
    """The types that occur often enough, by their piece; only whole words where vocabularies differ."""
    types = run.preference()
    types = types[types["count"] >= least]
    if not pieces:
        types = types[~types["piece"].str.startswith(PREFIX)]
    return types.set_index("piece")


def _tallies(one: OneRun, ids: NDArray[np.integer]) -> tuple[Tallies, Tallies]:
    """Preference and noise of these piece ids, added up by document and type."""
    first, second = INDEPENDENT[0]
    scores = one.scores(["document", "piece_id", f"{first}_1", f"{first}_2", f"{second}_1"])
    number = np.full(int(scores["piece_id"].max()) + 1, -1)
    number[ids] = np.arange(len(ids))
    kind = number[scores["piece_id"].to_numpy()]
    document = pd.factorize(scores["document"])[0]
    kept = kind >= 0
    signals: tuple[Floats, ...] = (
        contrasts(2)[0].of(scores), (scores[f"{first}_1"] - scores[f"{second}_1"]).to_numpy(np.float64),
    )  # fmt: skip
    documents = int(document.max()) + 1
    preference, noise = (tally(document[kept], kind[kept], one[kept], len(ids), documents) for one in signals)
    return preference, noise


def profile_of(one: OneRun, noise: bool = False) -> ProfileOfRun:
    """The words of a run by part of speech, with the difference of its towers (or of two readouts of its first)."""
    columns = ["document", "piece_id", "upos", "whole_word", "readout_1", "readout_2", "noise_1"]
    text, config = one.text, one.run.config
    measured = Measured(
        one.scores(columns), 2, text.pieces, text.frequencies, text.classes, config.analyze, config.seed
    )
    signal = measured.noise_difference(1) if noise else measured.difference(measured.contrasts[0])
    units = units_of(measured, measured.upos, [signal])
    kept = [name for name in LEXICAL_AND_GRAMMATICAL if name in units.classes]
    return ProfileOfRun(one.name, one.group, one.corpus, text.summary["tagger"], units.only(kept))


def observed(one: OneRun) -> Observed:
    """The occurrences of a run, for the mixed-effects model."""
    scores = one.scores(["document", "piece_id", "piece", "upos", "readout_1", "readout_2"])
    return Observed(scores.assign(difference=contrasts(2)[0].of(scores)), one.text.frequencies)


def with_types(axis: dict[str, Any], pieces: Sequence[str]) -> dict[str, Any]:
    """An axis of `agreement`, its exemplars by piece instead of by number."""
    return axis | {side: [pieces[number] for number in axis[side]] for side in ("highest", "lowest")}
