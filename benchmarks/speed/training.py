"""Joint training: ours, the reference's algorithm, `transformers.Trainer`, and the products alone."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import nn
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from twotower.config.schema import RunConfig
from twotower.data.heldout import PreparedText
from twotower.modeling.configuration import TowersConfig
from twotower.modeling.costs import count_costs, head_flops
from twotower.modeling.model import TowersModel, fresh_readouts
from twotower.modeling.objectives import watched_heads
from twotower.modeling.sizes import towers_config
from twotower.training.batches import Batches
from twotower.training.loop import _build, update

from . import reference
from .floor import count_calls, seconds_per_byte, seconds_per_call
from .lean import make_lean
from .measure import DEVICE, Row, product_seconds, ratio, reported, row, spread, vocabulary_seconds, wait
from .turns import take_turns

ROUNDS = 9
UPDATES, TRAINER_ROUNDS = 9, 2


@contextlib.contextmanager
def quiet() -> Any:
    """Without the warnings of libraries about models that are built for a moment."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def setting(config: RunConfig, run: Path) -> tuple[PreparedText, TowersConfig, Batches]:
    text = PreparedText(run)
    towers = towers_config(config, len(text.frequencies), text.vocabulary.pad)
    return text, towers, Batches(text, towers, config.train.batch, config.train.masked, config.seed)


def joint_parts(
    config: RunConfig, run: Path, on_cpu: bool = DEVICE.type == "cpu"
) -> tuple[Any, list[Any], Batches, Accelerator]:
    """The objective of the joint phase, its optimizers, its batches and the engine, as `train` makes them."""
    text, towers, batches = setting(config, run)
    AcceleratorState._reset_state(reset_partial_state=True)
    accelerator = Accelerator(cpu=on_cpu, mixed_precision=config.train.precision)
    return *_build(config, text, towers, accelerator), batches, accelerator


def joint_work(config: RunConfig, run: Path) -> Callable[[], None]:
    """One update of the joint phase, with the readouts that watch it."""
    objective, optimizers, batches, accelerator = joint_parts(config, run)
    step = 0

    def work() -> None:
        nonlocal step
        update(objective, optimizers, batches, step, config, accelerator)
        step += 1

    return work


def reference_joint_work(config: RunConfig, run: Path) -> Callable[[], None]:
    """The same by the reference's algorithm, without readouts."""
    return _plain_work(config, run, lean=False, watched=False)


def reference_watched_work(config: RunConfig, run: Path) -> Callable[[], None]:
    """The same by the reference's algorithm, with the readouts that ours trains along: the same work."""
    return _plain_work(config, run, lean=False, watched=True)


def lean_joint_work(config: RunConfig, run: Path) -> Callable[[], None]:
    """The same model in plain PyTorch, logits of the predicted positions alone, without readouts."""
    return _plain_work(config, run, lean=True, watched=False)


def lean_watched_work(config: RunConfig, run: Path) -> Callable[[], None]:
    """The same with the readouts that ours trains along: the same work."""
    return _plain_work(config, run, lean=True, watched=True)


def _plain_work(config: RunConfig, run: Path, lean: bool, watched: bool) -> Callable[[], None]:
    torch.manual_seed(config.seed)
    text, towers, batches = setting(config, run)
    unigram = torch.from_numpy(text.log_frequencies)
    watching: list[Any] = []
    if watched:
        sets = (fresh_readouts(towers, seed, unigram).to(DEVICE) for seed in (config.seed, config.seed + 1))
        watching = [readout for readouts in sets for readout in readouts]
    model = (make_lean(TowersModel(towers)) if lean else TowersModel(towers)).to(DEVICE)
    train = config.train
    return reference.joint_step(
        model, batches, train.learning_rate, train.clip, watching, train.readout_share, lean, train.precision == "bf16"
    )


class _Clock(TrainerCallback):
    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        wait()
        self.begin = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        wait()
        self.times.append(time.perf_counter() - self.begin)


def language_model(config: RunConfig, vocabulary: int) -> nn.Module:
    """What a user of `transformers` would train: one model of a tower's size."""
    model = config.model
    size = {"vocab_size": vocabulary}
    if model.family == "gpt":
        return GPT2LMHeadModel(
            GPT2Config(**size, n_positions=config.train.window, n_embd=model.width, n_layer=model.layers,
                       n_head=model.heads, bos_token_id=None, eos_token_id=None)
        )  # fmt: skip
    return BertForMaskedLM(
        BertConfig(**size, hidden_size=model.width, num_hidden_layers=model.layers, num_attention_heads=model.heads,
                   intermediate_size=4 * model.width, max_position_embeddings=config.train.window)
    )  # fmt: skip


