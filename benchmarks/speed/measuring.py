"""Scoring and statistics: ours, the reference's algorithm, and the bare passes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from twotower.config.schema import RunConfig
from twotower.data.windows import ScoringRows
from twotower.modeling.losses import block_rows
from twotower.modeling.model import TowersModel
from twotower.modeling.objectives import Batch
from twotower.modeling.scoring import score_rows
from twotower.preference.reliability import reliability
from twotower.preference.types import type_preferences
from twotower.statistics.tallies import tally

from . import reference
from .measure import Row, alternate, ratio, row, spread
from .resident import peak_bytes
from .training import setting
from .turns import take_turns

ROUNDS = 5
BATCH = 64


@torch.no_grad()
def bare(model: TowersModel, batches: list[Batch]) -> None:
    """The towers' forward pass, every head's features, and the product with the vocabulary: no probability is made."""
    size = block_rows(model.config.vocab_size, 4)
    logits = torch.empty(size, model.config.vocab_size)
    for batch in batches:
        outputs = model.tower_outputs(batch.inputs, batch.present, batch.predicted)
        for features, weight, _ in model.head_features(outputs).values():
            for part in features.split(size):
                torch.mm(part, weight.T, out=logits[: len(part)])


def _scoring(config: RunConfig, run: Path) -> tuple[TowersModel, ScoringRows, list[Batch]]:
    """Towers with two readouts each, and held-out text."""
    text, towers, _ = setting(config, run)
    torch.manual_seed(config.seed)
    towers.readouts = ["readout", "second"]
    model = TowersModel(towers).eval()
    rows = text.windows(towers.objective, towers.windows, towers.window)
    return model, rows, [_batch(rows, start) for start in range(0, len(rows), BATCH)]


def scoring_work(config: RunConfig, run: Path) -> Callable[[], object]:
    """Held-out text under all heads."""
    model, rows, _ = _scoring(config, run)
    return lambda: list(score_rows(model, rows, BATCH, config.score.passes))


def bare_scoring_work(config: RunConfig, run: Path) -> Callable[[], object]:
    """What of it cannot be left out."""
    model, _, batches = _scoring(config, run)
    return lambda: bare(model, batches)


def reference_scoring_work(config: RunConfig, run: Path) -> Callable[[], object]:
    """The same by the reference's algorithm."""
    model, _, batches = _scoring(config, run)
    return lambda: reference.score(model, batches)


def scoring_rows(config: RunConfig, run: Path, threads: int) -> list[Row]:
    """Held-out text under all heads: the joint one, and two readouts of each tower."""
    times = take_turns(["twotower scoring", "bare scoring", "reference scoring"], config, run, threads, ROUNDS)
    name = "scoring held-out text, all heads"
    against, bare_ratio = (
        ratio(times, "reference scoring", "twotower scoring"),
        ratio(times, "twotower scoring", "bare scoring"),
    )
    return [
        row(name, "reference's algorithm", against, 3, threads, note=spread(times)),
        row(name, "bare forward and head products (time)", bare_ratio, 1.3, threads, least=False),
    ]


def _batch(rows: ScoringRows, start: int) -> Batch:
    text, scored = rows.read(slice(start, start + BATCH))
    inputs, targets, predicted = (torch.from_numpy(part.copy()) for part in (text[:, :-1], text[:, 1:], scored[:, 1:]))
    return Batch(inputs, targets, predicted, None)


def occurrences(count: int, documents: int, types: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Documents, types (with Zipf's frequencies) and values of so many occurrences."""
    generator = np.random.default_rng(0)
    weights = 1 / np.arange(1, types + 1)
    piece = generator.choice(types, size=count, p=weights / weights.sum())
    return np.sort(generator.integers(0, documents, count)), piece, generator.normal(size=count)


def statistics_rows(threads: int, count: int = 1_000_000, documents: int = 500, types: int = 30_000) -> list[Row]:
    """Bootstrap draws of every type's preference: one of the dictionaries against a share of a thousand of ours."""
    document, piece, value = occurrences(count, documents, types)
    generator = np.random.default_rng(0)
    draws = 1000

    def ours() -> None:
        type_preferences(tally(document, piece, value, types), draws, 0.95, generator)

    times = alternate(
        {"ours": ours, "reference": lambda: reference.bootstrap_draw(document, piece, value, generator)}, 3
    )
    times["reference"] = [seconds * draws for seconds in times["reference"]]
    note = spread(times) + f"; dictionaries: one draw of {count:,} occurrences, times {draws:,}"
    name = "statistics, 1,000 draws over documents"
    return [row(name, "reference's algorithm", ratio(times, "reference", "ours"), 50, threads, note=note)]


def large_statistics() -> dict[str, float]:
    """Seconds and peak memory (GiB) of 10^7 occurrences: every type's preference, and reliability."""
    count, documents, types = 10_000_000, 500, 30_000
    document, piece, value = occurrences(count, documents, types)
    generator = np.random.default_rng(0)
    figures = {}
    begin = time.perf_counter()
    tallies = tally(document, piece, value, types)
    type_preferences(tallies, 1000, 0.95, generator)
    figures["preference (s)"] = time.perf_counter() - begin
    figures["preference: peak (GiB)"] = peak_bytes() / 2**30
    begin = time.perf_counter()
    again = tally(document, piece, value + generator.normal(size=count), types)
    reliability([[tallies], [again]], 10, 20, 0.95, generator)
    figures["reliability (s)"] = time.perf_counter() - begin
    figures["peak (GiB)"] = peak_bytes() / 2**30
    return figures
