"""The figures of the pages, one by one, for notebooks and papers."""

from __future__ import annotations

from typing import Any

from ..report.contents import read_contents
from ..report.drawings import draw
from ..report.sheet import Sheet, plate
from ..report.study_figures import drawings
from ..runs.finished import RunFolder
from ..system.errors import InputError


class RunPlots:
    """The figures of a run's page, each as a Matplotlib figure; `figure.savefig` keeps it as SVG, PDF or PNG."""

    def __init__(self, run: RunFolder) -> None:
        for artifact in ("results.json", "preference.parquet", "metrics.jsonl", "scores.parquet"):
            run.require(artifact)
        self._contents = read_contents(run.config, run.path)

    def preference(self) -> Sheet:
        """The distribution of the preferences of pieces, in nats."""
        return self._draw("preference")

    def profile(self) -> Sheet:
        """What each part of speech prefers beyond frequency, in nats, with intervals."""
        return self._draw("profile")

    def towers(self) -> Sheet:
        """Each piece by its mean log-probability under either tower, in nats; three towers or more over their mean."""
        return self._draw("towers")

    def context(self) -> Sheet:
        """What each head gains from more tokens of context, in nats per token, with intervals."""
        return self._draw("context")

    def shares(self) -> Sheet:
        """What explains the variance between pieces: Shapley shares of groups of predictors, with intervals."""
        return self._draw("shares")

    def training(self) -> Sheet:
        """The loss on training batches, in nats per token, of all towers together and of each alone."""
        return self._draw("training")

    def _draw(self, name: str) -> Sheet:
        if name != "training" and not self._contents.contrasts:
            raise InputError(f"plot.{name}: a single tower has no preference; only plot.training() can be drawn")
        return draw(self._contents, name).wide


class ComparisonPlots:
    """The figures of a study's page, each as a Matplotlib figure."""

    def __init__(self, study: dict[str, Any]) -> None:
        self._drawn = drawings(study)

    def profiles(self) -> Sheet:
        """The mean preference of each part of speech in each run, in nats; runs turned to their shared axis."""
        return self._draw("profiles", "two runs of two towers or more")

    def agreement(self, number: int = 0) -> Sheet:
        """The correlations of the preferences of runs that scored the same text; `number` counts such texts."""
        return self._draw(f"agreement-{number}", "two runs that scored the same text")

    def emergence(self) -> Sheet:
        """How good the towers of each run are alone, and together, at each evaluation of the training."""
        return self._draw("emergence", "runs with evaluations")

    def context(self) -> Sheet:
        """What more context gains, tower against tower, in each run."""
        return self._draw("context", "runs whose context was cut short")

    def doses(self) -> Sheet:
        """Figures of runs over a setting that was varied."""
        return self._draw("doses", "a setting that varies")

    def _draw(self, name: str, needs: str) -> Sheet:
        if name not in self._drawn:
            raise InputError(f"plot.{name.partition('-')[0]}: there is nothing to draw; it needs {needs}")
        return plate(name, self._drawn[name]).wide
