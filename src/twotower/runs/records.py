"""What stages have left in a run folder: their records, their digests, and whether they still hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

from ..config.conversion import record_from
from ..config.schema import RunConfig
from ..config.settings import from_dict, with_settings
from ..system.errors import InputError
from .stages import INSTRUMENTS, STAGES, Stage, defaults_of, producer_of, stage_settings, stages_of
from .writing import write_text

T = TypeVar("T")
# Both construct plain values only. LibYAML's, which is ten times as fast, is missing from some builds of PyYAML.
SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
    said = " ".join(str(error).split())
    return InputError(f"{path}: not valid YAML ({said}); restore it or use --overwrite")


def as_asked(config: RunConfig, name: str, records: dict[str, Any]) -> RunConfig:
    """The configuration with what an instrument was asked with: those of its settings of `know` that are recorded.

    They are its own, so that another instrument can be asked with others. The same configuration for other stages.
    """
    if name not in INSTRUMENTS or name not in records:
        return config
    own = stage_settings(config, STAGES[name])
    recorded = {
        key: value for key, value in records[name]["settings"].items() if key.startswith("know.") and key in own
    }  # fmt: skip
    return with_settings(config, recorded, f"stage {name}")


def up_to_date(run: Path, config: RunConfig, name: str, records: dict[str, Any] | None = None) -> bool:
    """Whether a stage was finished with these settings and with the inputs as they are recorded now.

    Whoever asks several times reads the `records` once (see `read_records`) and hands them on. For what an instrument
    was asked with see `as_asked`.
    """
    stage, records = stages_of(config)[name], read_records(run) if records is None else records
    record = records.get(name)
    return (
        record is not None
        and record["format"] == stage.format
        and defaults_of(stage) | record["settings"] == stage_settings(config, stage)
        and record["inputs"] == inputs_of(run, config, stage, records)
        and all((run / output).exists() for output in stage.outputs)
    )


def inputs_of(run: Path, config: RunConfig, stage: Stage, records: dict[str, Any] | None = None) -> dict[str, str]:
    """The digests of what a stage reads: all its inputs, and of the optional ones those that are up to date."""
    records = read_records(run) if records is None else records
    made = [name for name in stage.optional if is_current(run, config, producer_of(name).name, records)]
    stages = stages_of(config)
    return {name: recorded_digest(records, name, stages) for name in (*stage.inputs, *made)}


def is_current(run: Path, config: RunConfig, name: str, records: dict[str, Any]) -> bool:
    """Whether a stage is up to date, an instrument with whatever it was asked with."""
    return up_to_date(run, as_asked(config, name, records), name, records)


def read_records(run: Path) -> dict[str, Any]:
    """What `stages.json` says of each finished stage, by name; empty without one. Raises `InputError` if damaged."""
    path = run / "stages.json"
    if not path.is_file():
        return {}
    remedy = "delete it and redo all stages with --overwrite"
    records = read_json(path, remedy)
    digest = records.pop("digest", None)  # files of version 1.0 have none
    if digest is not None and digest != _digest(records):
        raise InputError(f"{path} is damaged (it is not what was written); {remedy}")
    for name, record in records.items():
        if fault := _fault_of(record):
            raise InputError(f"{path} is damaged ({name!r}: {fault}); {remedy}")
    return records


def write_records(run: Path, records: Mapping[str, Any]) -> None:
    """Write `stages.json`, with a digest of its own."""
    write_text(run / "stages.json", _written(records))


def _written(records: Mapping[str, Any]) -> str:
    return json.dumps({**records, "digest": _digest(records)}, indent=1) + "\n"


def _digest(records: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(records, sort_keys=True).encode()).hexdigest()


def require_as_written(run: Path) -> None:
    """Raise `InputError` if `stages.json` is not, to the byte, what was written."""
    records, path = read_records(run), run / "stages.json"
    text = path.read_text(encoding="utf-8")
    if "digest" in json.loads(text) and text != _written(records):
        raise InputError(f"{path} is damaged (it is not what was written); redo all stages with --overwrite")


def _fault_of(record: Any) -> str:
    """What is wrong with the record of a stage; empty if nothing is."""
    kinds = {"format": int, "settings": dict, "inputs": dict, "outputs": dict}
    if not isinstance(record, dict):
        return "it is not a record of a stage"
    wrong = next((name for name, kind in kinds.items() if not isinstance(record.get(name), kind)), None)
    if wrong:
        return f"{wrong!r} is missing, or of another kind"
    for name, known in record["outputs"].items():
        if Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
            return f"{name!r} is outside of the run folder"
        if not isinstance(known, dict) or not isinstance(known.get("digest"), str) or "stat" not in known:
            return f"{name!r} has no digest"
    outside = record.get("outside", {})
    if not isinstance(outside, dict) or not all(map(_is_list_of_files, outside.values())):
        return "'outside' does not list files"
    return ""


def _is_list_of_files(value: Any) -> bool:
    kinds = [str, int, int, str]
    return isinstance(value, list) and all(
        isinstance(file, list) and [type(part) for part in file] == kinds for file in value
    )


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """The object in a JSON file. Raises `InputError` with the remedy if the file is damaged."""
    try:
        parsed = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged ({' '.join(str(error).split())}); {remedy}") from None
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


def recorded_digest(records: dict[str, Any], artifact: str, stages: Mapping[str, Stage] = STAGES) -> str:
    """The digest under which an artifact of these stages was recorded; empty if it was not."""
    producer = producer_of(artifact, stages)
    return str(records[producer.name]["outputs"][artifact]["digest"]) if producer.name in records else ""


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def fingerprint(path: Path) -> dict[str, Any]:
    """SHA-256: `digest` of a file, or of the names and contents of all files of a folder; `files`, of each one."""
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
    return {"digest": digest.hexdigest(), "files": files}


def sizes_and_times(path: Path) -> list[list[Any]]:
    """Name, size in bytes and time of change in nanoseconds of a file, or of every file of a folder."""
    return [[str(file.relative_to(path)), file.stat().st_size, file.stat().st_mtime_ns] for file in _files(path)]


def is_damaged(path: Path, known: dict[str, Any]) -> bool:
    """Whether an artifact is not what was recorded. Where size and time are unchanged it is not read again."""
    if not path.exists():
        return True
    return bool(sizes_and_times(path) != known["stat"] and fingerprint(path)["digest"] != known["digest"])


def first_damaged(run: Path, record: dict[str, Any]) -> str | None:
    """The first output that is not what the stage wrote. Files whose size and time are unchanged are not read again."""
    return next((str(name) for name, known in record["outputs"].items() if is_damaged(run / name, known)), None)


def damage_error(run: Path, stage: str, artifact: str) -> InputError:
    """What to say of an artifact that is not what its stage wrote."""
    return InputError(
        f"{run / artifact} is damaged (it is not what stage {stage} wrote); "
        f"redo it with `{STAGES[stage].command(run)} --overwrite`"
    )
