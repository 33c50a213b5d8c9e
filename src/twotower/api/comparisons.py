"""Many runs, from Python: a study, or finished runs compared, as data frames and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import studies
from ..comparison.grid import Grid, set_texts, vary_texts
from ..system.errors import InputError
from ..system.progress import without_progress
from .diffs import Diff
from .notebook import answers
from .runs import Run

if TYPE_CHECKING:
    import pandas as pd

    from ..comparison.diffs import DiffsCompared
    from ..comparison.study import Study
    from .plots import ComparisonPlots


class Comparison:
    """What runs say together: the `study.json` of a study, or of `twotower compare`.

    ```python
    import twotower

    comparison = twotower.Comparison.load("studies/first")
    for sentence in comparison.conclusions():
        print(sentence)
    comparison.runs()[["run", "seed", "reliability"]]
    ```

    In a notebook it shows its answers to the paper's three claims.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @classmethod
    def load(cls, path: Path | str) -> Comparison:
        """The comparison in a folder. Raises `InputError` if it holds no `study.json`."""
        comparison = cls(path)
        comparison.results()
        return comparison

    def results(self) -> Study:
        """Every number on its page, with its interval and its null: what `study.json` holds, by attributes."""
        from ..comparison.study import study_in

        path = self.path / "study.json"
        if not path.is_file():
            raise InputError(f"{path} does not exist; make it with `twotower compare RUN RUN … --out {self.path}`")
        return study_in(path)

    @property
    def failed(self) -> list[str]:
        """The names of the runs of a study that failed, and are not part of it."""
        return self.results().failed

    @property
    def plot(self) -> ComparisonPlots:
        """Its figures: `comparison.plot.profiles()` and others."""
        from .plots import ComparisonPlots

        return ComparisonPlots(self.results())

    def conclusions(self) -> list[str]:
        """Its answers to the paper's three claims, a sentence or more each."""
        from ..report.study_answers import conclusions

        return conclusions(self.results())

    def runs(self) -> pd.DataFrame:
        """The runs: one row each.

        Columns: `run`, `group` (what is the same over seeds), `corpus`, `stranger`, `planted`, `seed`, `family`,
        `towers`, `tokens` of training, held-out `perplexity` of all towers together; `divides`, whether the towers
        divide the work; `D` (nats), `surplus` (nats per token), `class_share` and `topic_share`, what word class
        holds of the squared difference beyond frequency, and the topic of the document beyond the token itself; and
        `reliability` of the preference across documents and readouts (r; 0: the towers do not differ). Each has its
        interval in `…_low` and `…_high`.
        """
        from . import tables

        return tables.runs(self.results())

    def profiles(self) -> pd.DataFrame:
        """The profiles by part of speech: one row per run and class.

        Columns: `run`, `group`, `corpus`, `stranger`, `upos`, and `mean` in nats: the class' mean preference minus that
        of all words. Which tower is the first means nothing: profiles may be turned around.
        """
        from . import tables

        return tables.profiles(self.results())

    def agreement(self) -> pd.DataFrame:
        """How far runs prefer the same types: one row for each two runs that scored the same text.

        Columns: `corpus`, `strangers`, `first`, `second`, `types` and `r`, the correlation of their preferences, with
        runs turned around so that it is large (`docs/statistics.md` tells of figures that are free of such signs).
        """
        from . import tables

        return tables.agreement(self.results())

    def tests(self) -> pd.DataFrame:
        """Every test: one row each, with `family`, `name`, `p_value` and the `q_value` of its family."""
        from . import tables

        return tables.tests(self.results())

    def __repr__(self) -> str:
        return f"Comparison({str(self.path)!r})"

    def _repr_html_(self) -> str:
        study = self.results()
        return answers(self.path, len(study.runs), self.conclusions())


def study(
    presets: Sequence[str] = ("quickstart",),
    seeds: Sequence[int] = (0, 1, 2),
    *,
    vary: Mapping[str, Sequence[Any]] | None = None,
    settings: Mapping[str, Any] | None = None,
    corpora: Sequence[str] = (),
    strangers: bool = False,
    out: Path | str = "studies/study",
    jobs: int = 1,
    threads: int = 1,
    quiet: bool = False,
) -> Comparison:
    """Run what is missing of a grid of runs, each in a process of its own, and compare them.

    ```python
    import twotower

    comparison = twotower.study(seeds=range(4), vary={"model.width": [16, 32]}, strangers=True, out="studies/width")
    ```

    Args:
        presets: to compare; `NAME:0,1,2` gives one of them seeds of its own.
        seeds: of each preset that has none of its own.
        vary: from the dotted names of settings to the values they take; all combinations are run.
        settings: of all runs, by their dotted names.
        corpora: to run each preset on, as `--corpora` takes them.
        strangers: also run towers that do not cooperate, of every combination.
        out: the study's folder; what is finished there is kept.
        jobs: runs at a time.
        threads: of each run.
        quiet: draw no progress lines on standard error.

    Raises `InputError` for a grid that cannot be, and where fewer than two runs can be finished. A run that fails does
    not stop the others: see `Comparison.failed`.
    """
    grid = Grid(
        tuple(presets), tuple(seeds), vary_texts(vary or {}, "vary"), set_texts(settings or {}, "settings"), strangers,
        tuple(corpora),
    )  # fmt: skip
    with without_progress() if quiet else nullcontext():
        studies.run_study(grid, Path(out), jobs, threads)
    return Comparison(out)


def compare(
    runs: Sequence[Run | Path | str], out: Path | str = "studies/comparison", *, quiet: bool = False
) -> Comparison:
    """Compare finished runs, wherever they are.

    ```python
    import twotower

    comparison = twotower.compare(["runs/demo", "runs/second"], out="studies/two")
    ```

    Raises `InputError` for a folder that is not a finished run, for two of the same name, or for fewer than two.
    """
    folders = [run.path if isinstance(run, Run) else Path(run) for run in runs]
    with without_progress() if quiet else nullcontext():
        studies.compare_folders(folders, Path(out))
    return Comparison(out)


def compare_diffs(diffs: Sequence[Diff | Path | str], out: Path | str = "studies/comparison") -> DiffsCompared:
    """Compare finished comparisons of two models each: what is the same in all of them.

    ```python
    import twotower

    found = twotower.compare_diffs(["runs/child-1", "runs/child-2"], out="studies/children")
    found.agreement[0].r
    ```

    Returns what it writes to `diffs.json`, by attributes. Raises `InputError` for a folder that is no finished
    comparison, for one of more than two models, for two of the same name, or for fewer than two.
    """
    folders = [diff.path if isinstance(diff, Diff) else Path(diff) for diff in diffs]
    return studies.compare_folders_of_diffs(folders, Path(out))