def trainer_work(config: RunConfig, run: Path) -> Callable[[], float]:
    """An update of two such models under `Trainer`: one trains `UPDATES` of them, then the other.

    Returns the sum of the two medians, in seconds.
    """
    text, towers, batches = setting(config, run)

    def work() -> float:
        rows = []
        for step in range(UPDATES + 2):
            batch = batches.get(step)
            labels = torch.where(batch.predicted, batch.targets, torch.full_like(batch.targets, reference.IGNORED))
            if towers.objective == "causal":  # the model shifts its labels itself
                labels = batch.inputs
            rows += [
                {"input_ids": input_ids, "labels": label} for input_ids, label in zip(batch.inputs, labels, strict=True)
            ]
        total = 0.0
        for _ in range(2):
            clock = _Clock()
            with tempfile.TemporaryDirectory() as out:
                arguments = TrainingArguments(
                    output_dir=out, per_device_train_batch_size=config.train.batch, max_steps=UPDATES + 2,
                    use_cpu=DEVICE.type == "cpu", bf16=config.train.precision == "bf16", report_to="none",
                    save_strategy="no", logging_strategy="no", disable_tqdm=True,
                    learning_rate=config.train.learning_rate,
                )  # fmt: skip
                Trainer(
                    language_model(config, len(text.frequencies)), arguments, train_dataset=rows, callbacks=[clock]
                ).train()
            total += median(clock.times[2:])
        return total

    return work


def limit_seconds(config: RunConfig, run: Path) -> float:
    """Seconds of the update's matrix products alone, at the rate of the machine for the shapes that occur.

    The towers' operations are those that `twotower plan` counts (attention and recurrence included), at the rate of a
    feed-forward layer's products, or for ELMo of an LSTM's; the vocabulary's at that of a block of logits.
    """
    _, towers, batches = setting(config, run)
    tokens, dtype = batches.tokens, torch.bfloat16 if config.train.precision == "bf16" else torch.float32
    predicted, watched = _positions(config, towers, tokens)
    heads = vocabulary_seconds(predicted, towers.embedding_size, towers.vocab_size, dtype)
    heads += watched_heads(towers) * vocabulary_seconds(watched, towers.width, towers.vocab_size, dtype)
    return count_costs(towers).training_flops * tokens / _tower_rate(towers, tokens, dtype) + heads


def operations(config: RunConfig, run: Path) -> float:
    """Operations of the update's matrix products, as `twotower plan` counts them."""
    _, towers, batches = setting(config, run)
    predicted, watched = _positions(config, towers, batches.tokens)
    heads = predicted * head_flops(towers.embedding_size, towers.vocab_size)
    heads += watched_heads(towers) * watched * head_flops(towers.width, towers.vocab_size)
    return count_costs(towers).training_flops * batches.tokens + heads


def _positions(config: RunConfig, towers: TowersConfig, tokens: int) -> tuple[int, int]:
    """How many positions of an update the joint head predicts, and how many each readout that watches."""
    predicted = round(tokens * (config.train.masked if towers.objective == "masked" else 1.0))
    return predicted, max(1, round(predicted * config.train.readout_share))


def _tower_rate(towers: TowersConfig, tokens: int, dtype: torch.dtype) -> float:
    """Operations per second of the products of a feed-forward layer, or of an LSTM's, forward and backward."""
    inner = towers.lstm_hidden if towers.family == "elmo" else towers.width
    columns = 4 * inner if towers.family == "elmo" else towers.feedforward or 4 * inner
    return 3 * 2 * tokens * inner * columns / product_seconds(tokens, inner, columns, dtype=dtype)


def joint_rows(
    name: str,
    config: RunConfig,
    run: Path,
    threads: int,
    targets: tuple[float, float | None, float],
    rounds: int = ROUNDS,
) -> list[Row]:
    """Rows of joint training against the reference's algorithm, Trainer (None: not compared) and the limit."""
    lean = ["lean joint", "lean watched"] if config.model.family in ("gpt", "bert") else []
    contestants = ["twotower joint", "reference joint", "reference watched", *lean]
    times = take_turns(contestants, config, run, threads, rounds)
    against = ratio(times, "reference joint", "twotower joint")
    rows = [row(name, "reference's algorithm", against, targets[0], threads, note=spread(times))]
    against = ratio(times, "reference watched", "twotower joint")
    rows.append(reported(name, "the same, with our readouts along", against, threads))
    if lean:
        against = ratio(times, "lean joint", "twotower joint")
        rows.append(reported(name, "the leanest plain PyTorch, without readouts", against, threads))
        against = ratio(times, "lean watched", "twotower joint")
        rows.append(reported(name, "the leanest plain PyTorch, with our readouts along", against, threads))
    mine = median(times["twotower joint"])
    if targets[1] is not None:
        turns = take_turns(["twotower joint", "trainer joint"], config, run, threads, TRAINER_ROUNDS)
        against = ratio(turns, "trainer joint", "twotower joint")
        rows.append(row(name, "two models under Trainer", against, targets[1], threads, note=spread(turns)))
    limit = limit_seconds(config, run)
    rows.append(reported(name, "matrix products alone", limit / mine, threads, note=f"{1e3 * limit:.1f} ms"))
    counted, each = count_calls(joint_work(config, run)), seconds_per_call()
    calls, moved = counted.calls * each, counted.moved * seconds_per_byte()
    floor = limit + calls + moved
    note = (
        f"products {1e3 * limit:.1f} ms, {counted.calls:,} calls of {1e6 * each:.1f} µs {1e3 * calls:.1f} ms, "
        f"{counted.moved / 1e6:.0f} MB moved {1e3 * moved:.1f} ms"
    )
    rows.append(row(name, "floor: products, calls, bytes moved", floor / mine, targets[2], threads, note=note))
    return rows
