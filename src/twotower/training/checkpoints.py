"""Checkpoints: atomic, verified before they are used, without pickle; the one before the newest is kept, too."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from ..errors import InputError
from ..printing import printable
from ..runs.records import fingerprint
from ..runs.writing import sync

# Whole tensors on the CPU, whether the module is plain, replicated (DDP) or sharded (FSDP).
TENSORS = ("model.safetensors", "optimizer.safetensors")
FULL = StateDictOptions(full_state_dict=True, cpu_offload=True)


def save_checkpoint(
    folder: Path, module: nn.Module, optimizers: list[torch.optim.Optimizer], state: dict[str, Any], writer: bool = True
) -> None:
    """Replace `folder` by a checkpoint of weights, optimizer moments and `state` (plain JSON values).

    Every process must call it; the one with `writer` writes. The earlier checkpoint is kept beside it, as `.old`, for
    the case that the newest is damaged.
    """
    weights = cast(dict[str, Tensor], get_model_state_dict(module, options=FULL))
    moments = cast(dict[str, dict[str, Any]], get_optimizer_state_dict(module, optimizers, options=FULL)["state"])
    if not writer:
        return
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file({name: value.contiguous() for name, value in weights.items()}, partial / "model.safetensors")
    flat: dict[str, Tensor] = {}
    for name, values in moments.items():
        for key, value in values.items():
            flat[f"{name}|{key}"] = value.contiguous() if isinstance(value, Tensor) else torch.tensor(value)
    save_file(flat, partial / "optimizer.safetensors")
    digests = {name: fingerprint(partial / name)["digest"] for name in TENSORS}
    (partial / "state.json").write_text(json.dumps({"state": state, "digests": digests}, indent=1), encoding="utf-8")
    sync(partial)
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(partial, folder)


def find_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint that `save_checkpoint(folder, …)` left, or None; says so if the newest is damaged."""
    for candidate in (folder, folder.with_name(folder.name + ".old")):
        if candidate.exists() and is_whole(candidate):
            return candidate
        if candidate.exists():
            said = f"{candidate}: the checkpoint is damaged; continuing from an earlier one, or from the start"
            print(printable(said), file=sys.stderr)
    return None


def is_whole(folder: Path) -> bool:
    """Whether a checkpoint's files are what was written."""
    try:
        known = json.loads((folder / "state.json").read_text(encoding="utf-8"))["digests"]
        return all(fingerprint(folder / name)["digest"] == known[name] for name in TENSORS)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def load_checkpoint(folder: Path, module: nn.Module, optimizers: list[torch.optim.Optimizer]) -> dict[str, Any]:
    """Restore weights and moments in place; returns the saved `state`. Raises `InputError` if a file is damaged."""
    try:
        weights, flat = (load_file(folder / name) for name in TENSORS)
        state: dict[str, Any] = json.loads((folder / "state.json").read_text(encoding="utf-8"))["state"]
    except Exception as error:  # safetensors, JSON and the file system each raise their own
        raise InputError(f"{folder}: the checkpoint is damaged ({error}); redo the stage with --overwrite") from None
    moments: dict[str, Any] = {}
    for name, value in flat.items():
        parameter, _, key = name.partition("|")
        moments.setdefault(parameter, {})[key] = value
    groups = get_optimizer_state_dict(module, optimizers, options=StateDictOptions(full_state_dict=True))[
        "param_groups"
    ]
    set_model_state_dict(module, cast(dict[str, Any], weights), options=FULL)
    set_optimizer_state_dict(
        module, optimizers, optim_state_dict={"state": moments, "param_groups": groups}, options=FULL
    )
    return state
