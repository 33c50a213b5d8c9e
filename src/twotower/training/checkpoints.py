"""Checkpoints: atomic, resumable, without pickle."""

from __future__ import annotations

import json
import os
import shutil
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

# Whole tensors on the CPU, whether the module is plain, replicated (DDP) or sharded (FSDP).
FULL = StateDictOptions(full_state_dict=True, cpu_offload=True)


def save_checkpoint(
    folder: Path, module: nn.Module, optimizers: list[torch.optim.Optimizer], state: dict[str, Any], writer: bool = True
) -> None:
    """Replace `folder` by a checkpoint of weights, optimizer moments and `state` (plain JSON values).

    Every process must call it; the one with `writer` writes. The earlier checkpoint stays whole until the new one is.
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
    (partial / "state.json").write_text(json.dumps(state, indent=1), encoding="utf-8")
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(partial, folder)
    shutil.rmtree(old, ignore_errors=True)


def find_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint that `save_checkpoint(folder, …)` left, or None."""
    for candidate in (folder, folder.with_name(folder.name + ".old")):
        if (candidate / "state.json").is_file():
            return candidate
    return None


def load_checkpoint(folder: Path, module: nn.Module, optimizers: list[torch.optim.Optimizer]) -> dict[str, Any]:
    """Restore weights and moments in place; returns the saved `state`. Raises `InputError` if a file is damaged."""
    try:
        weights = load_file(folder / "model.safetensors")
        flat = load_file(folder / "optimizer.safetensors")
        state: dict[str, Any] = json.loads((folder / "state.json").read_text(encoding="utf-8"))
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
