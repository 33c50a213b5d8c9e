"""The figures of the pages, one by one, for notebooks and papers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from ..comparison.study import Study
from ..report.borrowed import draw_on
from ..report.contents import read_contents
from ..report.drawings import draw, drawings
from ..report.sheet import Sheet, plate
from ..report.study_figures import drawings as study_drawings
from ..runs.finished import RunFolder
from ..system.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class RunPlots:
    """The figures of a run's page, each as a Matplotlib figure; `figure.savefig` keeps it as SVG, PDF or PNG.

    With `ax` a figure is drawn on axes of your own instead, in Matplotlib's current style, and these are returned.
    """

    def __init__(self, run: RunFolder) -> None:
        for artifact in ("results.json", "preference.parquet", "metrics.jsonl", "scores.parquet"):
            run.require(artifact)
        self._contents = read_contents(run.config, run.path)

    def labels(self, ax: Axes | None = None) -> Sheet | Axes:
        """What share of the difference between towers each label holds, beside its null and its strangers."""
        return self._draw("labels", ax)

    def preference(self, ax: Axes | None = None) -> Sheet | Axes:
        """The distribution of the preferences of types, in nats."""
        return self._draw("preference", ax)

    def profile(self, ax: Axes | None = None) -> Sheet | Axes:
        """What each part of speech prefers beyond frequency, in nats, with intervals."""
        return self._draw("profile", ax)

    def towers(self, ax: Axes | None = None) -> Sheet | Axes:
        """Each type by its mean log-probability under either tower, in nats; three towers or more over their mean."""
        return self._draw("towers", ax)

    def context(self, ax: Axes | None = None) -> Sheet | Axes:
        """What each head gains from more tokens of context, in nats per token, with intervals."""
        return self._draw("context", ax)

    def shares(self, ax: Axes | None = None) -> Sheet | Axes:
        """What explains the variance between types: Shapley shares of groups of predictors, with intervals."""
        return self._draw("shares", ax)

    def training(self, ax: Axes | None = None) -> Sheet | Axes:
        """The loss on training batches, in nats per token, of all towers together and of each alone."""
        return self._draw("training", ax)

    def cloud(self, tower: int, *, ax: Axes | None = None) -> Sheet | Axes:
        """The whole words that a tower (from 1) prefers in every set of readouts; size is preference."""
        return self._draw(f"cloud_{tower}", ax)

    def scale(self, ax: Axes | None = None) -> Sheet | Axes:
        """Where each label lies between strangers (0 %) and a planted division (100 %); needs the planted controls."""
        return self._draw("scale", ax)

    def _draw(self, name: str, ax: Axes | None) -> Sheet | Axes:
        if name != "training" and not self._contents.contrasts:
            raise InputError(f"plot.{name}: a single tower has no preference; only plot.training() can be drawn")
        if name not in drawings(self._contents):
            raise InputError(f"plot.{name}: there is nothing to draw; this run has not measured what it shows")
        if ax is not None:
            return cast("Axes", draw_on(partial(drawings(self._contents)[name], self._contents), ax))
        return draw(self._contents, name).wide


class ComparisonPlots:
    """The figures of a study's page, each as a Matplotlib figure, or on axes of your own (`ax`)."""

    def __init__(self, study: Study) -> None:
        self._drawn = study_drawings(study)

    def division(self, ax: Axes | None = None) -> Sheet | Axes:
        """D and the surplus of each run, in nats: pairs, planted pairs and strangers."""
        return self._draw("division", ax, "runs whose towers were measured by the ruler")

    def labels(self, ax: Axes | None = None) -> Sheet | Axes:
        """What each label holds of the squared difference in each run, in nats squared."""
        return self._draw("labels", ax, "pairs whose labels were measured")

    def profiles(self, ax: Axes | None = None) -> Sheet | Axes:
        """The mean preference of each part of speech in each run, in nats; runs turned to their shared axis."""
        return self._draw("profiles", ax, "two runs of two towers or more")

    def agreement(self, number: int = 0, ax: Axes | None = None) -> Sheet | Axes:
        """The correlations of the preferences of runs that scored the same text; `number` counts such texts."""
        return self._draw(f"agreement-{number}", ax, "two runs that scored the same text")

    def emergence(self, ax: Axes | None = None) -> Sheet | Axes:
        """How good the towers of each run are alone, and together, at each evaluation of the training."""
        return self._draw("emergence", ax, "runs with evaluations")

    def context(self, ax: Axes | None = None) -> Sheet | Axes:
        """What more context gains, tower against tower, in each run."""
        return self._draw("context", ax, "runs whose context was cut short")

    def doses(self, ax: Axes | None = None) -> Sheet | Axes:
        """Figures of runs over a setting that was varied."""
        return self._draw("doses", ax, "a setting that varies")

    def _draw(self, name: str, ax: Axes | None, needs: str) -> Sheet | Axes:
        if name not in self._drawn:
            raise InputError(f"plot.{name.partition('-')[0]}: there is nothing to draw; it needs {needs}")
        if ax is not None:
            return cast("Axes", draw_on(self._drawn[name], ax))
        return plate(name, self._drawn[name]).wide
