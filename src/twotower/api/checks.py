"""From Python: whether the files of a run are unchanged, whether it comes out the same again, what its controls say."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import pipeline
from ..runs import verification
from ..runs.finished import RunFolder
from ..system.progress import without_progress
from . import rerun as reruns
from .rerun import Rerun
from .runs import Run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Verification:
    """What `verify` found."""

    whole: int
    """How many artifacts are as they were written."""
    faults: tuple[str, ...]
    """A line for each of the others: which file, and the command that makes it again."""


def verify(run: Run | Path | str) -> Verification:
    """Read every file of a run again and compare it with its recorded digest.

    ```python
    import twotower

    assert not twotower.verify("runs/demo").faults
    ```

    Raises `InputError` for a folder that is not a run.
    """
    intact, faults = verification.verify(_folder(run))
    return Verification(intact, tuple(faults))


def rerun(
    run: Run | Path | str,
    out: Path | str | None = None,
    *,
    say: Callable[[str], None] = lambda _: None,
    quiet: bool = False,
) -> Rerun:
    """Make a run again with the settings in its folder, and compare every file.

    Args:
        run: the run, or its folder.
        out: where to make it again (default: beside it, as RUN-again).
        say: told what is done.
        quiet: draw no progress lines on standard error.

    Raises `InputError` if nothing of the run is finished, or `out` is in use.
    """
    folder = _folder(run)
    target = Path(out) if out is not None else folder.with_name(folder.resolve().name + "-again")
    with without_progress() if quiet else nullcontext():
        return reruns.rerun(folder, target, say)


def controls(
    run: Run | Path | str,
    overwrite: bool = False,
    *,
    say: Callable[[str], None] = lambda _: None,
    quiet: bool = False,
) -> pd.DataFrame:
    """Run the controls of a finished run, below its folder, and compare them: as `twotower run --controls` does.

    Args:
        run: a run of two cooperating towers or more, or its folder.
        overwrite: redo controls that were made with other settings or are damaged.
        say: told what is done.
        quiet: draw no progress lines on standard error.

    Returns one row per run, the run itself first: `name`, `meaning`, `parameters`, held-out `perplexity` of all towers
    together, whether its towers divide the work (`divides`), `D` in nats, `surplus` in nats per token, `class_held`,
    what word class holds beyond frequency in nats squared, and the `reliability` of preferences (r). What could not be
    measured is missing. Takes as long as so many more runs. Raises `InputError` for towers that do not cooperate.
    """
    from . import tables

    folder = _folder(run)
    config = RunFolder(folder).config
    pipeline.require_cooperation(config)
    with without_progress() if quiet else nullcontext():
        return tables.controls(pipeline.run_controls(config, folder, overwrite, say))


def _folder(run: Run | Path | str) -> Path:
    return run.path if isinstance(run, Run) else Path(run)
