"""What the name of a model stands for: a folder, a model on the hub, a head of towers, or a file of scores."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..data.corpus_names import SCORES
from ..system.errors import InputError

Kind = Literal["folder", "hub", "head", "file"]


@dataclass(frozen=True)
class NamedModel:
    """A model as the user named it."""

    given: str
    """The name as it was given."""
    kind: Kind
    place: str
    """A folder that `transformers` loads, a name on the hub, or a file."""
    revision: str | None = None
    """Of a name on the hub."""
    head: str | None = None
    """Of towers."""


def parse_model(given: str) -> NamedModel:
    """Raises `InputError` for a name that can be no model: a file, a folder that is not there, a run without a head."""
    if given.startswith(SCORES):
        return NamedModel(given, "file", given.removeprefix(SCORES))
    path = Path(os.path.expanduser(given))
    if os.path.isdir(path):  # no error for a name too long
        if (path / "stages.json").is_file():
            raise InputError(
                f"diff: {given} is a run of towers; name one of its heads, such as {given}:joint or {given}:readout_1"
            )
        return NamedModel(given, "folder", str(path))
    if os.path.isfile(path):
        raise InputError(
            f"diff: {given} is a file; a model is a folder that save_pretrained has written, and log-probabilities are "
            f"named {SCORES}{given}"
        )
    run, colon, head = given.rpartition(":")
    if colon and os.path.isdir(os.path.expanduser(run)):
        folder = Path(os.path.expanduser(run)) / "model"
        if not (folder / "config.json").is_file():
            raise InputError(f"diff: {run} has no trained towers; finish it with `twotower run --out {run}`")
        return NamedModel(given, "head", str(folder), head=head)
    name, _, revision = given.partition("@")
    if path.is_absolute() or given.startswith((".", "~")) or colon or not name or name.count("/") > 1:
        raise InputError(
            f"diff: {given} does not exist; give a folder, a name on the Hugging Face hub, RUN:HEAD, or {SCORES}FILE"
        )
    return NamedModel(given, "hub", name, revision=revision or None)


def short_names(names: Sequence[str]) -> list[str]:
    """The names of models in tables and pages: the last part of each, or all of it where two would be the same."""
    last = [_last_part(name) for name in names]
    return [short if last.count(short) == 1 else full for short, full in zip(last, names, strict=True)]


def _last_part(name: str) -> str:
    run, colon, head = name.removeprefix(SCORES).rpartition(":")
    if colon:
        return f"{Path(run).name}:{head}"
    return Path(head.rstrip("/")).name or name
