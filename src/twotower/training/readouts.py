"""The stage `readout`: the paper's phases 2 and 3 as one pass over the frozen towers' states.

The towers run once, in evaluation mode, and their states are kept on disk (`state_cache`). Sets of readouts train on
them at a constant rate; what counts is the mean of their weights over the last half of the text, which replaces a
decaying rate and can be read at any time. It is read whenever the text has doubled: the readouts stop when another
doubling has not changed preference and surplus (`convergence`), or has made them worse on text that nothing trains on.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..config.conversion import as_json
from ..config.schema import RunConfig
from ..data.heldout import PreparedText
from ..data.tokenizer_files import save_for_transformers
from ..modeling.configuration import READOUT_SETS, TWICE_SETS
from ..modeling.losses import cross_entropy_sum
from ..modeling.model import Readout, TowersModel, fresh_set, input_of
from ..modeling.scoring import score_rows
from ..modeling.sizes import require_same_vocabulary
from ..modeling.transfers import in_one_copy
from ..system.processes import Processes, device, joined
from ..system.progress import Progress
from .convergence import READOUTS, Doubling, KeptAside, StatesKept, TrainedReadouts, compare
from .optimization import readout_optimizers, set_learning_rates
from .state_cache import Part, StateCache, batches_of
from .vocabulary_sample import SMALLEST, VocabularySample

SEEDS = ((0, 1_000_003), (1, 2_000_003), (4_000_000, 3_000_003), (4_000_001, 4_000_003))
SETS = dict(zip(READOUT_SETS, SEEDS, strict=True))
"""The sets of readouts, by name, with what each adds to the run's seeds of initial weights and of text order.

