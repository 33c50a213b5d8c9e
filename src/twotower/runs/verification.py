"""Whether a run folder still holds what its stages wrote: every file against its recorded digest."""

from __future__ import annotations

from pathlib import Path

from ..system.errors import InputError
from .checkpoint_index import is_whole
from .exported import faults_of, files_of, is_exported
from .records import RecordedOutput, fingerprint, load_config, read_json, read_records, require_as_written
from .stages import STAGES, stages_of


def verify(run: Path) -> tuple[int, list[str]]:
    """Read every artifact again, whatever its size and time say, and the checkpoints of a training that was stopped.

    Returns how many of them are whole, and a line for each that is not: which file, and what makes it again. Raises
    `InputError` for a folder that is no run.
    """
    if not (run / "config.yaml").exists() and not (run / "stages.json").exists():
        raise InputError(f"{run} is not a run folder (it has no config.yaml); give the folder of a run")
    if is_exported(run):
        faults = faults_of(run)
        return files_of(run) - len(faults), faults
    whole, faults = 0, []
    for name in ("config.yaml", "stages.json", "provenance.json"):
        try:
            _require_readable(run, name)
            whole += 1
        except InputError as error:
            faults.append(str(error))
    for name in ("latest", "latest.old"):
        checkpoint = run / "checkpoints" / name
        if checkpoint.exists() and is_whole(checkpoint):
            whole += 1
        elif checkpoint.exists():
            remedy = f"`{STAGES['train'].command(run)}` continues from an earlier one, or from the start"
            faults.append(f"{checkpoint} is damaged; {remedy}")
    try:
        records = read_records(run)
        stages = stages_of(load_config(run))
    except InputError:
        return whole, faults
    for stage in stages.values():
        if stage.name not in records:
            continue
        known = records[stage.name].outputs
        for output in stage.outputs:
            if output not in known:
                faults.append(f"{run / output} is not recorded; redo it with `{stage.command(run)}`")
            elif fault := _fault(run / output, known[output]):
                remedy = f"`{stage.command(run)} --overwrite`"
                faults.append(f"{fault} (it is not what stage {stage.name} wrote); redo it with {remedy}")
            else:
                whole += 1
    return whole, faults


def _require_readable(run: Path, name: str) -> None:
    path = run / name
    if not path.is_file():
        raise InputError(f"{path} is missing; `twotower run --out {run}` with the settings of the run writes it")
    if name == "config.yaml":
        load_config(run)
    elif name == "stages.json":
        require_as_written(run)
    else:
        read_json(path, f"delete it, and `twotower run --out {run}` writes it")


def _fault(path: Path, before: RecordedOutput) -> str:
    """What is wrong with an artifact; empty if nothing is. Of a folder, the first file that differs."""
    if not path.exists():
        return f"{path} is missing"
    now = fingerprint(path)
    if now.digest == before.digest:
        return ""
    if path.is_dir():
        for name in sorted(before.files.keys() | now.files.keys()):
            if name not in now.files:
                return f"{path / name} is missing"
            if now.files[name] != before.files.get(name):
                return f"{path / name} is damaged" if name in before.files else f"{path / name} does not belong there"
    return f"{path} is damaged"
