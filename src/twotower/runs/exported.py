"""A run that was exported to be shared: its files lie beside its model, and `exported.json` has the digest of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from ..system.errors import InputError
from .records import read_json
from .writing import write_text

MANIFEST = "exported.json"
MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
"""What the hub expects at the root of a model; in a run folder these are in `model`."""


def is_exported(folder: Path) -> bool:
    """Whether a folder is what `twotower export` wrote, or a copy of it."""
    return (folder / MANIFEST).is_file()


def write_manifest(folder: Path) -> None:
    """Record the digest of every file of an export."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    digests = {path.relative_to(folder).as_posix(): _digest(path) for path in files}
    write_text(folder / MANIFEST, json.dumps({"files": digests}, indent=1) + "\n")


def require_exported(folder: Path, artifact: str) -> Path:
    """The path of an artifact in an export, checked. Raises `InputError` if it was left out, or is damaged."""
    known = _digests(folder)
    if artifact == "model":
        _require_whole(folder, known, [name for name in MODEL_FILES if name in known])
        return folder
    inside = [name for name in known if name == artifact or name.startswith(f"{artifact}/")]
    if not inside:
        raise InputError(
            f"{folder} is an export without {artifact}; `twotower export RUN FOLDER --with-text` has what holds "
            "held-out text, and the run folder has everything"
        )
    _require_whole(folder, known, inside)
    return folder / artifact


def faults_of(folder: Path) -> list[str]:
    """A line for each file of an export that is missing, or is not what was written."""
    known = _digests(folder)
    return [fault for name, digest in known.items() if (fault := _fault(folder / name, digest))]


def files_of(folder: Path) -> int:
    """How many files an export has."""
    return len(_digests(folder))


def _digests(folder: Path) -> dict[str, str]:
    path = folder / MANIFEST
    files = read_json(path, "fetch or export the folder again").get("files")
    if not isinstance(files, dict):
        raise InputError(f"{path} is damaged (it lists no files); fetch or export the folder again")
    if any(Path(name).is_absolute() or ".." in Path(name).parts for name in files):
        raise InputError(f"{path} names a file outside its folder; fetch or export the folder again")
    return {str(name): str(digest) for name, digest in files.items()}


def _require_whole(folder: Path, known: dict[str, str], names: Iterable[str]) -> None:
    for name in names:
        if fault := _fault(folder / name, known[name]):
            raise InputError(fault)


def _fault(path: Path, digest: str) -> str:
    if not path.is_file():
        return f"{path} is missing; fetch or export the folder again"
    if _digest(path) != digest:
        return f"{path} is damaged (it is not what was exported); fetch or export the folder again"
    return ""


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
