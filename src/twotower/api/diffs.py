"""Any two language models, or more, compared from Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import pipeline
from ..config.schema import RunConfig
from ..config.settings import with_settings
from ..runs.stages import DIFF
from ..system.progress import without_progress
from .finished import Finished

if TYPE_CHECKING:
    import pandas as pd

    from ..results.diff_results import DiffResults


class Diff(Finished):
    """The folder of a comparison of models, finished or in the making.

    ```python
    import twotower

    diff = twotower.Diff("runs/diff-a-b-sotu")
    print(diff.summary())
    diff.preference().nlargest(20, "mean")[["piece", "mean", "low", "high"]]
    ```

    What reads an artifact raises `InputError` if that is missing, out of date or damaged, and names the command that
    makes it again.
    """

    def results(self) -> DiffResults:
        """Every number in the report, with its interval: what `results.json` holds, by attributes.

        `scorers`, `unit`, `difference`, `division` and, where vocabularies agree, `divergence` are among them.
        """
        from ..results.diff_results import read_diff_results

        return read_diff_results(self._folder)

    def preference(self) -> pd.DataFrame:
        """One row per type: `piece`, `upos`, `word_class`, `count`, `documents`; in nats the `mean` difference (of two
        models the first minus the second, of more `mean_K`, each minus the mean of all) with its `standard_error`,
        `low` and `high`; and the mean log-probability under each model, `model_K`.
        """
        return self._folder.preference()

    def scores(self) -> pd.DataFrame:
        """One row per token, or per word: where it stands, and its log-probability in nats under each model, `model_K`.

        `model_together` is that of the mean of their probabilities. `control`, and where vocabularies agree `kl_K`,
        `kl_back_K`, `jensen_shannon_K`, `agreement_K` and `rank_distance_K` of the first model and model K, may be
        there, too.
        """
        return self._folder.scores()


def diff(
    *models: str | Path,
    corpus: str | Path | Sequence[str | Path] | None = None,
    control: str | Path = "",
    out: Path | str | None = None,
    settings: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda _: None,
    quiet: bool = False,
) -> Diff:
    """Compare language models on a text: `twotower diff`.

    ```python
    import twotower

    diff = twotower.diff("models/a", "models/b", corpus="sotu", settings={"diff.window": 128})
    diff.results().division.size
    diff.preference().nlargest(20, "mean")
    ```

    Args:
        models: two or more folders, names on the Hugging Face hub (NAME or NAME@REVISION), RUN:HEAD, or scores:FILE.
        corpus: where the text comes from (default: that of `scores:` files if all models are such, else `sotu`).
        control: a further model of the kind of the first one, such as another seed.
        out: the run folder (default: runs/diff-MODELS-CORPUS, as on the command line).
        settings: further settings by their dotted names, such as `diff.unit` or `analyze.bootstrap`.
        overwrite: redo stages that were made with other settings or are damaged.
        say: told what is done and what is skipped.
        quiet: draw no progress lines on standard error.

    Returns:
        The comparison.

    Raises:
        InputError: for models that cannot be loaded or compared, and text that cannot be used.
        DiskError: if the disk fills (`DiskFullError`) or fails; what was finished is intact.
    """
    config = RunConfig(preset="diff")
    names = tuple(map(str, models))
    config = replace(config, diff=replace(config.diff, models=names, control=str(control)))
    if corpus is not None:
        places = (corpus,) if isinstance(corpus, str | Path) else tuple(corpus)
        config = replace(config, prepare=replace(config.prepare, corpus=tuple(map(str, places))))
    config = with_settings(config, settings or {}, "settings")
    config = pipeline.with_text_of_scores(config) if corpus is None else config
    with without_progress() if quiet else nullcontext():
        return Diff(pipeline.run(config, out, tuple(DIFF), overwrite, say).path)
