"""What training several seeds side by side could gain: `python benchmarks/side_by_side.py [--seeds 1 2 4 8]`.

At the quickstart's width most of a tower's time goes into calling small operations. Here the blocks of the towers of
several seeds run as one: the same operation over all of them, with grouped products (`baddbmm`) and weights stacked
along a first dimension. Forward and backward passes of all towers take turns with the same towers one after the other
(A B A B …, medians), and give the same gradients. The vocabulary's products, more than half of an update, have no calls
to save. So the gain of a whole update is bounded by Amdahl's law, with an optimizer that is taken to cost nothing:

    update / (update - towers one by one + towers side by side - optimizer)
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F
from speed.lean import LeanTower, make_lean
from speed.measure import alternate, median_seconds
from speed.text import synthetic
from speed.training import joint_parts, joint_work, quiet
from torch import Tensor

from twotower.config.presets import preset
from twotower.modeling.model import TowersModel
from twotower.modeling.sizes import towers_config
from twotower.system.allocator import freed_memory_kept

ROUNDS = 15
VOCABULARY = 8_192


def stacked(towers: list[LeanTower]) -> dict[str, Tensor]:
    """Each parameter of the towers along a new first dimension, trained anew."""
    names = [name for name, _ in towers[0].named_parameters()]
    every = [dict(tower.named_parameters()) for tower in towers]
    return {name: torch.stack([parameters[name].detach() for parameters in every]).requires_grad_() for name in names}


def side_by_side(parameters: dict[str, Tensor], embedded: Tensor, layers: int, heads: int) -> Tensor:
    """What the towers make of `embedded` (towers, rows, time, embedding); (towers, rows, time, width)."""
    towers, rows, time_, _ = embedded.shape

    def linear(hidden: Tensor, name: str) -> Tensor:
        flat = hidden.reshape(towers, rows * time_, -1)
        weight, bias = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
        return torch.baddbmm(bias[:, None], flat, weight.transpose(1, 2)).view(towers, rows, time_, -1)

    def norm(hidden: Tensor, name: str) -> Tensor:
        scale, shift = (parameters[f"{name}.{kind}"][:, None, None] for kind in ("weight", "bias"))
        return torch.addcmul(shift, F.layer_norm(hidden, hidden.shape[-1:]), scale)

    hidden = linear(embedded, "input_map") + parameters["positions"][:, None, :time_]
    width = hidden.shape[-1]
    for number in range(layers):
        block = f"blocks.{number}"
        joined = linear(norm(hidden, f"{block}.first_norm"), f"{block}.qkv")
        split = joined.view(towers * rows, time_, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        query, key, value = split.unbind(0)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        mixed = mixed.transpose(1, 2).reshape(towers, rows, time_, width)
        hidden = hidden + linear(mixed, f"{block}.out")
        inner = F.gelu(linear(norm(hidden, f"{block}.second_norm"), f"{block}.up"), approximate="tanh")
        hidden = hidden + linear(inner, f"{block}.down")
    return norm(hidden, "last_norm")


def passes(compute: Callable[[], Any], parameters: list[Tensor], gradient: Tensor) -> Callable[[], None]:
    """A forward and a backward pass, and the gradients cleared."""

    def work() -> None:
        compute().backward(gradient)
        for parameter in parameters:
            parameter.grad = None

    return work


def updates(run: Path) -> tuple[float, float]:
    """Seconds of a whole update of the quickstart, and of its optimizer alone."""
    config = preset("quickstart")
    update = median_seconds(joint_work(config, run), ROUNDS)
    objective, optimizers, _, _ = joint_parts(config, run)
    for parameter in objective.parameters():
        parameter.grad = torch.randn_like(parameter)

    def step() -> None:
        for optimizer in optimizers:
            optimizer.step()

    return update, median_seconds(step, ROUNDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--threads", type=int, default=1)
    words = parser.parse_args()
    torch.set_num_threads(words.threads)
    config = preset("quickstart")
    towers = towers_config(config, VOCABULARY)
    with tempfile.TemporaryDirectory() as folder, quiet(), freed_memory_kept():
        run = Path(folder) / "text"
        synthetic(run, VOCABULARY, 200_000, 10_000)
        update, optimizer = updates(run)
        print(f"an update {1e3 * update:.1f} ms, of which the optimizer {1e3 * optimizer:.1f} ms", flush=True)
        for seeds in words.seeds:
            report(towers, config.train.batch, seeds, update, optimizer)


def report(config: Any, batch: int, seeds: int, update: float, optimizer: float) -> None:
    """Measure so many seeds and print a line."""
    own, lean = [], []
    for seed in range(seeds):
        torch.manual_seed(seed)
        model = TowersModel(config)
        own += list(model.towers)
        torch.manual_seed(seed)
        lean += list(make_lean(TowersModel(config)).towers)
    embedded = torch.randn(len(own), batch, config.window, config.embedding_size)
    gradient = torch.randn(len(own), batch, config.window, config.width)
    parameters = stacked(lean)

    def one_by_one() -> Tensor:
        return torch.stack([tower(part) for tower, part in zip(own, embedded, strict=True)])

    def together() -> Tensor:
        return side_by_side(parameters, embedded, config.layers, config.heads)

    together().backward(gradient)
    one_by_one().backward(gradient)
    expected = torch.stack([tower.input_map.weight.grad for tower in own])
    torch.testing.assert_close(parameters["input_map.weight"].grad, expected, atol=1e-3, rtol=1e-4)
    every = [parameter for tower in own for parameter in tower.parameters()]
    times = alternate({
        "one by one": passes(one_by_one, every, gradient),
        "side by side": passes(together, list(parameters.values()), gradient),
    }, ROUNDS)  # fmt: skip
    apart, joined = median(times["one by one"]) / seeds, median(times["side by side"]) / seeds
    bound = update / (update - apart + joined - optimizer)
    print(
        f"{seeds:>2} seeds: towers {1e3 * apart:.1f} ms a seed one by one, {1e3 * joined:.1f} ms side by side "
        f"({apart / joined:.2f} times); a whole update at most {bound:.2f} times",
        flush=True,
    )


if __name__ == "__main__":
    main()
