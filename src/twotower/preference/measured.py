"""What every statistic of one run starts from: the scored held-out text, and how it is resampled."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import permutations
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..config.schema import AnalyzeConfig, RunConfig
from ..data.heldout import PreparedText
from ..scoring.score_table import ScoreColumns
from ..statistics.blocks import blocks_of
from ..statistics.contrasts import Columns, Contrast, contrasts
from ..statistics.grouping import numbered
from ..statistics.stretches import stretches
from ..statistics.tallies import Floats, Sums, Tallies, ValuesOf, add_up, mean_of
from ..training.convergence import read_readouts
from ..training.metrics import read_trained

SETS = ("readout", "second", "third", "fourth")
"""The sets of readouts that a run may have (`training.readouts.SETS`): any two share nothing but the towers."""
MODEL = "model"
"""The only set of a comparison of models, which are read directly: nothing has to be trained."""
EVERYTHING = slice(None)


def sets_in(columns: Container[str]) -> list[str]:
    """The sets of readouts that a table of scores has; for models, the one exact set."""
    return [name for name in (*SETS, MODEL) if f"{name}_1" in columns]


def pairs_of_sets(sets: int) -> list[tuple[int, int]]:
    """Ordered pairs of sets, one for each factor of a product; a single exact set is paired with itself."""
    return list(permutations(range(sets), 2)) if sets > 1 else [(0, 0)]


@dataclass(frozen=True)
class Measured:
    """The scored held-out text of one run."""

    scores: pd.DataFrame | ScoreColumns
    """`scores.parquet`, one row per held-out occurrence; from a run folder, columns are read on demand."""
    towers: int
    pieces: list[str]
    """By piece id."""
    frequencies: NDArray[np.int64]
    """Training count of each piece, (vocabulary,)."""
    classes: pd.DataFrame
    """`upos` and `word_class` of each piece, see `data.heldout.classify_types`."""
    settings: AnalyzeConfig
    seed: int
    text: PreparedText | None = None
    """The prepared text, for what needs more of it than its scores."""
    names: Mapping[int, str] | None = None
    """The names of the documents by their numbers; only without a prepared text."""
    annotations: pd.DataFrame | None = None
    """`deprel` and `feats` of the word of each occurrence; only for treebanks."""
    reads_ahead: bool = False
    """Whether the models have read the tokens after the one that they predict."""
    converged: bool | None = None
    """Whether the readouts were trained until nothing changed; None where that was not checked."""

    @classmethod
    def of(cls, config: RunConfig, run: Path) -> Measured:
        """Read a run folder."""
        text = PreparedText(run)
        scores = ScoreColumns(run / "scores.parquet")
        return cls(
            scores, config.model.towers, text.pieces, text.frequencies, text.classes, config.analyze, config.seed, text,
            annotations=text.annotations, reads_ahead=read_trained(run).objective != "causal",
            converged=read_readouts(run).converged,
        )  # fmt: skip

    def generator(self, name: str) -> np.random.Generator:
        """The random stream of a statistic: it depends on its name and the run's seed, not on other statistics."""
        return np.random.default_rng([self.seed, crc32(name.encode())])

    @cached_property
    def contrasts(self) -> list[Contrast]:
        """The preferences of this many towers; a single tower has none."""
        return contrasts(self.towers)

    @cached_property
    def piece(self) -> NDArray[np.int32]:
        """Piece id of each occurrence, (occurrences,)."""
        return np.asarray(self.scores["piece_id"], dtype=np.int32)

    @cached_property
    def document(self) -> NDArray[np.int32]:
        """Document of each occurrence, numbered from 0 in the order of the text, (occurrences,)."""
        return np.asarray(pd.factorize(self.scores["document"])[0], dtype=np.int32)

    @cached_property
    def block_of(self) -> NDArray[np.int32]:
        """The block of each document, (documents,); see `statistics.blocks.blocks_of`."""
        return blocks_of(self.documents)

    @cached_property
    def block(self) -> NDArray[np.int32]:
        """The unit of resampling of each occurrence, (occurrences,): its document, or that document's block."""
        return self.document if self.blocks == self.documents else self.block_of[self.document]

    @property
    def blocks(self) -> int:
        """Number of units that are resampled."""
        return int(self.block_of[-1]) + 1 if self.documents else 0

    @cached_property
    def document_names(self) -> list[str]:
        """The name of each document, in the order of `document`. Without a prepared text, its number."""
        names = self.names
        if names is None and self.text is not None:
            names = dict(zip(self.text.documents["document"], self.text.documents["name"], strict=True))
        return [str(number) if names is None else str(names[number]) for number in self.scores["document"].unique()]

    @cached_property
    def upos(self) -> pd.Categorical:
        """Part of speech of the word that each occurrence stands in (`_`: none), (occurrences,)."""
        return pd.Categorical(self.scores["upos"])

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Held-out occurrences of each type, (vocabulary,)."""
        return np.bincount(self.piece, minlength=len(self.pieces))

    @cached_property
    def frequent(self) -> NDArray[np.bool_]:
        """Which types occur often enough for statistics of types: twice `min_count` times, (vocabulary,)."""
        return self.counts >= 2 * self.settings.min_count

    @cached_property
    def sets(self) -> list[str]:
        """The sets of readouts that this run has."""
        return sets_in(self.scores.columns)

    @property
    def exact(self) -> bool:
        """Whether differences are known without readouts, so that documents alone are random."""
        return self.sets == [MODEL]

    def log_probs(self, head: str, part: slice = EVERYTHING) -> Floats:
        """Log-probability under a head of each occurrence, or of those in a part, in nats, (occurrences,)."""
        return np.asarray(self.rows(part)[head], dtype=np.float64)

    def difference(self, contrast: Contrast, part: slice = EVERYTHING, readouts: str | None = None) -> Floats:
        """A preference at each occurrence, in nats, (occurrences,): under a set of readouts, or the mean over sets."""
        return contrast.mean_of(self.rows(part), [readouts] if readouts else self.sets)

    def alone(self, tower: int, part: slice = EVERYTHING) -> Floats:
        """Log-probability under a tower alone at each occurrence, mean over sets of readouts, (occurrences,)."""
        mean: Floats = np.mean([self.log_probs(f"{name}_{tower}", part) for name in self.sets], axis=0)
        return mean

    @cached_property
    def documents(self) -> int:
        """Number of held-out documents."""
        return int(self.document.max()) + 1 if len(self.document) else 0

    def rows(self, part: slice) -> Columns:
        """The scores of a stretch of the text."""
        return self.scores.part(part) if isinstance(self.scores, ScoreColumns) else self.scores.iloc[part]

    def type_means(self, values_of: ValuesOf) -> Floats:
        """Mean of the `values_of` a stretch over the occurrences of each type, (vocabulary,); NaN without any."""
        sums = np.zeros(len(self.pieces))
        for part in stretches(self.document):
            sums += np.bincount(self.piece[part], weights=values_of(part), minlength=len(sums))
        means: Floats = np.divide(sums, self.counts, where=self.counts > 0, out=np.full(len(sums), np.nan))
        return means

    def cells(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
        """Document, type and count of each pair that occurs, each (pairs,), one stretch of the text at a time."""
        types = len(self.pieces)
        for part in stretches(self.document):
            pairs, cell = numbered(self.document[part].astype(np.int64) * types + self.piece[part])
            yield *np.divmod(pairs, types), np.bincount(cell)

    def tally(self, values: Floats | ValuesOf) -> Tallies:
        """Values of the occurrences added up by block of documents and type; all tallies of a text share their counts.

        `values` has shape (occurrences,), or is a function that gives those of a stretch.
        """
        return Tallies(self._counts, add_up(self.block, self.piece, values, len(self.pieces)))

    @cached_property
    def _counts(self) -> Sums:
        return add_up(self.block, self.piece, None, len(self.pieces))

    def under(self, readouts: str) -> list[Tallies]:
        """The preference of types under a set of readouts, one for each contrast."""
        if readouts not in self._under:
            values = [partial(self.difference, contrast, readouts=readouts) for contrast in self.contrasts]
            self._under[readouts] = [self.tally(difference) for difference in values]
        return self._under[readouts]

    @cached_property
    def _under(self) -> dict[str, list[Tallies]]:
        return {}

    @cached_property
    def preferences(self) -> list[Tallies]:
        """The preference of types, mean over sets of readouts, one for each contrast."""
        return [mean_of(of_contrast) for of_contrast in zip(*map(self.under, self.sets), strict=True)]
