"""What a checkpoint says of itself: its files with their digests and, where it is sharded, who holds which rows.

A plain checkpoint has two files of whole tensors. A sharded one has a file for each process that wrote it. A tensor
lies in the first of them, or is cut along its first dimension, so that each file has a stretch of its rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .records import fingerprint

INDEX = "state.json"
PLAIN = ("model.safetensors", "optimizer.safetensors")


@dataclass(frozen=True)
class Held:
    """A tensor of a sharded checkpoint."""

    shape: tuple[int, ...]
    """Of the whole tensor."""
    rows: tuple[int, ...] | None = None
    """File k has the rows from `rows[k]` to `rows[k + 1]` (none, if these are equal). None: the first file has all."""


@dataclass(frozen=True)
class Index:
    """What `state.json` of a checkpoint holds."""

    state: dict[str, Any]
    digests: dict[str, str]
    """Of each file, by name."""
    tensors: dict[str, Held] | None
    """By name; None for a plain checkpoint."""


def shard_name(number: int, count: int) -> str:
    """The file of process `number` (from 0) of `count`."""
    return f"shard-{number:05d}-of-{count:05d}.safetensors"


def sharded_index(state: Mapping[str, Any], digests: Sequence[str], tensors: Mapping[str, Held]) -> str:
    """The index of a sharded checkpoint as JSON, from the digest of each shard in order."""
    content = {
        "state": state,
        "digests": {shard_name(number, len(digests)): digest for number, digest in enumerate(digests)},
        "tensors": {
            name: {"shape": held.shape} if held.rows is None else {"shape": held.shape, "rows": held.rows}
            for name, held in tensors.items()
        },
    }
    return json.dumps(content | {"digest": _digest(json.loads(json.dumps(content)))})


def read_index(folder: Path) -> Index:
    """The index of a checkpoint, checked. Raises `ValueError` if it is damaged, `OSError` if there is none."""
    try:
        return _checked(json.loads((folder / INDEX).read_text(encoding="utf-8")))
    except RecursionError:
        raise ValueError("its index is nested too deeply") from None


def is_whole(folder: Path, number: int = 0, count: int = 1) -> bool:
    """Whether a checkpoint's files are what was written.

    Of `count` readers, reader `number` reads every `count`-th file; the checkpoint is whole if all of them say so.
    """
    try:
        known = read_index(folder).digests
        return all(fingerprint(folder / name).digest == known[name] for name in list(known)[number::count])
    except (OSError, ValueError):
        return False


def _checked(content: Any) -> Index:
    if not isinstance(content, dict) or not isinstance(content.get("state"), dict):
        raise ValueError("its index has no state")
    digests = content.get("digests")
    if not isinstance(digests, dict) or not all(isinstance(digest, str) for digest in digests.values()):
        raise ValueError("its index names no digests")
    if "tensors" not in content:
        if not set(PLAIN) <= digests.keys():
            raise ValueError(f"its index does not name {' and '.join(PLAIN)}")
        return Index(content["state"], {name: digests[name] for name in PLAIN}, None)
    if content.pop("digest", None) != _digest(content):
        raise ValueError("its index is not what was written")
    expected = [shard_name(number, len(digests)) for number in range(len(digests))]
    if not digests or sorted(digests) != sorted(expected):  # so that no name leads out of the folder
        raise ValueError("its index names files that are no shards, or not all shards")
    tensors = content["tensors"]
    if not isinstance(tensors, dict):
        raise ValueError("its index lists no tensors")
    held = {name: _held(name, value, len(expected)) for name, value in tensors.items()}
    return Index(content["state"], {name: digests[name] for name in expected}, held)


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _held(name: str, value: Any, files: int) -> Held:
    shape, rows = (value.get("shape"), value.get("rows")) if isinstance(value, dict) else (None, None)
    if not isinstance(shape, list) or not _sizes(shape):
        raise ValueError(f"its index gives {name!r} no shape")
    if rows is None:
        return Held(tuple(shape))
    if not _sizes(rows) or not shape or len(rows) != files + 1 or rows[0] or rows[-1] != shape[0]:
        raise ValueError(f"the shards do not cover the rows of {name!r}")
    if list(rows) != sorted(rows):
        raise ValueError(f"the shards have rows of {name!r} in common")
    return Held(tuple(shape), tuple(rows))


def _sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(size) is int and size >= 0 for size in value)
