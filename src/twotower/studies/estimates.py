"""About how long the runs of a study take on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from ..comparison.grid import Job
from ..config.schema import RunConfig

UTILIZATION = 0.3
"""Of the rate of large matrix products, what whole quickstart runs reached on a machine with two cores."""
PRODUCT, PRODUCTS = 512, 20


def estimate_seconds(planned: Sequence[Job]) -> list[float]:
    """About how long each run takes with one thread on this machine: its operations over the rate of its products.

    The rate is that of a timed matrix product times `UTILIZATION`. Reading and tagging the text is left out.
    """
    if not planned:
        return []
    import torch

    from ..modeling.plan import Machine, make_plan

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    square = torch.ones(PRODUCT, PRODUCT)
    torch.mm(square, square)
    begin = time.perf_counter()
    for _ in range(PRODUCTS):
        torch.mm(square, square)
    rate = PRODUCTS * 2 * PRODUCT**3 / (time.perf_counter() - begin)
    torch.set_num_threads(threads)
    machine = Machine(tflops=rate / 1e12, utilization=UTILIZATION)
    known: dict[RunConfig, float] = {}
    for job in planned:
        key = replace(job.config, seed=0)
        if key not in known:
            known[key] = 3600 * sum(make_plan(key, machine).hours[1].values())
    return [known[replace(job.config, seed=0)] for job in planned]
