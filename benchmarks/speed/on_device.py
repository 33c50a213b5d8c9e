"""One look at a device, or one contestant on it, in a process of its own: what fails takes nothing else with it.

python -m speed.on_device checks|peak|WORK CONFIG RUN     with TWOTOWER_BENCH_DEVICE; prints JSON
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F

from twotower.config.schema import RunConfig
from twotower.config.settings import from_dict
from twotower.modeling.losses import cross_entropy_sum
from twotower.modeling.model import TowersModel
from twotower.modeling.plan import Machine, make_plan
from twotower.modeling.sizes import towers_config
from twotower.system.machine import look_around

from . import contestants, training
from .measure import DEVICE, machine, median_seconds, product_seconds, wait

ROUNDS = 5
SQUARE = 8192
"""Side of the matrices whose product counts as the dense peak."""


def contest(work_name: str, config: RunConfig, run: Path) -> dict[str, float | None]:
    """Median seconds of an update, tokens per second, and the most bytes that the device held."""
    work = contestants.works()[work_name](config, run)
    if DEVICE.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    times = []
    for _ in range(1 if work_name == "trainer joint" else ROUNDS):
        took = work()
        times.append(took if isinstance(took, float) else median_seconds(work, 1))
    seconds = median(times)
    tokens = config.train.batch * config.train.window
    peak = torch.cuda.max_memory_allocated() if DEVICE.type == "cuda" else None
    return {"seconds": seconds, "tokens_per_second": tokens / seconds, "peak_bytes": peak}


def peak(config: RunConfig, run: Path) -> dict[str, float]:
    """What the machine's own products reach: large square ones, and those of the update's shapes."""
    dtype = torch.bfloat16 if config.train.precision == "bf16" else torch.float32
    side = SQUARE if DEVICE.type == "cuda" else SQUARE // 32
    planned = make_plan(config, Machine(devices=1, tflops=1)).memory
    return {
        "dense_flops_per_second": 6 * side**3 / product_seconds(side, side, side, dtype=dtype),
        "operations": training.operations(config, run),
        "products_seconds": training.limit_seconds(config, run),
        "planned_bytes": sum(planned.values()),
    }


def checks(config: RunConfig, run: Path) -> dict[str, Any]:
    """What the device can do, and how far it is from the processor in single precision; a failure is a line of text."""
    tried: dict[str, Callable[[], Any]] = {
        "machine": lambda: machine() | {"gpus": [asdict(gpu) for gpu in look_around(Path.cwd()).gpus]},
        "bf16 product, relative error": _bf16_error,
        "loss: error in nats and gradient": _loss_error,
        **{f"towers of {family}, largest difference": lambda family=family: _towers_error(
            replace(config, model=replace(config.model, family=family)), run) for family in ("gpt", "bert", "elmo")},
        "updates, difference in nats": lambda: _update_error(config, run),
    }  # fmt: skip
    if DEVICE.type == "cuda":  # compiling for a processor takes minutes, and tells nothing of a GPU
        tried["compiled towers, largest difference"] = lambda: _towers_error(config, run, compiled=True)
    answers = {}
    for name, look in tried.items():
        try:
            answers[name] = look()
        except Exception as error:
            answers[name] = f"failed: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return answers


def _bf16_error() -> float:
    left, right = (torch.randn(256, 256, device=DEVICE) for _ in range(2))
    exact, half = left @ right, left.bfloat16() @ right.bfloat16()
    return float((half.float() - exact).norm() / exact.norm())


def _loss_error() -> list[float]:
    """Relative errors of the vocabulary loss and its gradient by the weights, beside double precision on the CPU."""
    torch.manual_seed(0)
    values = torch.randn(300, 64), torch.randn(1000, 64), torch.randn(1000)
    targets = torch.randint(1000, (300,))
    hidden, weight, bias = (tensor.to(DEVICE).requires_grad_() for tensor in values)
    nats = cross_entropy_sum(hidden, weight, bias, targets.to(DEVICE))
    nats.backward()
    exact = [tensor.detach().double().requires_grad_() for tensor in values]
    wanted = F.cross_entropy(exact[0] @ exact[1].T + exact[2], targets, reduction="sum")
    wanted.backward()
    pairs = (nats.detach().cpu(), wanted.detach()), (weight.grad.cpu(), exact[1].grad)
    return [float((measured.double() - other).norm() / other.norm()) for measured, other in pairs]


def _towers_error(config: RunConfig, run: Path, compiled: bool = False) -> float:
    text, _, batches = training.setting(config, run)
    torch.manual_seed(0)
    model = TowersModel(towers_config(config, len(text.frequencies), text.vocabulary.pad)).eval()
    batch = batches.get(0)
    with torch.no_grad():
        wanted = model.tower_outputs(batch.inputs, batch.present)
        model.to(DEVICE)
        for tower in model.towers if compiled else ():
            tower.compile()
        there = batch.to(DEVICE)
        outputs = model.tower_outputs(there.inputs, there.present)
    return max(float((output.cpu() - other).abs().max()) for output, other in zip(outputs, wanted, strict=True))


def _update_error(config: RunConfig, run: Path) -> float:
    """The largest difference in mean nats after three updates in single precision, beside the processor's."""
    config = replace(config, train=replace(config.train, precision="no"))
    nats = []
    for on_cpu in (False, True):
        objective, optimizers, batches, accelerator = training.joint_parts(config, run, on_cpu)
        nats.append([
            training.update(objective, optimizers, batches, step, config, accelerator).cpu() for step in range(3)
        ])  # fmt: skip
    wait()
    return max(float((device_nats - other).abs().max()) for device_nats, other in zip(*nats, strict=True))


def main(what: str, config: RunConfig, run: Path) -> None:
    """Look, and print what was found as JSON."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    with training.quiet():
        figures = {"checks": checks, "peak": peak}[what](config, run) if what in ("checks", "peak") else None
        print(json.dumps(figures or contest(what, config, run)), file=answers)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    main(sys.argv[1], from_dict(json.loads(sys.argv[2])), Path(sys.argv[3]))
