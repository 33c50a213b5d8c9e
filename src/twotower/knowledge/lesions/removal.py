"""A part of the joint model's input taken away: what the joint head then thinks of each piece.

Only what the fusion receives changes, position by position: the towers themselves, and what they tell each other
nothing of, stay as they were. So the towers are run once for all lesions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...data.windows import ScoringRows
from ...modeling.losses import token_log_probs
from ...modeling.model import TowersModel
from ...modeling.scoring import folds
from ...statistics.tallies import Floats
from ...system.progress import Progress
from ..sentences import Rows

INTACT = "intact"
MEAN, ZERO, RESAMPLED = "mean", "zero", "resampled"
WAYS = (MEAN, ZERO, RESAMPLED)
BATCH = 32
HALVES = 20
"""Random divisions of the units that stand for what lesions of no tower in particular do."""


@dataclass(frozen=True)
class Lesion:
    """Which units of the concatenated towers are replaced, and by what."""

    units: NDArray[np.bool_]
    """(towers x output_width,)"""
    way: str
    """`mean`, their mean over the bank; `zero`; or `resampled`, their values at another position of the bank."""


PARTS = "abcdefgh"
"""The parts of a random division of the units: as many as there are towers, of a single tower two."""


def lesions_of_towers(model: TowersModel, divisions: int, generator: np.random.Generator) -> dict[str, Lesion]:
    """The lesions that are tried, by name: `tower K, WAY`, and, as their null, `half R a`, `half R b`, ….

    Each of the `divisions` R deals the units out at random into as many parts as there are towers (of a single tower,
    two), with as many units of each tower in each part. Parts are replaced by their mean.
    """
    width, towers = model.config.output_width, model.config.towers
    tower = np.repeat(np.arange(towers), width)
    lesions = {f"tower {number + 1}, {way}": Lesion(tower == number, way) for number in range(towers) for way in WAYS}
    parts = max(2, towers)
    size = width // parts
    for number in range(divisions):
        order = np.concatenate([generator.permutation(width) for _ in range(towers)])
        for place, part in enumerate(PARTS[:parts]):
            inside = (order >= place * size) & (order < (place + 1) * size)
            lesions[f"half {number} {part}"] = Lesion(inside, MEAN)
    return lesions


def pairs_of_parts(divisions: int, towers: int) -> list[list[tuple[str, str]]]:
    """For each random division of the units all pairs of its parts: as many as there are pairs of towers.

    Pairs of towers share towers, and these pairs share parts: the largest difference between two parts is what the
    largest difference between two towers is compared with.
    """
    return [
        [(f"half {division} {first}", f"half {division} {second}") for first, second in combinations(PARTS[:towers], 2)]
        for division in range(divisions)
    ]


@torch.no_grad()
def bank_of(model: TowersModel, rows: Iterable[Rows], pad: int) -> Tensor:
    """What the fusion receives at the scored positions of some rows: (positions, towers x output_width)."""
    return torch.cat([_received(model, row, pad) for row in rows])


@torch.no_grad()
def lesioned(
    model: TowersModel,
    rows: Iterable[Rows],
    pieces: int,
    lesions: Mapping[str, Lesion],
    bank: Tensor,
    pad: int,
    seed: int,
    name: str,
) -> dict[str, Floats]:
    """Log-probability in nats of each piece under the joint head, intact and under each lesion: (pieces,) each.

    `pieces` is how many the `rows` score in all; one that they leave out is NaN. `name` is shown as progress.
    """
    log_probs = {lesion: np.full(pieces, np.nan) for lesion in (INTACT, *lesions)}
    mean = bank.mean(dim=0)
    weight, bias = model.joint_decoder()
    generator = torch.Generator().manual_seed(seed)
    batches = list(rows)
    with Progress(name, sum(len(batch.places) for batch in batches), "piece") as progress:
        for batch in batches:
            received = _received(model, batch, pad)
            targets = torch.from_numpy(batch.targets[batch.scored])
            elsewhere = bank[torch.randint(len(bank), (len(received),), generator=generator)]
            instead = {MEAN: mean.expand_as(received), ZERO: torch.zeros_like(received), RESAMPLED: elsewhere}
            for lesion in (INTACT, *lesions):
                joined = received
                if lesion != INTACT:
                    units = torch.from_numpy(lesions[lesion].units)
                    joined = torch.where(units, instead[lesions[lesion].way], received)
                scores = token_log_probs(model.fusion(joined), weight, bias, targets)
                log_probs[lesion][batch.places] = scores.numpy()
            progress.advance(len(batch.places))
    return log_probs


def _received(model: TowersModel, rows: Rows, pad: int) -> Tensor:
    present = torch.from_numpy(rows.inputs != pad)
    outputs = model.tower_outputs(
        torch.from_numpy(np.ascontiguousarray(rows.inputs)),
        None if bool(present.all()) else present,
        torch.from_numpy(np.ascontiguousarray(rows.scored)),
    )
    return torch.cat(outputs, dim=-1)


def heldout_rows(model: TowersModel, rows: ScoringRows, tokens: int, passes: int) -> list[Rows]:
    """Rows that score some `tokens` of the held-out text, spread over it; `places` count all its scored tokens.

    Under the masked objective each row is read in `passes` passes, as in the stage `score`.
    """
    step = max(1, rows.scored // max(1, tokens))
    chosen = np.arange(0, len(rows), step)
    begins = np.concatenate([[0], np.cumsum(rows.last - rows.first)])
    batches: list[Rows] = []
    for start in range(0, len(chosen), BATCH):
        part = chosen[start : start + BATCH]
        text, scored = _read(rows, part)
        place = np.full(text.shape, -1)
        for row, number in enumerate(part.tolist()):
            place[row, scored[row]] = np.arange(begins[number], begins[number + 1])
        if model.config.objective == "causal":
            batches.append(Rows(text[:, :-1], text[:, 1:], scored[:, 1:], place[:, 1:][scored[:, 1:]]))
        elif model.config.objective == "bidirectional":
            batches.append(Rows(text, text, scored, place[scored]))
        else:
            dealt = folds(scored, passes, int(part[0]))
            for number in range(int(dealt.max()) + 1):
                hidden = dealt == number
                has_hidden = hidden.any(axis=1)
                inputs = np.where(hidden, rows.vocabulary.mask, text)[has_hidden]
                batches.append(Rows(inputs, text[has_hidden], hidden[has_hidden], place[hidden]))
    return batches


def _read(rows: ScoringRows, chosen: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    parts = [rows.read(slice(number, number + 1)) for number in chosen.tolist()]
    return np.concatenate([text for text, _ in parts]), np.concatenate([scored for _, scored in parts])


def names_of(pair: tuple[int, int]) -> tuple[str, str]:
    """The lesions that stand for two towers: each replaced by its mean."""
    return f"tower {pair[0]}, {MEAN}", f"tower {pair[1]}, {MEAN}"
