"""The frozen towers' states on the training text, computed once and kept on disk while readouts train on them.

A readout needs the towers' states at a position and the piece that the position is to predict, nothing else. Both lie
in files that are mapped into memory. Text whose states are larger than `PART_BYTES` is read in parts, each of which
replaces the one before.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..config.schema import RunConfig
from ..data.heldout import PreparedText
from ..data.windows import TrainingWindows
from ..modeling.model import TowersModel
from ..modeling.objectives import Batch
from ..system.errors import InputError
from ..system.processes import Processes
from ..system.progress import Progress
from .batches import Batches

PART_BYTES = 1 << 30
"""States on disk at a time, of all processes together; a part has at least `CHUNK` windows."""
CHUNK = 64
"""Windows in a forward pass of the towers. Masks depend on it, and so do not depend on the number of processes."""
ORDER_SEED = 5_000_003
"""Added to the run's seed: the order in which the towers read is not that of their training."""


@dataclass(frozen=True)
class Part:
    """The states of a part of the text, as far as this process has them."""

    states: NDArray[np.float32]
    """(own positions, towers x output_width), mapped into memory."""
    targets: NDArray[np.int32]
    """The pieces that the positions are to predict, (own positions,), mapped into memory."""
    first: int
    """Number, among all positions of the part, of the first that this process has."""
    positions: int
    """Positions of the part, over all processes."""

    def rows(self, chosen: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """States and targets of those of the `chosen` positions that this process has."""
        places = np.sort(chosen) - self.first  # a batch has no order, and a disk does
        places = places[(places >= 0) & (places < len(self.targets))]
        return torch.from_numpy(self.states[places]), torch.from_numpy(self.targets[places].astype(np.int64))


class StateCache:
    """The parts of the training text in a seeded order; each is made when it is asked for, and replaces the one before.

    Used as a context manager, it leaves nothing on disk.
    """

    def __init__(
        self, model: TowersModel, text: PreparedText, config: RunConfig, folder: Path, processes: Processes
    ) -> None:
        towers = model.config
        self.model, self.folder, self.processes = model, folder, processes
        self.micro_batch = config.train.micro_batch
        self.batches = Batches(text, towers, CHUNK, config.train.masked, config.seed + ORDER_SEED)
        masked = towers.objective == "masked"
        epoch = TrainingWindows(text.train, towers.window, CHUNK, 0).per_epoch
        needed = -(-config.readout.tokens // int(towers.window))
        windows = min(needed, epoch * (config.readout.masks if masked else 1))
        share = config.train.masked if masked else 1.0
        bytes_of_chunk = CHUNK * towers.window * share * (4 * towers.towers * towers.output_width + 4)
        self.chunks = -(-windows // CHUNK)
        """Forward passes over the text, its maskings included."""
        self.parts = min(self.chunks, -int(-self.chunks * bytes_of_chunk // PART_BYTES))
        """Parts of the text."""
        self.part_bytes = int(-(-self.chunks // self.parts) * bytes_of_chunk)
        self._kept: tuple[int, Part] | None = None

    def part(self, number: int) -> Part:
        """Part `number` (from 0); what was returned before becomes invalid, unless it was the same.

        Every process must ask for the same part. Raises `InputError` if the part does not fit the disk.
        """
        if self._kept is None or self._kept[0] != number:
            self._discard()
            counts = [
                int(count) for count in self.processes.gather(str(self.processes.together(lambda: self._make(number))))
            ]
            first, own_positions = sum(counts[: self.processes.rank]), counts[self.processes.rank]
            width = self.model.config.towers * self.model.config.output_width
            self._kept = number, Part(
                _mapped(self._path("states"), np.float32, (own_positions, width)),
                _mapped(self._path("targets"), np.int32, (own_positions,)),
                first, sum(counts),
            )  # fmt: skip
        return self._kept[1]

    def _make(self, number: int) -> int:
        """Write this process's share of a part; returns its positions."""
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if free < self.part_bytes:
            raise InputError(
                f"readout: the towers' states take {self.part_bytes / 1e9:.1f} GB on disk while readouts train, and "
                f"{self.folder.parent.parent} has {free / 1e9:.1f} GB; make room, give --out a folder on a larger "
                "disk, or lower --readout.tokens"
            )
        begin, end = (self.chunks * edge // self.parts for edge in (number, number + 1))
        own_chunks = self.processes.starts(end - begin, 1)
        label = "readout, towers" if self.parts == 1 else f"readout, towers, part {number + 1} of {self.parts}"
        positions = 0
        with (
            self._path("states").open("wb") as states,
            self._path("targets").open("wb") as targets,
            Progress(label, len(own_chunks) * self.batches.tokens, "tok", quiet=not self.processes.first) as progress,
        ):
            for chunk in own_chunks:
                for batch in self.batches.get(begin + chunk).split(self.micro_batch):
                    read, predicted = self._read(batch)
                    states.write(read.cpu().numpy().tobytes())
                    targets.write(predicted.numpy().astype(np.int32).tobytes())
                    positions += len(predicted)
                progress.advance(self.batches.tokens)
        return positions

    @torch.no_grad()
    def _read(self, batch: Batch) -> tuple[Tensor, Tensor]:
        moved = batch.to(self.model.decoder_bias.device)
        outputs = self.model.tower_outputs(moved.inputs, moved.present, moved.predicted)
        return torch.cat(self.model.readout_inputs(outputs), dim=-1).float(), batch.targets[batch.predicted]

    def _path(self, kind: str) -> Path:
        return self.folder / f"{kind}.{self.processes.rank}"

    def _discard(self) -> None:
        self._kept = None
        for kind in ("states", "targets"):
            self._path(kind).unlink(missing_ok=True)

    def __enter__(self) -> StateCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._discard()


def _mapped(path: Path, dtype: type, shape: tuple[int, ...]) -> NDArray[Any]:
    if not shape[0]:  # an empty file cannot be mapped
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", shape=shape)


def batches_of(part: Part, size: float, seed: int, number: int) -> Iterator[NDArray[np.int64]]:
    """The positions of a part in an order that depends on `seed` and `number` alone, about `size` at a time."""
    order = np.random.default_rng([seed, number]).permutation(part.positions)
    return iter(np.array_split(order, max(1, round(part.positions / size))))
