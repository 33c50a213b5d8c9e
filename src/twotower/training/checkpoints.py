"""Checkpoints: atomic, verified before they are used, without pickle; the one before the newest is kept, too.

Where the parameters are sharded, each process writes what it holds, and nothing is gathered. Any number of processes,
sharded or not, goes on from any checkpoint, and each reads only the rows that it needs.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from errno import ENOENT
from pathlib import Path
from typing import Any, cast

from safetensors.torch import save_file
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import FSDPModule
from torch.optim import Optimizer

from ..runs.checkpoint_index import INDEX, PLAIN, is_whole, shard_name, sharded_index
from ..runs.records import fingerprint
from ..runs.writing import naming_disk_errors, sync, sync_one
from ..system.errors import DiskError, InputError
from ..system.printing import printable
from ..system.processes import ALONE, Processes
from .checkpoint_tensors import MODEL, OPTIMIZER, Part, Stored, as_tensor, held, part_of, write_shard

# Whole tensors on the CPU, whether the module is plain, replicated (DDP) or sharded (FSDP).
FULL = StateDictOptions(full_state_dict=True, cpu_offload=True)
Moments = dict[str, dict[str, Any]]


def save_checkpoint(
    folder: Path, module: nn.Module, optimizers: list[Optimizer], state: Mapping[str, Any], processes: Processes = ALONE
) -> None:
    """Replace `folder` by a checkpoint of weights, optimizer moments and `state` (plain JSON values).

    Every process must call it. If `module` is sharded each writes its part, into a folder that all of them must see;
    otherwise the first one writes. The earlier checkpoint is kept beside it, as `.old`, for the case that the newest is
    damaged. Raises `DiskError` in all processes if one of them cannot write its part.
    """
    options = StateDictOptions() if isinstance(module, FSDPModule) else FULL
    weights = cast(dict[str, Tensor], get_model_state_dict(module, options=options))
    moments = get_optimizer_state_dict(module, optimizers, options=options)
    if isinstance(module, FSDPModule):
        save_shards(folder, _parts(weights, cast(Moments, moments["state"])), state, processes)
    elif processes.first:  # under FULL the others get nothing
        _save_plain(folder, weights, cast(Moments, moments["state"]), state)


def _save_plain(folder: Path, weights: dict[str, Tensor], moments: Moments, state: Mapping[str, Any]) -> None:
    partial = _begun(folder)
    model, optimizer = PLAIN
    save_file({name: value.contiguous() for name, value in weights.items()}, partial / model)
    flat = {
        f"{name}|{key}": as_tensor(value).contiguous()
        for name, values in moments.items() for key, value in values.items()
    }  # fmt: skip
    save_file(flat, partial / optimizer)
    digests = {name: fingerprint(partial / name).digest for name in PLAIN}
    (partial / INDEX).write_text(json.dumps({"state": state, "digests": digests}, indent=1), encoding="utf-8")
    sync(partial)
    _put_in_place(folder)


def save_shards(folder: Path, parts: dict[str, Part], state: Mapping[str, Any], processes: Processes) -> None:
    """Replace `folder` by a sharded checkpoint of what each of the `processes` holds. See `save_checkpoint`.

    When all shards are on the disk the first process writes the index that names them, and puts the folder in place.
    """
    partial = _partial(folder)
    names = [shard_name(number, processes.count) for number in range(processes.count)]
    own_file = partial / names[processes.rank]

    def begin() -> None:
        with naming_disk_errors(partial):
            if processes.first:
                _begun(folder)

    def write() -> str:
        with naming_disk_errors(own_file):
            partial.mkdir(parents=True, exist_ok=True)
            write_shard(own_file, parts, processes.rank)
            sync_one(own_file)
            return fingerprint(own_file).digest

    def finish() -> None:
        if not processes.first:
            return
        if missing := [name for name in names if not (partial / name).is_file()]:
            reason = f"process {names.index(missing[0])} has written it, but not here: all machines must share the run"
            raise DiskError(ENOENT, f"{reason} folder", str(partial / missing[0]))
        with naming_disk_errors(partial):
            (partial / INDEX).write_text(sharded_index(state, digests, held(parts)), encoding="utf-8")
            sync(partial)
            _put_in_place(folder)

    processes.together(begin)
    digests = processes.gather(processes.together(write))
    processes.together(finish)


def _partial(folder: Path) -> Path:
    return folder.with_name(folder.name + ".partial")


def _begun(folder: Path) -> Path:
    """The folder, empty, in which a checkpoint grows until it is whole."""
    partial = _partial(folder)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial


def _put_in_place(folder: Path) -> None:
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(_partial(folder), folder)


def find_checkpoint(folder: Path, processes: Processes = ALONE) -> Path | None:
    """The newest whole checkpoint that `save_checkpoint(folder, …)` left, or None; says so if the newest is damaged.

    Every process must call it; they share out the reading and come to one decision.
    """
    for candidate in (folder, folder.with_name(folder.name + ".old")):
        exists = candidate.exists()
        states = processes.gather(f"{exists:d}{exists and is_whole(candidate, processes.rank, processes.count):d}")
        if all(state == "11" for state in states):
            return candidate
        if processes.first and any(state != "00" for state in states):
            damaged = f"{candidate}: the checkpoint is damaged; continuing from an earlier one, or from the start"
            print(printable(damaged), file=sys.stderr)
    return None


def load_checkpoint(
    folder: Path, module: nn.Module, optimizers: list[Optimizer], processes: Processes = ALONE
) -> dict[str, Any]:
    """Restore weights and moments in place; returns the saved `state`. Every process must call it.

    The processes need not be as many as wrote it, nor sharded as they were. Raises `InputError` if a file is damaged.
    """
    weights = cast(dict[str, Tensor], get_model_state_dict(module))
    optimization = get_optimizer_state_dict(module, optimizers)
    moments = cast(Moments, optimization["state"])

    def read() -> dict[str, Any]:
        try:
            with Stored(folder) as stored:
                parts = _parts(weights, moments)
                if stored.names != parts.keys():
                    raise ValueError(f"it belongs to another model: {min(stored.names ^ parts.keys())}")
                for name, part in parts.items():
                    stored.fill(name, part)
                for name, values in moments.items():
                    for key, value in values.items():
                        if not isinstance(value, Tensor):
                            values[key] = parts[_moment(name, key)].local.item()
                return stored.index.state
        except Exception as error:  # safetensors, JSON and the file system each raise their own
            raise InputError(
                f"{folder}: the checkpoint is damaged ({error}); redo the stage with --overwrite"
            ) from None

    state = processes.together(read)
    set_optimizer_state_dict(module, optimizers, optim_state_dict=optimization)
    return state


def _parts(weights: dict[str, Tensor], moments: Moments) -> dict[str, Part]:
    """All tensors of a checkpoint by name."""
    parts = {MODEL + name: part_of(value) for name, value in weights.items()}
    for name, values in moments.items():
        parts |= {_moment(name, key): part_of(as_tensor(value)) for key, value in values.items()}
    return parts


def _moment(parameter: str, key: str) -> str:
    return f"{OPTIMIZER}{parameter}|{key}"
