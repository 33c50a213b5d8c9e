"""The algorithm of the paper's released code, written anew in plain PyTorch on the same towers.

Logits of the whole vocabulary and their cross-entropy at every position, those that are not predicted ignored; AdamW as
PyTorch's default is; readout phases one after the other, each running both towers; tallies per type in dictionaries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twotower.modeling.model import Readout, TowersModel
from twotower.modeling.objectives import Batch
from twotower.training.batches import Batches

from .measure import DEVICE

IGNORED = -100


def plain_loss(features: Tensor, weight: Tensor, bias: Tensor, batch: Batch) -> Tensor:
    """Mean cross-entropy over the predicted positions, from the logits at all of them."""
    logits = F.linear(features, weight, bias)
    targets = torch.where(batch.predicted, batch.targets, torch.full_like(batch.targets, IGNORED))
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)


def lean_loss(features: Tensor, weight: Tensor, bias: Tensor, batch: Batch) -> Tensor:
    """The same from the logits at the predicted positions alone; `features` (predicted, width)."""
    return F.cross_entropy(F.linear(features, weight, bias), batch.targets[batch.predicted])


def joint_step(
    model: TowersModel,
    batches: Batches,
    learning_rate: float,
    clip: float,
    watching: Sequence[Readout] = (),
    watched_share: float = 0.0,
    lean: bool = False,
    half: bool = False,
) -> Callable[[], None]:
    """One update of the joint phase each time it is called.

    `watching` readouts, on the first tower and so on and then on the first one again, train along on the detached
    outputs of a share of the windows; the released code has none. `lean` is what costs nothing to do better: AdamW in
    one operation, and logits of the predicted positions alone. `half` computes in bfloat16 where PyTorch thinks fit.
    """
    parameters = [*model.parameters(), *(parameter for readout in watching for parameter in readout.parameters())]
    optimizer = torch.optim.AdamW(parameters, lr=learning_rate, fused=lean)
    step = 0

    def update() -> None:
        nonlocal step
        batch = batches.get(step).to(DEVICE)
        step += 1
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=half):
            passes(batch)
        nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
        optimizer.zero_grad()

    def passes(batch: Batch) -> None:
        chosen = batch.predicted if lean else None
        outputs = model.tower_outputs(batch.inputs, batch.present, chosen)
        loss_of = lean_loss if lean else plain_loss
        loss_of(model.joint_features(outputs), *model.joint_decoder(), batch).backward()
        for number, readout in enumerate(watching):
            part = batch.rows(slice(max(1, round(watched_share * len(batch)))))
            seen = part.count if lean else len(part)
            features = readout.features(outputs[number % len(outputs)][:seen].detach())
            loss_of(features, readout.decoder.weight, readout.decoder.bias, part).backward()

    return update


def score(model: TowersModel, batches: Sequence[Batch]) -> dict[str, dict[int, list[float]]]:
    """Log-probabilities under every head, one head after the other, tallied per type in dictionaries."""
    tallies: dict[str, dict[int, list[float]]] = {}
    for name in ("joint", *(f"{readout}_{k}" for readout in model.readouts for k in range(1, model.config.towers + 1))):
        tally: dict[int, list[float]] = defaultdict(list)
        for batch in batches:
            outputs = model.tower_outputs(batch.inputs, batch.present)
            features, weight, bias = model.head_features(outputs)[name]
            log_probs = F.log_softmax(F.linear(features, weight, bias), dim=-1)
            chosen = log_probs.gather(-1, batch.targets[:, :, None]).squeeze(-1)
            for piece, value in zip(
                batch.targets[batch.predicted].tolist(), chosen[batch.predicted].tolist(), strict=True
            ):
                tally[piece].append(value)
        tallies[name] = tally
    return tallies


def bootstrap_draw(document: np.ndarray, piece: np.ndarray, value: np.ndarray, generator: np.random.Generator) -> None:
    """The mean of each type over one resample of the documents, in dictionaries."""
    occurrences: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for number, kind, piece_value in zip(document.tolist(), piece.tolist(), value.tolist(), strict=True):
        occurrences[number].append((kind, piece_value))
    documents = list(occurrences)
    sums: dict[int, float] = defaultdict(float)
    counts: dict[int, int] = defaultdict(int)
    for drawn in generator.choice(documents, size=len(documents)).tolist():
        for kind, piece_value in occurrences[drawn]:
            sums[kind] += piece_value
            counts[kind] += 1
    for kind in sums:
        sums[kind] /= counts[kind]
