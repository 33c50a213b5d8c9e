"""The batch of each step: rows of the training split under an objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.heldout import PLANTED_TEXTS, PreparedText
from ..data.windows import TrainingWindows
from ..modeling.configuration import TowersConfig
from ..modeling.objectives import Batch, make_batch, row_length


@dataclass(frozen=True)
class Batches:
    """The batches of a run. Each depends on the fields and its step alone, not on the number of processes."""

    text: PreparedText
    towers: TowersConfig
    batch: int
    """Windows per step."""
    masked: float
    """Share of the tokens that the masked objective selects."""
    seed: int

    @property
    def tokens(self) -> int:
        """Tokens of a step, padding included."""
        return self.batch * int(self.towers.window)

    def get(self, step: int) -> Batch:
        """The batch of update `step` (from 0)."""
        return self._of(self.text.train, step)

    def own_texts(self, step: int) -> list[Batch]:
        """The batch of each tower's own text, where texts are planted; none elsewhere."""
        if self.towers.planted != "texts" or self.towers.own_weight == 0:
            return []
        return [self._of(self.text.planted(name), step) for name in PLANTED_TEXTS]

    def _of(self, stream: NDArray[np.unsignedinteger[Any]], step: int) -> Batch:
        towers, vocabulary = self.towers, self.text.vocabulary
        windows = TrainingWindows(
            stream, towers.window, self.batch, self.seed, row_length(towers.objective, towers.window),
            vocabulary if towers.windows == "pairs" else None,
        )  # fmt: skip
        masks = np.random.default_rng([self.seed, step, 15])
        return make_batch(towers.objective, windows.get(step), vocabulary, self.masked, masks)
