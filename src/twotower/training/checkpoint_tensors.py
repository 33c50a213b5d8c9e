"""The tensors of a checkpoint: each process writes the rows that it has, and reads the rows that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.distributed.tensor import DTensor, Shard

from ..runs.checkpoint_index import PLAIN, Held, read_index, shard_name

MODEL, OPTIMIZER = "model/", "optimizer/"
"""Prefixes of the names of weights and of moments."""


@dataclass(frozen=True, eq=False)
class Part:
    """The part of a tensor that a process holds."""

    local: Tensor
    """All of it, or a stretch of its rows (of its first dimension), which may be empty."""
    shape: tuple[int, ...]
    """Shape of the whole tensor."""
    rank: int = 0
    count: int = 0
    """Its stretch is number `rank` of `count`; a `count` of 0 means that the process has all rows."""

    @property
    def edges(self) -> tuple[int, ...] | None:
        """The rows at which the stretches begin and the last one ends; None where the process has all rows."""
        return row_edges(self.shape[0], self.count) if self.count else None

    @property
    def first(self) -> int:
        """The first of its rows."""
        return self.edges[self.rank] if self.edges else 0


def row_edges(rows: int, count: int) -> tuple[int, ...]:
    """Where the stretches of rows begin that FSDP gives to `count` processes, and at the end the number of rows.

    All have the same length, but for the last ones, which may be shorter or empty (`torch.chunk`).
    """
    size = -(-rows // count)
    return tuple(min(rows, number * size) for number in range(count + 1))


def part_of(value: Tensor) -> Part:
    """What this process holds of a tensor, whole or a `DTensor`; its `local` shares the memory."""
    if not isinstance(value, DTensor):
        return Part(value, tuple(value.shape))
    mesh = value.device_mesh
    if mesh.ndim != 1 or value.placements != (Shard(0),):
        raise NotImplementedError(f"a tensor placed as {value.placements} over {mesh.ndim} dimensions of processes")
    part = Part(value.to_local(), tuple(value.shape), mesh.get_local_rank(), mesh.size())
    edges = row_edges(part.shape[0], part.count)
    assert len(part.local) == edges[part.rank + 1] - edges[part.rank], "FSDP has cut the rows in another way"
    return part


def as_tensor(value: Any) -> Tensor:
    """A value of an optimizer's state; numbers become tensors without dimensions."""
    return value if isinstance(value, Tensor) else torch.tensor(value)


def write_shard(path: Path, parts: Mapping[str, Part], rank: int) -> None:
    """Write what process `rank` holds; what every process holds is written by the first alone."""
    own_parts = {name: part for name, part in parts.items() if part.local.numel() and (part.count or rank == 0)}
    save_file({name: part.local.detach().cpu().contiguous() for name, part in own_parts.items()}, path)


def held(parts: Mapping[str, Part]) -> dict[str, Held]:
    """Who holds which rows, from what one of the processes holds."""
    return {name: Held(part.shape, part.edges) for name, part in parts.items()}


class Stored:
    """The tensors of a checkpoint, plain or sharded. Only what is asked for is read.

    Raises `ValueError`, `OSError` and what safetensors raises if the files are not what the index says.
    """

    def __init__(self, folder: Path) -> None:
        self.index = read_index(folder)
        self._folder = folder
        self._stack = ExitStack()
        self._open: dict[str, Any] = {}

    @property
    def names(self) -> set[str]:
        """The names of all tensors."""
        if self.index.tensors is not None:
            return set(self.index.tensors)
        stored = set()
        for kind, file in zip((MODEL, OPTIMIZER), PLAIN, strict=True):
            keys = self._file(file).keys()
            stored |= {kind + key for key in keys}
        return stored

    def fill(self, name: str, part: Part) -> None:
        """Copy the rows that a process holds from the files that have them."""
        held = Held(part.shape) if self.index.tensors is None else self.index.tensors[name]
        if held.shape != part.shape:
            raise ValueError(f"{name} is of shape {held.shape}, not {part.shape}")
        edges = held.rows or ((0, part.shape[0]) if part.shape else None)
        if edges is None:
            part.local.copy_(self._piece(name, 0, ())[...])
            return
        first, last = part.first, part.first + len(part.local)
        for number, (begin, end) in enumerate(pairwise(edges)):
            low, high = max(first, begin), min(last, end)
            if low < high and part.local.numel():
                piece = self._piece(name, number, (end - begin, *part.shape[1:]))
                part.local[low - first : high - first].copy_(piece[low - begin : high - begin])

    def _piece(self, name: str, number: int, shape: tuple[int, ...]) -> Any:
        """A tensor in file `number`, not yet read."""
        if self.index.tensors is None:
            kind = MODEL if name.startswith(MODEL) else OPTIMIZER
            file, key = PLAIN[kind == OPTIMIZER], name.removeprefix(kind)
        else:
            file, key = shard_name(number, len(self.index.digests)), name
        piece = self._file(file).get_slice(key)
        if tuple(piece.get_shape()) != shape:
            raise ValueError(f"{name} is of shape {tuple(piece.get_shape())} in {file}, not {shape}")
        return piece

    def _file(self, name: str) -> Any:
        if name not in self._open:
            opened = safe_open(self._folder / name, framework="pt")
            self._open[name] = self._stack.enter_context(opened)
        return self._open[name]

    def __enter__(self) -> Stored:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.clear()
        self._stack.close()
