"""A stage's outputs shared by run folders: hard links, so that each folder is whole when it is copied away."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from ..config.schema import RunConfig
from .locking import lock
from .records import read_records, write_records
from .stages import STAGES, stage_settings


def address(config: RunConfig, stage: str) -> str:
    """What a stage without inputs makes, by name: runs with the same address can share it."""
    settings = json.dumps([STAGES[stage].format, stage_settings(config, STAGES[stage])], sort_keys=True)
    return hashlib.sha256(settings.encode()).hexdigest()[:16]


def adopt(run: Path, source: Path, stage: str) -> None:
    """Put the outputs of a stage without inputs, finished in the folder `source`, into `run`, with their record.

    Nothing is done if `run` has made it already. Stages never write into a finished file, so that a link cannot be
    changed through another. Where the file system has no links, files are copied.
    """
    assert not STAGES[stage].inputs, "what a stage makes of its inputs belongs to the run that has them"
    run.mkdir(parents=True, exist_ok=True)
    with lock(run):
        records = read_records(run)
        if stage in records:
            return
        for name in STAGES[stage].outputs:
            shutil.rmtree(run / name, ignore_errors=True)
            (run / name).unlink(missing_ok=True)
            if (source / name).is_dir():
                shutil.copytree(source / name, run / name, copy_function=_link)
            else:
                _link(source / name, run / name)
        records[stage] = read_records(source)[stage]
        write_records(run, records)


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
