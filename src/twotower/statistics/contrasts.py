"""What preference is, for any number of towers: sums of their log-probabilities with weights that are zero in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

STEP = 1_000_000
"""Occurrences that are held in double precision at a time, besides the result."""


class Columns(Protocol):
    """What a contrast needs of a frame."""

    def __len__(self) -> int: ...

    def __getitem__(self, name: str, /) -> pd.Series: ...


@dataclass(frozen=True)
class Contrast:
    """One preference: a weighted sum of the towers' log-probabilities, in nats."""

    tower: int
    """The tower (from 1) whose preference it is; of two towers the first, and its negative is the other's."""
    weights: tuple[float, ...]
    """One weight per tower, zero in all."""

    @property
    def name(self) -> str:
        """In words."""
        if len(self.weights) == 2:
            return "tower 1 minus tower 2"
        return f"tower {self.tower} minus the mean of all towers"

    @property
    def suffix(self) -> str:
        """What its columns end with in `preference.parquet`; nothing where there is only one."""
        return "" if len(self.weights) == 2 else f"_{self.tower}"

    def of(self, scores: Columns, readouts: str = "readout") -> NDArray[np.float64]:
        """The preference of each occurrence under a set of readouts, from its columns SET_K; shape (occurrences,)."""
        total = np.zeros(len(scores))
        for tower, weight in enumerate(self.weights, start=1):
            if weight:
                values = scores[f"{readouts}_{tower}"].to_numpy()
                for start in range(0, len(total), STEP):
                    part = slice(start, start + STEP)
                    total[part] += weight * values[part].astype(np.float64)
        return total

    def mean_of(self, scores: Columns, sets: Sequence[str]) -> NDArray[np.float64]:
        """The mean preference of each occurrence over sets of readouts, (occurrences,)."""
        total = self.of(scores, sets[0])
        for name in sets[1:]:
            total += self.of(scores, name)
        return total / len(sets) if len(sets) > 1 else total


def contrasts(towers: int) -> list[Contrast]:
    """The preferences of so many towers.

    Two: tower 1 minus tower 2 (He and Toyoizumi 2022). More: each tower minus the mean over all. One has none.
    """
    if towers == 1:
        return []
    if towers == 2:
        return [Contrast(1, (1.0, -1.0))]
    return [
        Contrast(tower, tuple(float(tower == other) - 1 / towers for other in range(1, towers + 1)))
        for tower in range(1, towers + 1)
    ]
