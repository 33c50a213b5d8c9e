"""The explorer as a folder that opens from a disk, without a server: everything but text that a reader types.

A page on a disk may not read files; it may run scripts. So the data are scripts, each a call with plain JSON, and a
view loads those it needs when it is first opened.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..system.errors import DiskFullError, InputError
from ..system.progress import Progress
from .explored import ExploredRun
from .page import files
from .plain import column, to_json
from .server import whole_of

SHARD = 20_000
"""Held-out tokens of a script, about; whole documents."""
MARK = ".twotower-explorer"
"""A file that says that a folder was made here, and may be made again."""


def export(runs: Sequence[ExploredRun], out: Path, tokens: int) -> int:
    """Write the page and its data into `out`; returns the size in bytes.

    Of each run's held-out text whole documents, spread over the split, up to about `tokens` tokens. A folder that an
    earlier export made is replaced when the new one is whole. Raises `InputError` if `out` is anything else.
    """
    out = out.resolve()
    if out.exists() and not (out / MARK).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists and is no export of twotower's; name a folder that does not exist yet")
    partial = out.with_name(f".{out.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    try:
        (partial / "data").mkdir(parents=True)
        _write(runs, partial, tokens)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise DiskFullError(error.errno, error.strerror, str(out)) from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    if out.exists():
        shutil.rmtree(out)
    os.replace(partial, out)
    return sum(file.stat().st_size for file in out.rglob("*") if file.is_file())


def _write(runs: Sequence[ExploredRun], folder: Path, tokens: int) -> None:
    for name, (_, content) in files(live=False).items():
        (folder / name).write_bytes(content)
    (folder / MARK).write_text("Made by `twotower explore --export`.\n", encoding="utf-8")
    documents = [_chosen(run, tokens) for run in runs]
    shards = [_shards(run, chosen) for run, chosen in zip(runs, documents, strict=True)]
    summaries = []
    whole = [whole_of(run) for run in runs]
    with Progress("export", sum(map(len, shards)) + sum(map(len, whole)), "file") as progress:
        for number, (run, chosen, parts) in enumerate(zip(runs, documents, shards, strict=True)):
            for name, read in whole[number].items():
                _script(folder, name, number, read(run))
                progress.advance(1)
            _script(folder, "pieces", number, {"piece": run.pieces.tolist()})
            where: dict[int, int] = {}
            for shard, members in enumerate(parts):
                _script(folder, f"text-{shard}", number, [_document(run, member) for member in members])
                where |= dict.fromkeys(members, shard)
                progress.advance(1)
            summaries.append(
                run.summary()
                | {"shards": len(parts), "shard_of": [where.get(member, -1) for member in range(len(run.bounds) - 1)],
                   "exported_documents": len(chosen),
                   "exported_tokens": int(np.diff(run.bounds)[chosen].sum())}
            )  # fmt: skip
    _script(folder, "runs", 0, summaries)


def _script(folder: Path, name: str, run: int, value: Any) -> None:
    call = f"explorer.receive({to_json(name)},{run},{to_json(value)});\n"
    (folder / "data" / f"{name}-{run}.js").write_text(call, encoding="ascii")


def _chosen(run: ExploredRun, tokens: int) -> list[int]:
    """Documents spread over the split, in the order of the text, until they hold `tokens` tokens."""
    sizes = np.diff(run.bounds)
    if not len(sizes) or sizes.sum() <= tokens:
        return list(range(len(sizes)))
    order = np.argsort(np.arange(len(sizes)) * 0.6180339887498949 % 1, kind="stable")  # evenly spread, whatever the end
    kept = order[np.cumsum(sizes[order]) <= tokens]
    return sorted(kept.tolist() or [int(order[0])])


def _shards(run: ExploredRun, chosen: Sequence[int]) -> list[list[int]]:
    sizes = np.diff(run.bounds)
    parts: list[list[int]] = []
    held = SHARD
    for member in chosen:
        if held + sizes[member] > SHARD:
            parts.append([])
            held = 0
        parts[-1].append(member)
        held += int(sizes[member])
    return parts


def _document(run: ExploredRun, member: int) -> dict[str, Any]:
    chosen = slice(int(run.bounds[member]), int(run.bounds[member + 1]))
    tags = run.scores["upos"].iloc[chosen].astype(str).to_numpy()
    names, codes = np.unique(tags, return_inverse=True)
    return {
        "document": member,
        "piece_id": run.piece_ids[chosen].tolist(),
        "tags": names.tolist(),
        "tag": codes.tolist(),
        "measures": {
            name: column(np.round(values[chosen], 2)) for name, values in run.measures.items()
            if name in run.heads or name in run.set_preferences
        },
    }  # fmt: skip