Any two sets share nothing but the towers: what their preferences have in common comes from the towers."""
FIRST_READING = 200_000
"""Tokens after which the readouts are read for the first time, or up to twice as many."""
VALIDATION_TOKENS = 60_000
"""Tokens of the documents kept aside on which they are read, at most; spread over these documents."""
ROWS = 64


def train_readouts(config: RunConfig, run: Path, out: Path) -> None:
    """Train the sets of readouts on `run/trunk` and write `model/` and `readout.json` into `out`.

    Under a launcher every process must call it; each keeps the states of its share of the text and takes its positions
    of every batch, and the first one writes. Raises `InputError` if the states do not fit the disk.
    """
    settings, processes = config.readout, joined()
    text = PreparedText(run)
    model = TowersModel.from_pretrained(run / "trunk").to(device())
    require_same_vocabulary(model.config, text)
    model.eval()
    model.requires_grad_(False)
    names = READOUT_SETS[: settings.replicates]
    model.config.readout_norm, model.config.readout_kind = settings.norm, settings.kind
    model.config.readouts = names
    model.config.twice = names[:TWICE_SETS] if model.config.towers > 1 else ()
    unigram = torch.from_numpy(text.log_frequencies)
    sets = nn.ModuleDict(
        {name: fresh_set(model.config, name, 2 * config.seed + SETS[name][0], unigram) for name in names}
    ).to(device())
    reading = Reading(model, text, config, processes)
    with StateCache(model, text, config, out / "states", processes) as cache:
        training = Training(model, sets, config, processes, text.log_frequencies)
        doublings, why = training.until_converged(cache, reading)
    if not processes.first:
        return
    model.readouts = training.kept
    model.save_pretrained(out / "model")
    save_for_transformers(run / "tokenizer.json", out / "model", model.config.objective, model.config.windows)
    summary = TrainedReadouts(
        converged=doublings[-1].converged if doublings else False,
        stopped=why,
        tokens=training.kept_tokens,
        cap=settings.tokens,
        kind=settings.kind,
        doubling=doublings[-1] if doublings else None,
        doublings=doublings,
        validation=KeptAside(len(text.validation_documents), len(reading.piece)),
        cache=StatesKept(cache.chunks * cache.batches.tokens, cache.parts),
    )
    (out / READOUTS).write_text(as_json(summary), encoding="utf-8")


class Reading:
    """The documents kept aside, read under all readouts."""

    def __init__(self, model: TowersModel, text: PreparedText, config: RunConfig, processes: Processes) -> None:
        towers = model.config
        rows = text.validation_windows(towers.objective, towers.windows, towers.window)
        self.rows = rows.every(-(-rows.scored // VALIDATION_TOKENS))
        self.model, self.processes, self.passes = model, processes, config.score.passes
        spans = [np.arange(first, last) for first, last in zip(self.rows.first, self.rows.last, strict=True)]
        self.piece: NDArray[np.int64] = np.asarray(self.rows.tokens[np.concatenate(spans)], dtype=np.int64)

    def __call__(self, sets: nn.ModuleDict) -> dict[str, NDArray[np.float32]]:
        """Log-probabilities by head, each (tokens,); the processes share the work, and all get the result."""
        starts = self.processes.starts(len(self.rows), ROWS)
        counts = self.rows.last - self.rows.first
        begin = int(counts[: starts.start].sum())
        heads = [name for name in self.model.config.head_names if name != "joint"]
        log_probs = torch.zeros(len(heads), len(self.piece), device=self.model.decoder_bias.device)
        self.model.readouts = sets
        try:
            for piece, scored in score_rows(self.model, self.rows, ROWS, self.passes, heads, starts):
                for row, name in zip(log_probs, heads, strict=True):
                    row[begin : begin + len(piece)] = scored[name]
                begin += len(piece)
        finally:
            self.model.readouts = nn.ModuleDict()
        self.processes.add_up([log_probs])
        return dict(zip(heads, log_probs.cpu().numpy(), strict=True))


class Training:
    """The sets of readouts in training, and the mean of their weights over the last half of the text."""

    def __init__(
        self,
        model: TowersModel,
        sets: nn.ModuleDict,
        config: RunConfig,
        processes: Processes,
        log_frequencies: NDArray[np.float32],
    ) -> None:
        self.model, self.sets, self.config, self.processes = model, sets, config, processes
        self.optimizers = readout_optimizers(sets, config.readout)
        self.per_update = config.readout.batch * int(model.config.window)
        self.steps = max(1, config.readout.tokens // self.per_update)
        self.warmup = max(1, round(config.readout.warmup * min(self.steps, FIRST_READING // self.per_update)))
        sampled = config.readout.softmax == "sampled" and len(log_frequencies) >= SMALLEST
        self.samples = {
            name: VocabularySample(log_frequencies, config.seed + SETS[name][1], processes)
            for name in (self.sets if sampled else ())
        }
        self.kept = sets
        """The readouts that count, as of the last reading that was no worse than the one before."""
        self.kept_tokens = 0

    def until_converged(self, cache: StateCache, reading: Reading) -> tuple[list[Doubling], str]:
        """Train until converged, until validation gets no better, or to the end; returns the doublings, and why
        training stopped.

        Afterwards `kept` are the readouts that count.
        """
        readings = set(reading_steps(self.steps, FIRST_READING // self.per_update))
        mean = _copies(self.sets)
        averaged, last = 0, None
        doublings: list[Doubling] = []
        total = self.steps * self.per_update
        cache.part(0)  # now, so that its progress does not lie within that of the readouts
        with Progress("readout", total, "tok", quiet=not self.processes.first) as progress:
            for step, batch in enumerate(self._batches(cache)):
                nats = self._update(batch, min(1.0, (step + 1) / self.warmup))
                averaged += 1
                _add_to_mean(mean, self.sets, averaged)
                shown = {"nats": f"{float(nats):.2f}"} if step % 20 == 0 else {}
                progress.advance(self.per_update, **shown)
                if step + 1 not in readings:
                    continue
                tokens = (step + 1) * self.per_update
                scores = reading(mean)
                if last is not None:
                    names, towers = list(self.sets), int(self.model.config.towers)
                    doublings.append(compare(last, scores, names, towers, reading.piece, tokens))
                    agreement = doublings[-1].agreement
                    progress.advance(0, agreement=f"{agreement.estimate:.2f}" if agreement else "none")
                    if _nats(scores) >= _nats(last):
                        return doublings, "validation no longer improves"
                self.kept, self.kept_tokens, last = mean, tokens, scores
                if doublings and doublings[-1].converged:
                    return doublings, "converged"
                mean, averaged = _copies(self.sets), 0
        return doublings, "cap"

    def _batches(self, cache: StateCache) -> Iterator[dict[str, tuple[Part, NDArray[np.int64]]]]:
        """The positions of a part that each set reads in each update, in the set's own order."""
        done = number = 0
        windows = cache.chunks / cache.parts * cache.batches.batch
        while True:
            part = cache.part(number % cache.parts)
            size = part.positions / windows * self.config.readout.batch
            orders = [batches_of(part, size, self.config.seed + SETS[name][1], number) for name in self.sets]
            for positions in zip(*orders, strict=True):
                yield {name: (part, chosen) for name, chosen in zip(self.sets, positions, strict=True)}
                done += 1
                if done == self.steps:
                    return
            number += 1

    def _update(self, batch: dict[str, tuple[Part, NDArray[np.int64]]], share: float) -> Tensor:
        """One update of all readouts; returns the mean nats of this process's positions, a scalar on the device."""
        set_learning_rates(self.optimizers, share)
        total, positions = torch.zeros((), device=self.model.decoder_bias.device), 0
        for name, (states, *predicted) in self._read(batch).items():
            inputs = list(states.chunk(int(self.model.config.towers), dim=-1))
            readouts = cast(dict[str, Readout], self.sets[name])
            for read, readout in readouts.items():
                nats = self._nats(readout, input_of(read, inputs), predicted)
                # A mean over the whole batch: neither parts nor processes change the sum.
                torch.autograd.backward(nats / max(1, len(batch[name][1])))
                total += nats.detach()
                positions += len(states)
            for readout in readouts.values():
                self.processes.add_up(_gradients(readout) if self.processes.count > 1 else ())
                # Each on its own, so that no readout's gradient scales another's.
                nn.utils.clip_grad_norm_(readout.parameters(), self.config.train.clip)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        return total / max(1, positions)

    def _read(self, batch: dict[str, tuple[Part, NDArray[np.int64]]]) -> dict[str, list[Tensor]]:
        """For each set the states that it reads, then what `_nats` takes, all on the device."""
        device, kept = self.model.decoder_bias.device, list[Tensor]()
        for name, (part, chosen) in batch.items():
            states, targets = part.rows(chosen)
            kept += [states, *(self.samples[name].draw(targets, device) if self.samples else [targets])]
        moved, each = in_one_copy(kept, device), len(kept) // len(batch)
        return {name: moved[number * each : (number + 1) * each] for number, name in enumerate(batch)}

    def _nats(self, readout: Readout, hidden: Tensor, predicted: list[Tensor]) -> Tensor:
        """The summed nats at positions with states `hidden`; `predicted` are their targets alone, or a `Sampled`."""
        features, (weight, bias) = readout.features(hidden), self.model.decoder_of(readout)
        if not self.samples:
            return cross_entropy_sum(features, weight, bias, predicted[0])
        types, log_weights, targets = predicted
        bias = bias.index_select(0, types) + log_weights
        return cross_entropy_sum(features, weight.index_select(0, types), bias, targets)


def reading_steps(steps: int, first: int) -> list[int]:
    """The updates after which readouts are read: `steps` and its halves down to `first`; at least two if possible."""
    readings = [steps]
    while readings[-1] > 1 and (readings[-1] // 2 >= first or len(readings) < 2):
        readings.append(readings[-1] // 2)
    return readings[::-1]


def _copies(sets: nn.ModuleDict) -> Any:
    return deepcopy(sets).requires_grad_(False)


@torch.no_grad()
def _add_to_mean(mean: nn.ModuleDict, sets: nn.ModuleDict, count: int) -> None:
    """Make `mean` the mean over `count` updates, the latest one that of `sets`."""
    torch._foreach_lerp_(list(mean.parameters()), [parameter.detach() for parameter in sets.parameters()], 1 / count)


def _nats(scores: dict[str, NDArray[np.float32]]) -> float:
    return -float(np.mean([values.mean(dtype=np.float64) for values in scores.values()]))


def _gradients(readout: Readout) -> Iterator[Tensor]:
    """The gradients of all parameters, zero where this process has no position of the batch, so that all can add up."""
    for parameter in readout.parameters():
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        yield parameter.grad
