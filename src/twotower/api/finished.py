"""What a run of towers and a comparison of models have in common: a folder, and what was found in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..config.schema import RunConfig
from ..runs.finished import RunFolder
from ..runs.listing import look_at
from .notebook import card

if TYPE_CHECKING:
    from ..results.diff_results import DiffResults
    from ..results.results import Results


class Finished:
    """A run folder, finished or in the making, of either kind."""

    def __init__(self, path: Path | str) -> None:
        self._folder = RunFolder(path)

    @property
    def path(self) -> Path:
        """The run folder."""
        return self._folder.path

    @property
    def config(self) -> RunConfig:
        """The settings that it was made from."""
        return self._folder.config

    @property
    def state(self) -> str:
        """How far it has come: `finished`, `unfinished`, `running` (by some process now) or `damaged`."""
        return look_at(self.path).state

    def results(self) -> Results | DiffResults:
        """Every number in the report, with its interval: what `results.json` holds, by attributes."""
        from ..results.kinds import read_any_results

        return read_any_results(self._folder)

    def headline(self) -> str:
        """The finding in one sentence."""
        from ..report.summary import headline

        return headline(self.results())

    def summary(self) -> str:
        """What `twotower show` prints: the finding, and each figure with its interval and its null or its control."""
        from ..report.summary import summarize

        return summarize(self.results()).strip()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def _repr_html_(self) -> str:
        return card(look_at(self.path))
