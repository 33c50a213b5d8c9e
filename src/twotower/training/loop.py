"""The stage `train`: the joint phase, on one page.

The engine is Accelerate: one process or many, mixed precision, sharding. The global batch and the order of the data
do not depend on the number of processes.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any, TypedDict, cast

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DataLoaderConfiguration

from ..config.conversion import as_json
from ..config.schema import RunConfig
from ..data.heldout import PreparedText
from ..modeling.configuration import TowersConfig
from ..modeling.model import TowersModel, fresh_readouts
from ..modeling.objectives import JointObjective, loss_weights, watched_heads
from ..modeling.planted import owners_of
from ..modeling.sizes import towers_config
from ..runs.writing import write_text
from ..system.errors import InputError, Interrupted
from ..system.processes import ALONE, Processes
from ..system.progress import Progress
from .batches import Batches
from .checkpoints import find_checkpoint, load_checkpoint, save_checkpoint
from .evaluation import Evaluator
from .interruption import Interruption
from .metrics import Evaluation, MetricsLog, Trained
from .optimization import joint_optimizers, linear_schedule, set_learning_rates
from .sharding import shard, whole

TIMED_SECONDS = 8.0
LOG_EVERY = 20
SECOND_SEED = 1_000_003
"""Added to the seed of weights that must not equal those of the towers' readouts."""


class TrainingState(TypedDict):
    """How far training has come, as a checkpoint has it: plain values that grow update by update."""

    step: int
    """Updates that are done."""
    seconds: float
    resumed: int
    """How often training was stopped and went on."""
    evaluated: dict[str, Any]
    """The last `Evaluation`; empty before the first."""
    seconds_at: dict[str, float]
    """Seconds until each evaluation, by the tokens trained on."""


