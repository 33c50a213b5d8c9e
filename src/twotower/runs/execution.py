"""The run folder: its stages, what each reads and writes, digests, atomic writing.

A stage writes into a folder of its own and its files are moved into place when all of them are whole, then recorded in
`stages.json` with their digests. So a run folder holds, at any moment, only artifacts that some stage finished.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from ..config.conversion import as_json
from ..config.schema import RunConfig
from ..config.settings import to_dict
from ..system.errors import InputError, Interrupted
from .locking import lock
from .outside import compare, outside_of
from .provenance import provenance
from .records import (
    Records,
    SafeDumper,
    StageRecord,
    as_asked,
    damage_error,
    fingerprint,
    first_damaged,
    inputs_of,
    load_config,
    read_records,
    recorded_output,
    up_to_date,
    write_records,
)
from .stages import INSTRUMENTS, Stage, producer_of, stage_settings, stages_of
from .views import StageFunction, view_of
from .writing import naming_disk_errors, refusing_unwritable, sync, sync_one, write_text

KEPT = ".prepare.kept"
"""In a run folder, what `prepare` has finished of a long text."""


def execute(
    run: Path,
    config: RunConfig,
    functions: Mapping[str, StageFunction],
    overwrite: bool = False,
    say: Callable[[str], None] = lambda _: None,
    own: Mapping[str, RunConfig] | None = None,
) -> None:
    """Bring the run folder up to date: run each stage in `functions` whose settings or inputs have changed.

    Args:
        run: the folder; made if it does not exist, and removed again if the very first stage refuses its input and has
            kept nothing.
        config: what is asked for.
        functions: from a stage's name to the function that writes its outputs.
        overwrite: redo stages that were made with other settings, or whose files are damaged.
        say: told what is done and what is skipped.
        own: for instruments, by name, what each is asked with, where that is not `config`.

    Raises `InputError` if a stage was made with other settings or its files are damaged and `overwrite` is false, or
    if an earlier stage that is not in `functions` is missing; `DiskError` if the disk fails, `DiskFullError` if it
    fills.
    """
    try:
        str(run).encode()
        fresh = not run.exists()
    except UnicodeEncodeError:
        raise InputError("--out: the folder's name is not UTF-8; give another folder") from None
    except (OSError, ValueError) as error:  # a name too long, or with a NUL
        raise InputError(f"--out: {getattr(error, 'strerror', None) or error}; give another folder") from None
    first_new = next((parent for parent in reversed([run, *run.parents]) if not parent.exists()), run)
    if not fresh and not run.is_dir():
        raise InputError(f"--out: {run} is a file; give a folder")
    if not fresh and not _is_run(run) and any(run.iterdir()):
        raise InputError(f"--out: {run} exists and is not a run folder; give another folder")
    own = own or {}
    stages = stages_of(config)
    _require_same_kind(run, config)
    _require_earlier(run, functions, stages)
    if not fresh and not overwrite:
        _refuse_other_settings(run, config, functions, own)
        _refuse_other_files(run, functions, own, config)
    try:
        with naming_disk_errors(run):
            _make_folder(run)
            with lock(run):
                if not (run / "provenance.json").is_file() and read_records(run):
                    _write_configuration(run, config)
                for name, function in functions.items():
                    _run_stage(run, config, own.get(name, config), stages[name], function, overwrite, say)
    except Interrupted:
        _write_configuration(run, config)
        raise
    except InputError:
        if not _has_progress(run):
            shutil.rmtree(run / KEPT, ignore_errors=True)
            if fresh and not read_records(run):
                shutil.rmtree(first_new, ignore_errors=True)
        raise


def partial_folder(run: Path, stage: str) -> Path:
    """Where a stage writes until its files are whole."""
    return run / f".{stage}.partial"


def progress_folder(run: Path, stage: str) -> Path | None:
    """Where a stage keeps what it has finished, so that it goes on from there after it was stopped; None for others."""
    return {"prepare": run / KEPT, "train": run / "checkpoints"}.get(stage)


def _has_progress(run: Path) -> bool:
    """Whether `prepare` has something to go on from, such as text that was read before the network failed."""
    kept = run / KEPT
    return kept.is_dir() and any(path.name != "settings.json" for path in kept.iterdir())


def _make_folder(run: Path) -> None:
    with refusing_unwritable(run):
        run.mkdir(parents=True, exist_ok=True)
        (run / ".lock").touch()


def _is_run(run: Path) -> bool:
    """Whether a run made this folder, even if it was killed in its first stage."""
    return any((run / name).exists() for name in ("config.yaml", "stages.json", ".lock"))


def _run_stage(
    run: Path,
    config: RunConfig,
    own_config: RunConfig,
    stage: Stage,
    function: StageFunction,
    overwrite: bool,
    say: Callable[[str], None],
) -> None:
    """Run one stage with the settings of `own_config`, in a run of the settings `config`."""
    settings = stage_settings(own_config, stage)
    records = read_records(run)
    record = records.get(stage.name)
    inputs = inputs_of(run, config, stage)
    _say_left_out(run, stage, inputs, records, say)
    for producer in dict.fromkeys(producer_of(name, stages_of(config)).name for name in inputs):
        damaged = first_damaged(run, records[producer])
        if damaged:
            raise damage_error(run, producer, damaged)
    if record and all((run / name).exists() for name in stage.outputs):
        damaged = first_damaged(run, record)
        outside = compare(own_config, stage, record.outside)
        if not damaged and not outside.changed and up_to_date(run, own_config, stage.name, records):
            for name in outside.missing:
                say(f"{stage.name}: the files of {name} are gone; what was made from them is kept")
            if outside.touched:
                write_records(run, records | {stage.name: replace(record, outside=outside_of(own_config, stage))})
            say(f"{stage.name}: done before, skipped")
            _discard_progress(run, stage)  # of a process that died here
            return
        if damaged and not overwrite:
            raise damage_error(run, stage.name, damaged)
    say(f"{stage.name} …")
    read = outside_of(own_config, stage)
    _discard_other_progress(run, stage, settings, inputs, read)
    out = partial_folder(run, stage.name)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    begin = time.perf_counter()
    with naming_disk_errors(out):
        function(view_of(own_config, stage, inputs), run, out)
        sync(out)
        contents = {name: fingerprint(out / name) for name in stage.outputs}
        if records.pop(stage.name, None):  # while old and new files lie side by side, the stage counts as not done
            write_records(run, records)
        for name in stage.outputs:
            _move(out / name, run / name)
        sync_one(run)
        shutil.rmtree(out)
        outputs = {name: recorded_output(run / name, content) for name, content in contents.items()}
        seconds = round(time.perf_counter() - begin, 3)
        records[stage.name] = StageRecord(stage.format, settings, inputs, outputs, read, seconds)
        _write_configuration(run, config)
        write_records(run, records)
    _discard_progress(run, stage)


def _say_left_out(
    run: Path, stage: Stage, inputs: Mapping[str, str], records: Records, say: Callable[[str], None]
) -> None:
    """Name the instruments that are made, but of towers or with settings that the run no longer has."""
    for artifact in stage.optional:
        maker = producer_of(artifact)
        if artifact not in inputs and maker.name in records:
            say(f"{stage.name}: leaves out {maker.name}, which is out of date; `{maker.command(run)}` makes it again")


def _discard_progress(run: Path, stage: Stage) -> None:
    if folder := progress_folder(run, stage.name):
        shutil.rmtree(folder, ignore_errors=True)


def _write_configuration(run: Path, config: RunConfig) -> None:
    write_text(run / "config.yaml", yaml.dump(to_dict(config), sort_keys=False, Dumper=SafeDumper))
    write_text(run / "provenance.json", as_json(provenance(config)))


def _refuse_other_settings(
    run: Path, config: RunConfig, functions: Mapping[str, StageFunction], own: Mapping[str, RunConfig]
) -> None:
    """Raise `InputError` if a stage, finished or interrupted, was made with other settings.

    What an instrument is to be asked with counts where it is among the `functions`.
    """
    records = read_records(run)
    progress = _progress(run / "checkpoints")
    for stage in stages_of(config).values():
        if stage.name in records:
            recorded = records[stage.name].settings
        elif progress.get("stage") == stage.name:
            recorded = progress["settings"]
        else:
            continue
        if stage.name in functions:
            wanted = stage_settings(own.get(stage.name, config), stage)
        else:
            wanted = stage_settings(as_asked(config, stage.name, records), stage)
        changed = [name for name in wanted if recorded.get(name, wanted[name]) != wanted[name]]
        if changed:
            name = changed[0]
            more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
            raise InputError(
                f"{run}: stage {stage.name} was made with {name} = {_shown(recorded[name])}, "
                f"not {_shown(wanted[name])}{more}; --overwrite redoes it and what depends on it"
                + ("" if stage.name in INSTRUMENTS else ", or give another folder with --out")
            )


def _refuse_other_files(
    run: Path, functions: Mapping[str, StageFunction], own: Mapping[str, RunConfig], config: RunConfig
) -> None:
    """Raise `InputError` if a stage that is to be up to date was made from files that are others now."""
    for name, record in read_records(run).items():
        stage = stages_of(config).get(name)
        if stage and record.format == stage.format and (name in functions or name not in INSTRUMENTS):
            changed = compare(own.get(name, config), stage, record.outside).changed
            if changed:
                raise InputError(
                    f"{run}: stage {name} was made from other files: {changed}; --overwrite redoes it and what "
                    "depends on it" + ("" if name in INSTRUMENTS else ", or give another folder with --out")
                )


def _shown(value: Any) -> str:
    return "nothing" if value in ("", []) else str(value)


def _require_same_kind(run: Path, config: RunConfig) -> None:
    """Raise `InputError` for a comparison in the folder of towers, or the other way round."""
    if (run / "config.yaml").is_file() and bool(load_config(run).diff.models) != bool(config.diff.models):
        kinds = ("towers", "a comparison of models")
        mine, theirs = kinds if config.diff.models else kinds[::-1]
        raise InputError(f"--out: {run} holds {mine}, not {theirs}; give another folder")


def _require_earlier(run: Path, functions: Mapping[str, StageFunction], stages: Mapping[str, Stage]) -> None:
    records = read_records(run)
    for name in functions:
        for wanted in stages[name].inputs:
            producer = producer_of(wanted, stages)
            missing = producer.name not in records or not (run / wanted).exists()
            if missing and producer.name not in functions:
                raise InputError(
                    f"{run / wanted} is missing, which stage {name} reads; run `{producer.command(run)}` first"
                )
            if producer.name not in functions and records[producer.name].format != producer.format:
                raise InputError(
                    f"{run / wanted}, which stage {name} reads, was made by another version of twotower; "
                    f"`twotower run --out {run}` makes it again"
                )


def _progress(folder: Path) -> dict[str, Any]:
    path = folder / "settings.json"
    try:
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return loaded


def _discard_other_progress(
    run: Path, stage: Stage, settings: dict[str, Any], inputs: dict[str, str], outside: Mapping[str, Any]
) -> None:
    """Keep what a stage that was stopped has finished only if it is of the very same settings, inputs and files."""
    folder = progress_folder(run, stage.name)
    if folder is None:
        return
    mine = {"stage": stage.name, "settings": settings, "inputs": inputs} | ({"outside": outside} if outside else {})
    if _progress(folder) != json.loads(json.dumps(mine)):
        shutil.rmtree(folder, ignore_errors=True)
        if stage.name == "train":
            shutil.rmtree(run / "tensorboard", ignore_errors=True)
        folder.mkdir()
        write_text(folder / "settings.json", json.dumps(mine))


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)  # of a process that died here
    if target.is_dir():
        os.replace(target, old)
        os.replace(source, target)
        shutil.rmtree(old)
    else:
        os.replace(source, target)
