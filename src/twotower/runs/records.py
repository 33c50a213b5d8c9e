"""What stages have left in a run folder: their records, their digests, and whether they still hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

from ..config.conversion import plain, record_from
from ..config.schema import RunConfig
from ..config.settings import from_dict, with_settings, without_gone
from ..system.errors import InputError, one_line
from .stages import INSTRUMENTS, STAGES, Stage, defaults_of, producer_of, stage_settings, stages_of
from .writing import write_text

T = TypeVar("T")
# They know plain values only. LibYAML's, which are ten times as fast, are missing from some builds of PyYAML.
SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SafeDumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
OutsideFile = tuple[str, int, int, str]
"""A file outside of the run folder: its path, size in bytes, time of change in nanoseconds, and digest."""


def load_config(run: Path) -> RunConfig:
    """The configuration saved in a run folder. Raises `InputError` if there is none or it cannot be used."""
    path = run / "config.yaml"
    if not path.is_file():
        raise InputError(f"{run} is not a run folder (it has no config.yaml); make one with `twotower run --out {run}`")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _not_yaml(path, error) from None
    return _config_in(text, path)


@lru_cache(maxsize=8)  # of the text, so that a file that has changed is read again
def _config_in(text: str, path: Path) -> RunConfig:
    try:
        values = yaml.load(text, SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise _not_yaml(path, error) from None
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected settings, found {type(values).__name__}; restore it or use --overwrite")
    try:
        return from_dict(values, str(path))
    except InputError as error:
        raise InputError(
            f"{error}; if another version of twotower made this run, read it with that version, or make it again in "
            "another folder"
        ) from None


def _not_yaml(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: not valid YAML ({one_line(error)}); restore it or use --overwrite")


@dataclass(frozen=True)
class Fingerprint:
    """What is in an artifact."""

    digest: str
    """SHA-256 of a file, or of the names and contents of all files of a folder."""
    files: dict[str, str] = field(default_factory=dict)
    """The same of each of its files, by name."""


@dataclass(frozen=True)
class RecordedOutput(Fingerprint):
    """What a stage wrote."""

    stat: list[tuple[str, int, int]] = field(default_factory=list)
    """Name, size in bytes and time of change in nanoseconds of each of its files."""


@dataclass(frozen=True)
class StageRecord:
    """What `stages.json` says of a finished stage."""

    format: int
    """Version of what the stage wrote."""
    settings: dict[str, Any]
    """Those that its outputs depend on, flat, by dotted name."""
    inputs: dict[str, str]
    """The digest of each artifact that it read."""
    outputs: dict[str, RecordedOutput]
    outside: dict[str, list[OutsideFile]] = field(default_factory=dict)
    """For each setting that names files outside of the run folder, these as they were before the stage read them."""
    seconds: float = 0.0


Records = Mapping[str, StageRecord]
"""What is recorded of each finished stage, by name."""


def as_asked(config: RunConfig, name: str, records: Records) -> RunConfig:
    """The configuration with what an instrument was asked with: those of its settings of `know` that are recorded.

    They are its own, so that another instrument can be asked with others. The same configuration for other stages.
    """
    if name not in INSTRUMENTS or name not in records:
        return config
    own = stage_settings(config, STAGES[name])
    recorded = {
        key: value for key, value in records[name].settings.items() if key.startswith("know.") and key in own
    }  # fmt: skip
    return with_settings(config, recorded, f"stage {name}")


def up_to_date(run: Path, config: RunConfig, name: str, records: Records | None = None) -> bool:
    """Whether a stage was finished with these settings and with the inputs as they are recorded now.

    Whoever asks several times reads the `records` once (see `read_records`) and hands them on. For what an instrument
    was asked with see `as_asked`.
    """
    stage, records = stages_of(config)[name], read_records(run) if records is None else records
    record = records.get(name)
    return (
        record is not None
        and record.format == stage.format
        and defaults_of(stage) | without_gone(record.settings) == stage_settings(config, stage)
        and record.inputs == inputs_of(run, config, stage, records)
        and all((run / output).exists() for output in stage.outputs)
    )


def inputs_of(run: Path, config: RunConfig, stage: Stage, records: Records | None = None) -> dict[str, str]:
    """The digests of what a stage reads: all its inputs, and of the optional ones those that are up to date."""
    records = read_records(run) if records is None else records
    optional = [name for name in stage.optional if is_current(run, config, producer_of(name).name, records)]
    stages = stages_of(config)
    return {name: recorded_digest(records, name, stages) for name in (*stage.inputs, *optional)}


def is_current(run: Path, config: RunConfig, name: str, records: Records) -> bool:
    """Whether a stage is up to date, an instrument with whatever it was asked with."""
    return up_to_date(run, as_asked(config, name, records), name, records)


def read_records(run: Path) -> dict[str, StageRecord]:
    """What `stages.json` says of each finished stage, by name; empty without one. Raises `InputError` if damaged."""
    path = run / "stages.json"
    if not path.is_file():
        return {}
    remedy = "delete it and redo all stages with --overwrite"
    values = read_json(path, remedy)
    digest = values.pop("digest", None)  # files of version 1.0 have none
    if digest is not None and digest != _digest(values):
        raise InputError(f"{path} is damaged (it is not what was written); {remedy}")
    try:
        records = {name: record_from(StageRecord, value, repr(name)) for name, value in values.items()}
    except InputError as error:
        raise InputError(f"{path} is damaged ({error}); {remedy}") from None
    for name in (name for record in records.values() for name in record.outputs):
        if Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
            raise InputError(f"{path} is damaged ({name!r} is outside of the run folder); {remedy}")
    return records


def write_records(run: Path, records: Records) -> None:
    """Write `stages.json`, with a digest of its own."""
    write_text(run / "stages.json", _written(plain(records)))


def _written(values: Mapping[str, Any]) -> str:
    return json.dumps({**values, "digest": _digest(values)}, indent=1) + "\n"


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def require_as_written(run: Path) -> None:
    """Raise `InputError` if `stages.json` is not, to the byte, what was written."""
    read_records(run)
    path = run / "stages.json"
    text = path.read_text(encoding="utf-8")
    values = json.loads(text)
    if values.pop("digest", None) is not None and text != _written(values):
        raise InputError(f"{path} is damaged (it is not what was written); redo all stages with --overwrite")


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """The object in a JSON file. Raises `InputError` with the remedy if the file is damaged."""
    try:
        parsed = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged ({one_line(error)}); {remedy}") from None
    if not isinstance(parsed, dict):
        raise InputError(f"{path} is damaged (it holds no object); {remedy}")
    return parsed


def read_record(kind: type[T], path: Path, remedy: str) -> T:
    """The record in a JSON file. Raises `InputError` with the remedy if the file is damaged, or holds another kind."""
    values = read_json(path, remedy)
    try:
        return record_from(kind, values, str(path))
    except InputError as error:
        raise InputError(f"{error}; {remedy}") from None


def recorded_digest(records: Records, artifact: str, stages: Mapping[str, Stage] = STAGES) -> str:
    """The digest under which an artifact of these stages was recorded; empty if it was not."""
    producer = producer_of(artifact, stages)
    return records[producer.name].outputs[artifact].digest if producer.name in records else ""


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def fingerprint(path: Path) -> Fingerprint:
    """What is in a file or folder now."""
    digest = hashlib.sha256()
    files = {}
    for file in _files(path):
        name = str(file.relative_to(path))
        digest.update(name.encode())
        own = hashlib.sha256()
        with file.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
                own.update(chunk)
        files[name] = own.hexdigest()
    return Fingerprint(digest.hexdigest(), files)


def recorded_output(path: Path, content: Fingerprint) -> RecordedOutput:
    """What is recorded of an artifact: its content, and the sizes and times of its files now."""
    return RecordedOutput(content.digest, content.files, _sizes_and_times(path))


def _sizes_and_times(path: Path) -> list[tuple[str, int, int]]:
    stats = [(str(file.relative_to(path)), file.stat()) for file in _files(path)]
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]


def is_damaged(path: Path, known: RecordedOutput) -> bool:
    """Whether an artifact is not what was recorded. Where size and time are unchanged it is not read again."""
    if not path.exists():
        return True
    return _sizes_and_times(path) != known.stat and fingerprint(path).digest != known.digest


def first_damaged(run: Path, record: StageRecord) -> str | None:
    """The first output that is not what the stage wrote. Files whose size and time are unchanged are not read again."""
    return next((name for name, known in record.outputs.items() if is_damaged(run / name, known)), None)


def damage_error(run: Path, stage: str, artifact: str) -> InputError:
    """What to say of an artifact that is not what its stage wrote."""
    return InputError(
        f"{run / artifact} is damaged (it is not what stage {stage} wrote); "
        f"redo it with `{STAGES[stage].command(run)} --overwrite`"
    )
