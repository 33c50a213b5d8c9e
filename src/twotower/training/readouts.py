"""The stage `readout`: the paper's phases 2 and 3 as one pass.

The trunk is frozen and in evaluation mode, so it is run once per batch for all readouts that read it; the readouts of a
set see the same batches in the same order and start from the same weights, so that only their towers can make them
differ. Sets differ from each other in their initial weights and in the order of the text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import torch
from torch import nn

from ..config import RunConfig
from ..data.heldout import PreparedText
from ..data.tokenization import save_for_transformers
from ..errors import InputError
from ..modeling.fused_losses import VocabularyLoss, vocabulary_loss
from ..modeling.losses import cross_entropy_sum
from ..modeling.model import TowersModel, fresh_readouts
from ..modeling.objectives import Batch, readout_losses
from ..modeling.sizes import require_same_vocabulary
from ..processes import ALONE, Processes, device, joined
from ..progress import Progress
from .batches import Batches
from .optimization import linear_schedule, readout_optimizer, set_learning_rates

SETS: dict[str, tuple[int, int]] = {
    "readout": (0, 1_000_003), "second": (1, 2_000_003),
    "third": (4_000_000, 3_000_003), "fourth": (4_000_001, 4_000_003),
}  # fmt: skip
"""The sets of readouts, by name: what is added to the run's seeds of initial weights and of the order of the text.

Any two sets share nothing but the towers: what their preferences have in common comes from the towers."""


def train_readouts(config: RunConfig, run: Path, out: Path) -> None:
    """Train the sets of readouts on `run/trunk` and write `model/` and `readout.json` into `out`.

    Under a launcher every process must call it; each takes its rows of every batch, and the first one writes. Raises
    `InputError` if the rows cannot be shared evenly.
    """
    settings = config.readout
    processes = joined()
    if settings.batch % processes.count:
        raise InputError(
            f"readout.batch: {settings.batch} windows cannot be shared evenly by {processes.count} processes; "
            "give a multiple"
        )
    text = PreparedText(run)
    model = TowersModel.from_pretrained(run / "trunk").to(device())
    require_same_vocabulary(model.config, text)
    model.eval()
    model.requires_grad_(False)
    model.config.readout_norm = settings.norm
    chosen = dict(list(SETS.items())[: settings.replicates])
    unigram = torch.from_numpy(text.log_frequencies)
    sets = nn.ModuleDict(
        {name: fresh_readouts(model.config, 2 * config.seed + own, unigram) for name, (own, _) in chosen.items()}
    ).to(device())
    # Streams of their own: the readouts must not depend on the order in which the trunk saw the text.
    order_of = {
        name: Batches(text, model.config, settings.batch, config.train.masked, config.seed + own)
        for name, (_, own) in chosen.items()
    }
    batches = order_of["readout"]
    steps = max(1, settings.tokens // batches.tokens)
    loss = vocabulary_loss(config.train.loss)
    optimizer = readout_optimizer(sets, settings, config.train.betas)
    with Progress("readout", steps * batches.tokens, "tok", quiet=not processes.first) as progress:
        for step in range(steps):
            set_learning_rates([optimizer], linear_schedule(step, steps, settings.warmup))
            each = [([cast(nn.ModuleList, sets[name])], order.get(step)) for name, order in order_of.items()]
            nats = update_readouts(model, each, optimizer, config, loss, processes)
            progress.advance(batches.tokens, nats=" ".join(f"{value:.2f}" for value in nats[0].tolist()))
    if not processes.first:
        return
    model.readouts = sets
    model.config.readouts = list(sets)
    model.save_pretrained(out / "model")
    save_for_transformers(run / "tokenizer.json", out / "model", model.config.objective, model.config.windows)
    (out / "readout.json").write_text(
        json.dumps({"steps": steps, "tokens": steps * batches.tokens}, indent=2) + "\n", encoding="utf-8"
    )


def update_readouts(
    model: TowersModel,
    work: Sequence[tuple[Sequence[nn.ModuleList], Batch]],
    optimizer: torch.optim.Optimizer,
    config: RunConfig,
    loss: VocabularyLoss = cross_entropy_sum,
    processes: Processes = ALONE,
) -> torch.Tensor:
    """One update of all readouts: each batch with the sets that read it, over one forward pass of the frozen towers.

    Each of the `processes` takes its rows; gradients are summed over them before they are clipped. Returns mean nats,
    (sets, towers), in the order of `work`.
    """
    where = model.decoder_bias.device
    found = []
    for sets, batch in work:
        nats = torch.zeros(len(sets), model.config.towers, device=where)
        size = len(batch) // processes.count
        mine = batch.rows(slice(processes.rank * size, (processes.rank + 1) * size))
        for part in mine.split(config.train.micro_batch):
            part = part.to(where)
            with torch.no_grad():
                seen = model.readout_inputs(model.tower_outputs(part.inputs, part.present, part.predicted))
            targets = part.targets[part.predicted]
            losses = [torch.stack(readout_losses(readouts, seen, targets, loss)) for readouts in sets]
            means = torch.stack(losses) / batch.count  # of the whole batch: neither parts nor processes change the sum
            torch.autograd.backward(means.sum())
            nats += means.detach()
        processes.add_up([nats])
        found.append(nats)
        for readouts in sets:
            processes.add_up(_gradients(readouts) if processes.count > 1 else ())
            for readout in readouts:  # each on its own, so that no readout's gradient scales another's
                nn.utils.clip_grad_norm_(readout.parameters(), config.train.clip)
    optimizer.step()
    optimizer.zero_grad()
    return torch.cat(found)


def _gradients(readouts: nn.ModuleList) -> Iterator[torch.Tensor]:
    """Of all parameters, zero where this process's rows had nothing to predict: all processes reduce the same."""
    for parameter in readouts.parameters():
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        yield parameter.grad
