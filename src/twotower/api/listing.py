"""`twotower.list`: the runs below a folder, as a data frame. In a module of its own, where it hides Python's `list`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..runs.listing import look_at, run_folders

if TYPE_CHECKING:
    import pandas as pd


def list(folder: Path | str = "runs") -> pd.DataFrame:
    """The runs below a folder: one row each, as `twotower list` shows them.

    ```python
    import twotower

    finished = twotower.list("runs").query("state == 'finished'")
    ```

    Columns: `run` (the folder), `state` (`finished`, `unfinished`, `running` or `damaged`), `note` (the next stage, or
    what is wrong), `corpus`, `preset`, `seed`, `family`, `towers`, `cooperation`, `tokens` of training, held-out
    `perplexity`, `size` D and `surplus` with `_low` and `_high` (nats), and the `verdict`. Raises `InputError` if there
    is no such folder.
    """
    import pandas as pd

    return pd.DataFrame([look_at(path).plain() for path in run_folders(Path(folder))], columns=COLUMNS)


COLUMNS = [
    "run", "state", "note", "corpus", "preset", "seed", "family", "towers", "cooperation", "tokens", "perplexity",
    "size", "size_low", "size_high", "surplus", "surplus_low", "surplus_high", "verdict",
]  # fmt: skip