def train(config: RunConfig, run: Path, out: Path) -> None:
    """Train the towers on `run/data`; write `trunk/`, `training.json`, `metrics.jsonl`, `emergence.parquet` into `out`.

    Checkpoints, the growing metrics and the scores of the evaluations on the way are kept in `run/checkpoints` until
    the stage is done; started again with the same settings, the stage continues from there, to the same weights as an
    uninterrupted one. Raises `Interrupted` after Ctrl-C, when a checkpoint has been written.
    """
    settings = config.train
    text = PreparedText(run)
    work = run / "checkpoints"
    AcceleratorState._reset_state()  # Accelerate keeps one for the whole process; another run may want other precision
    accelerator = Accelerator(
        mixed_precision=settings.precision,
        dataloader_config=DataLoaderConfiguration(split_batches=True),
        cpu=not torch.cuda.is_available(),
    )
    processes = Processes(accelerator.process_index, accelerator.num_processes)
    require_even_shares(settings.batch, processes.count)
    towers = towers_config(config, len(text.frequencies), text.vocabulary.pad)
    batches = Batches(text, towers, settings.batch, settings.masked, config.seed)
    per_update = batches.tokens
    tokens = _budget(config, batches, accelerator, work)
    steps = max(1, tokens // per_update)
    last = max(1, round(settings.stop_after * steps))
    objective, optimizers = _build(config, text, towers, accelerator)
    evaluator = Evaluator(text, towers, settings.evaluation_tokens, work)
    state = TrainingState(step=0, seconds=0.0, resumed=0, evaluated={}, seconds_at={})
    checkpoint = find_checkpoint(work / "latest", processes)
    if checkpoint:
        state = cast(TrainingState, load_checkpoint(checkpoint, objective, optimizers, processes))
        state["resumed"] += 1
    evaluate_at = {round(steps * (k + 1) / settings.evaluations) for k in range(settings.evaluations)} | {last}
    main = accelerator.is_main_process
    with ExitStack() as stack:
        metrics = stack.enter_context(MetricsLog(work, state["step"], enabled=main))
        progress = stack.enter_context(
            Progress("train", last * per_update, "tok", initial=state["step"] * per_update, quiet=not main)
        )
        interruption = stack.enter_context(Interruption())
        clock = saved = time.perf_counter()
        for step in range(state["step"], last):
            seed_dropout(config.seed, step, accelerator.process_index)
            share = linear_schedule(step, steps, settings.warmup)
            set_learning_rates(optimizers, share)
            nats = update(objective, optimizers, batches, step, config, accelerator)
            if accelerator.num_processes == 1 and accelerator.device.type == "cpu":  # elsewhere it would wait each time
                require_finite(nats, step, work, processes)
            state["step"] = step + 1
            nats_shown = {}
            if state["step"] % LOG_EVERY == 0 or state["step"] in evaluate_at:
                nats = accelerator.reduce(nats, "mean")
                require_finite(nats, step, work, processes)
                joint, *alone = nats.tolist()[: 1 + towers.towers]
                nats_shown = {"nats": f"{joint:.2f} (towers {' '.join(f'{t:.2f}' for t in alone)})"}
                row: dict[str, Any] = {
                    "tokens": state["step"] * per_update,
                    "learning_rate": share * settings.learning_rate,
                    "joint": joint,
                }
                metrics.write(state["step"], "train", row | {"towers": alone})
            if state["step"] in evaluate_at:
                tokens_done = state["step"] * per_update
                inner = whole(accelerator.unwrap_model(objective))
                if inner is not None:
                    state["evaluated"] = dataclasses.asdict(evaluator(inner, tokens_done, writer=main))
                state["seconds_at"][str(tokens_done)] = state["seconds"] + time.perf_counter() - clock
                metrics.write(state["step"], "heldout", {"tokens": tokens_done, **state["evaluated"]})
            progress.advance(per_update, **nats_shown)
            now = time.perf_counter()
            stop, due = agreed(accelerator, interruption.requested, now - saved > settings.checkpoint_seconds)
            if stop or due:
                require_finite(accelerator.reduce(nats, "mean"), step, work, processes)
                state["seconds"] += now - clock
                save_checkpoint(work / "latest", objective, optimizers, state, processes)
                clock = saved = time.perf_counter()
                if stop and state["step"] < last:
                    raise Interrupted(f"train: stopped after {state['step']} of {last} updates; checkpoint saved")
        state["seconds"] += time.perf_counter() - clock
    inner = whole(accelerator.unwrap_model(objective))
    if main and inner is not None:
        inner.model.save_pretrained(out / "trunk")
        tokens_done = last * per_update
        budget = work / "budget.json"
        trained = Trained(
            last, tokens_done, state["seconds"], tokens_done / state["seconds"], state["resumed"],
            accelerator.num_processes, sum(parameter.numel() for parameter in inner.model.parameters()),
            towers.objective,
            Evaluation(**state["evaluated"]), state["seconds_at"],
            json.loads(budget.read_text(encoding="utf-8")) if budget.is_file() else None,
        )  # fmt: skip
        evaluator.gather(out / "emergence.parquet", tokens_done)
        (out / "training.json").write_text(as_json(trained), encoding="utf-8")
        shutil.copyfile(work / "metrics.jsonl", out / "metrics.jsonl")


def require_even_shares(batch: int, processes: int) -> None:
    """Raise `InputError` unless every process gets as many windows of a batch as the others."""
    if batch % processes:
        fewer = next(count for count in range(processes, 0, -1) if batch % count == 0)
        raise InputError(
            f"train.batch: {batch} windows cannot be shared evenly by {processes} processes; "
            f"start {fewer} (a run may go on with another number), or give a multiple of {processes} to a new run"
        )


def require_finite(nats: torch.Tensor, step: int, work: Path, processes: Processes = ALONE) -> None:
    """Raise `InputError` if a loss is no longer a finite number: further updates would train nothing.

    Every process must call it, with the same losses.
    """
    if not bool(torch.isfinite(nats).all()):
        checkpoint = find_checkpoint(work / "latest", processes)
        good = f"the checkpoint in {checkpoint} was written before" if checkpoint else "there is no earlier checkpoint"
        raise InputError(
            f"train: the loss is {nats.max().item():.3g} at update {step + 1} (batch {step}); {good}. Start again with "
            "a lower --train.learning-rate"
        )


def agreed(accelerator: Accelerator, *wishes: bool) -> list[bool]:
    """Each flag, true for every process if it is true for any: clocks and signals differ between processes."""
    if accelerator.num_processes == 1:
        return list(wishes)
    together = accelerator.reduce(torch.tensor(wishes, dtype=torch.float32, device=accelerator.device), "sum")
    return [bool(wish > 0) for wish in together.tolist()]


def update(
    objective: torch.nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    batches: Batches,
    step: int,
    config: RunConfig,
    accelerator: Accelerator,
) -> torch.Tensor:
    """One update on this process's share of batch `step`; returns mean nats under each head (see `JointObjective`)."""
    batch, processes = batches.get(step), accelerator.num_processes
    size = len(batch) // processes
    rows = slice(accelerator.process_index * size, (accelerator.process_index + 1) * size)
    own_rows = batch.rows(rows)
    parts = list(own_rows.split(config.train.micro_batch))
    own_texts = batches.own_texts(step)
    own_parts = [list(text.rows(rows).split(config.train.micro_batch)) for text in own_texts]
    watched = [max(1, round(config.train.readout_share * len(part))) for part in parts]
    # Sums over the whole batch's number of targets: neither micro-batches nor processes change the gradient.
    weights = torch.tensor(loss_weights(batches.towers), device=accelerator.device)
    counts = torch.full_like(weights, batch.count / processes)
    positions = max(1, sum(int(part.predicted[:rows].sum()) for part, rows in zip(parts, watched, strict=True)))
    counts[1 : 1 + watched_heads(batches.towers)] = positions
    for head, text in enumerate(own_texts, start=1 + watched_heads(batches.towers)):
        counts[head] = text.count / processes
    nats = torch.zeros_like(counts)
    for number, (part, watched_rows) in enumerate(zip(parts, watched, strict=True), start=1):
        part = part.to(accelerator.device)
        with nullcontext() if number == len(parts) else accelerator.no_sync(objective):
            own_batches = [text[number - 1].to(accelerator.device) for text in own_parts]
            means = (
                objective(part.inputs, part.targets, part.predicted, part.present, watched_rows, own_batches) / counts
            )
            # The readouts' losses reach only the readouts; adding them up leaves the towers' gradients as they are.
            accelerator.backward((means * weights).sum())
        nats += means.detach()
    for parameters in accelerator.unwrap_model(objective).trained_apart():
        accelerator.clip_grad_norm_(parameters, config.train.clip)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    return nats


def seed_dropout(seed: int, step: int, process: int) -> None:
    """Seed PyTorch's generator for one update, so that an interrupted run needs no generator state to go on."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step, process]).generate_state(1)[0]))


def _build(
    config: RunConfig, text: PreparedText, towers: TowersConfig, accelerator: Accelerator
) -> tuple[Any, list[Any]]:
    torch.manual_seed(config.seed)
    model = TowersModel(towers)
    if config.train.compile:
        for tower in model.towers:
            tower.compile()
    unigram = torch.from_numpy(text.log_frequencies)
    if config.train.bias == "unigram":
        model.begin_at(unigram)
    watching = fresh_readouts(model.config, config.seed, unigram)
    second = fresh_readouts(model.config, config.seed + SECOND_SEED, unigram)
    objective = JointObjective(model, watching, second, owners_of(towers, text))
    objective.train()
    settings = config.train
    sharded = settings.shard and accelerator.num_processes > 1
    if sharded:
        shard(objective, accelerator.device, accelerator.num_processes)
    optimizers = joint_optimizers(objective, settings)
    if sharded:
        return objective, list(optimizers)
    prepared, *accelerated = accelerator.prepare(objective, *optimizers)
    return prepared, accelerated


def _budget(config: RunConfig, batches: Batches, accelerator: Accelerator, work: Path) -> int:
    """Tokens to train on. Minutes are turned into tokens once, by a short timing, and the outcome is recorded."""
    if config.train.minutes is None:
        return config.train.tokens
    record = work / "budget.json"
    if not record.is_file():
        objective, optimizers = _build(config, batches.text, batches.towers, accelerator)
        rates = list(_timed(objective, optimizers, batches, config, accelerator))
        typical = torch.tensor(sorted(rates)[len(rates) // 2], device=accelerator.device)
        rate = float(accelerator.reduce(typical, "mean"))
        per_update = batches.tokens
        tokens = max(1, int(rate * config.train.minutes * 60) // per_update) * per_update
        if accelerator.is_main_process:
            work.mkdir(parents=True, exist_ok=True)
            values = {"minutes": config.train.minutes, "timed_tokens_per_second": rate, "tokens": tokens}
            write_text(record, json.dumps(values))
        accelerator.free_memory()
        accelerator.wait_for_everyone()
    return int(json.loads(record.read_text(encoding="utf-8"))["tokens"])


def _timed(
    objective: Any, optimizers: list[Any], batches: Batches, config: RunConfig, accelerator: Accelerator
) -> Iterator[float]:
    """Tokens per second of single updates, the first left out, on a model that is thrown away."""
    begin = time.perf_counter()
    for step in range(1000):
        start = time.perf_counter()
        update(objective, optimizers, batches, step, config, accelerator)
        if step:
            yield batches.tokens / (time.perf_counter() - start)
        if step >= 3 and time.perf_counter() - begin > TIMED_SECONDS:
            return
