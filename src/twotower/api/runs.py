"""A run, from Python: made, read back, plotted, and shown in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from .. import pipeline
from ..config.presets import preset
from ..config.schema import RunConfig
from ..runs.finished import RunFolder
from ..runs.listing import look_at
from ..runs.stages import MAIN
from ..system.progress import without_progress
from .notebook import card

if TYPE_CHECKING:
    import pandas as pd

    from ..modeling.model import TowersModel
    from ..preference.division import LabelDivision
    from ..results.results import Results
    from .plots import RunPlots


class Run:
    """A run folder, finished or in the making.

    ```python
    import twotower

    run = twotower.Run.load("runs/first")
    print(run.summary())
    favourites = run.preference().nlargest(20, "mean")[["piece", "mean", "low", "high"]]
    figure = run.plot.profile()
    ```

    In a notebook it shows its finding and its main figures. What reads an artifact raises `InputError` if that is
    missing, out of date or damaged, and names the command that makes it again.
    """

    def __init__(self, path: Path | str) -> None:
        self._folder = RunFolder(path)

    @classmethod
    def load(cls, path: Path | str) -> Run:
        """The run in an existing folder: the same as `Run(path)`. Raises `InputError` if it is none."""
        return cls(path)

    @property
    def path(self) -> Path:
        """The run folder."""
        return self._folder.path

    @property
    def config(self) -> RunConfig:
        """The settings that the run was made from."""
        return self._folder.config

    @property
    def state(self) -> str:
        """How far it has come: `finished`, `unfinished`, `running` (by some process now) or `damaged`."""
        return look_at(self.path).state

    @property
    def plot(self) -> RunPlots:
        """Its figures: `run.plot.preference()`, `run.plot.profile()` and others."""
        from .plots import RunPlots

        return RunPlots(self._folder)

    def results(self) -> Results:
        """Every number in the report, with its interval and its null: what `results.json` holds, by attributes.

        `run.results().division.surplus.estimate`. What is null there is None, or NaN where a number belongs.
        """
        from ..results.results import read_results

        return read_results(self._folder)

    def headline(self) -> str:
        """The finding in one sentence."""
        from ..report.summary import headline

        return headline(self.results())

    def summary(self) -> str:
        """What `twotower show` prints: the finding, and each figure with its interval and its null."""
        from ..report.summary import summarize

        return summarize(self.results()).strip()

    def preference(self) -> pd.DataFrame:
        """The preference of each type: one row per type and contrast.

        Columns: `contrast` (such as `tower 1 minus tower 2`), `piece_id`, `piece`, `upos`, `word_class`,
        `training_count`, `count` and `documents` (held-out occurrences, and the documents they are in); in nats `mean`,
        `standard_error`, `low` and `high` (the interval, over documents and readouts), and `under_SET` (the mean under
        one set of readouts: `readout`, `second`, …); the mean log-probabilities `joint` and `readout_K` (tower K alone,
        mean over sets), in nats. A single tower has no contrast, and no rows.
        """
        from . import tables

        return tables.preference(self._folder.preference(), self.config.model.towers)

    def scores(self) -> pd.DataFrame:
        """The held-out text: one row per occurrence.

        Columns: `document` (its number), `position` (of the piece in it), `piece_id`, `piece`, `word`, `upos`,
        `whole_word`; and the log-probability of the piece in nats under each head: `joint` (all towers), `readout_K`
        (tower K alone) and `second_K`, … (other sets of readouts).
        """
        return self._folder.scores()

    def training(self) -> pd.DataFrame:
        """The training curves: one row per measurement and head.

        Columns: `step`, `tokens` (read so far), `text` (`training` batch or `heldout` sample), `head` (`joint` or
        `tower K`) and `nats`, the mean loss per predicted piece.
        """
        from . import tables

        return tables.training(self._folder.require("metrics.jsonl"))

    def word_classes(self) -> pd.DataFrame:
        """The profile by part of speech: one row per class and contrast.

        Columns: `contrast`, `upos`, `occurrences`, `types`; in nats `mean`, `low` and `high`: what the class prefers
        beyond frequency, with its interval; `q_value`; `sure`, whether q is small and all sets of readouts agree in the
        sign; `compared`, whether it is among the classes compared.
        """
        from . import tables

        return tables.word_classes(self.results(), self.config.model.towers)

    def division(self, labels: pd.DataFrame | Path | str | None = None) -> pd.DataFrame:
        """What each labelling holds of the difference between towers: one row per label and what else is given.

        Without `labels` the labels of `results.json`; with a frame, or a Parquet file, of `document`, `position` (as in
        `scores()`) and columns of labels, these. Raises `InputError` if they do not fit the held-out text.

        Columns: `label`, `given`, `values` (how many were measured), `measured` (share of the text that has one); the
        share of what towers differ in that the label holds, `share`, `low` and `high`, and `null_high`, what it holds
        by chance at most (97.5 %); `held`, the same in nats squared; `specialization` and `routing`, in nats per token;
        and the `verdict`. A single tower, or a text that is too short, has no rows.
        """
        from . import tables

        if labels is None:
            found = self.results().division
            return tables.division(found.labels if found else [])
        return tables.division(self._along(labels))

    def _along(self, labels: pd.DataFrame | Path | str) -> list[LabelDivision]:
        from ..preference.division import along
        from ..preference.measured import Measured
        from ..preference.own_labels import labels_of, read_labels

        self._folder.require("scores.parquet")
        measured = Measured.of(self.config, self.path)
        named = isinstance(labels, (str, Path))
        table = read_labels(labels) if isinstance(labels, (str, Path)) else labels
        own = labels_of(table, measured, str(labels) if named else "labels")
        return along(own, measured)

    def model(self) -> TowersModel:
        """The trained towers with their readouts, a `transformers` model in evaluation mode."""
        from ..modeling.model import finished_model

        return finished_model(self._folder)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def _repr_html_(self) -> str:
        return card(look_at(self.path))


def run(
    config: RunConfig | str | None = None,
    out: Path | str | None = None,
    stages: Iterable[str] = MAIN,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda _: None,
    quiet: bool = False,
) -> Run:
    """Run the stages that are not up to date, and return the run.

    ```python
    import twotower

    run = twotower.run("quickstart", out="runs/first")
    run = twotower.run(twotower.preset("quickstart", settings={"seed": 1, "train.tokens": "4M"}))
    ```

    Args:
        config: settings, or the name of a preset (default: `quickstart`).
        out: the run folder (default: runs/PRESET-CORPUS-seedN, as on the command line).
        stages: which stages, by name (default: all that `twotower run` does).
        overwrite: redo stages that were made with other settings or are damaged.
        say: told what is done and what is skipped.
        quiet: draw no progress lines on standard error.

    Raises:
        InputError: for input that cannot be used, or a folder that was made with other settings.
        Interrupted: after Ctrl-C in a stage that has saved its progress; the same call continues from there.
        DiskError: if the disk fills (`DiskFullError`) or fails; what was finished is intact.
    """
    settings = preset(config) if isinstance(config, str) else config
    with without_progress() if quiet else nullcontext():
        return Run(pipeline.run(settings, out, stages, overwrite, say).path)
