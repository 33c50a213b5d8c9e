"""A run, read back from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..config.schema import RunConfig
from .exported import is_exported, require_exported
from .records import load_config, require_current

if TYPE_CHECKING:
    import pandas as pd


class RunFolder:
    """A run folder, finished or in the making: its settings, and its artifacts, checked.

    What shows a run, or compares it with others, holds one. Raises `InputError` if there is no run in the folder.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        load_config(self.path)

    @property
    def config(self) -> RunConfig:
        """What the run was made from."""
        return load_config(self.path)

    def scores(self) -> pd.DataFrame:
        """One row per held-out occurrence: document, position, piece, word, UPOS, log-probabilities in nats."""
        import pandas as pd

        return pd.read_parquet(self.require("scores.parquet"))

    def preference(self) -> pd.DataFrame:
        """One row per type: its count, mean preference in nats, standard error and interval."""
        import pandas as pd

        return pd.read_parquet(self.require("preference.parquet"))

    def require(self, artifact: str) -> Path:
        """The path of an artifact that is up to date and whole. Raises `InputError` if it is not, with the remedy."""
        if is_exported(self.path):
            return require_exported(self.path, artifact)
        return require_current(self.path, self.config, artifact)

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"
