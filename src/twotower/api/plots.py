"""The figures of the pages, one by one, for notebooks and papers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from ..config import RunConfig
from ..errors import InputError
from ..report import interactive, study_figures
from ..report.contents import read_contents
from ..runs.records import require_current


class RunPlots:
    """The figures of a run's page, each as a Plotly figure; `figure.write_image` or `figure.write_html` keeps it."""

    def __init__(self, path: Path, config: RunConfig) -> None:
        for artifact in ("results.json", "preference.parquet", "metrics.jsonl", "scores.parquet"):
            require_current(path, config, artifact)
        self._contents = read_contents(config, path)

    def preference(self) -> go.Figure:
        """The distribution of the preferences of types, in nats, with its noise floor behind it."""
        return self._draw("preference")

    def profile(self) -> go.Figure:
        """The mean preference of each part of speech minus that of all words, in nats, with intervals."""
        return self._draw("profile")

    def towers(self) -> go.Figure:
        """Each type by its mean log-probability under either tower, in nats; three towers or more over their mean."""
        return self._draw("towers")

    def context(self) -> go.Figure:
        """What each head gains from more tokens of context, in nats per token, with intervals."""
        return self._draw("context")

    def shares(self) -> go.Figure:
        """What explains the variance between types: Shapley shares of groups of predictors, with intervals."""
        return self._draw("shares")

    def emergence(self) -> go.Figure:
        """Separation and the spread of preferences at each evaluation of the training."""
        return self._draw("emergence")

    def training(self) -> go.Figure:
        """The loss on training batches, in nats per piece, of all towers together and of each alone."""
        return self._draw("training")

    def _draw(self, name: str) -> go.Figure:
        if name != "training" and not self._contents.contrasts:
            raise InputError(f"plot.{name}: a single tower has no preference; only plot.training() can be drawn")
        return interactive.draw(name, self._contents)


class ComparisonPlots:
    """The figures of a study's page, each as a Plotly figure."""

    def __init__(self, study: dict[str, Any]) -> None:
        self._drawn = study_figures.drawings(study)

    def profiles(self) -> go.Figure:
        """The mean preference of each part of speech in each run, in nats; runs turned to their shared axis."""
        return self._draw("profiles", "two runs of two towers or more")

    def agreement(self, number: int = 0) -> go.Figure:
        """The correlations of the preferences of runs that scored the same text; `number` counts such texts."""
        return self._draw(f"agreement-{number}", "two runs that scored the same text")

    def emergence(self) -> go.Figure:
        """Reliability and separation of each run at each evaluation of the training."""
        return self._draw("emergence", "runs with evaluations")

    def context(self) -> go.Figure:
        """What more context gains, tower against tower, in each run."""
        return self._draw("context", "runs whose context was cut short")

    def doses(self) -> go.Figure:
        """Figures of runs over a setting that was varied."""
        return self._draw("doses", "a setting that varies")

    def _draw(self, name: str, needs: str) -> go.Figure:
        if name not in self._drawn:
            raise InputError(f"plot.{name.partition('-')[0]}: there is nothing to draw; it needs {needs}")
        return self._drawn[name]
