"""A run, from Python: made, read back, plotted, and shown in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from .. import asking, pipeline
from ..config.presets import preset
from ..config.schema import RunConfig
from ..runs.stages import MAIN
from ..system.progress import without_progress
from .finished import Finished

if TYPE_CHECKING:
    import pandas as pd
    from transformers import PreTrainedTokenizerFast

    from ..modeling.language_models import TowersForCausalLM, TowersForMaskedLM
    from ..modeling.model import TowersModel
    from ..preference.division import LabelDivision
    from ..results.results import Results
    from .plots import RunPlots


class Run(Finished):
    """A run folder, finished or in the making.

    ```python
    import twotower

    run = twotower.Run.load("runs/demo")
    print(run.summary())
    favourites = run.preference().nlargest(20, "mean")[["piece", "mean", "low", "high"]]
    figure = run.plot.profile()
    ```

    In a notebook it shows its finding and its main figures. What reads an artifact raises `InputError` if that is
    missing, out of date or damaged, and names the command that makes it again.
    """

    @classmethod
    def load(cls, path: Path | str) -> Run:
        """The run in an existing folder: the same as `Run(path)`. Raises `InputError` if it is none."""
        return cls(path)

    @property
    def plot(self) -> RunPlots:
        """Its figures: `run.plot.preference()`, `run.plot.profile()` and others."""
        from .plots import RunPlots

        return RunPlots(self._folder)

    def results(self) -> Results:
        """Every number in the report, with its interval and its null: what `results.json` holds, by attributes.

        `run.results().division.surplus.estimate`. What is null there is None, or NaN where a number belongs. Raises
        `InputError` for a comparison of models (see `twotower.Diff`).
        """
        from ..results.results import read_results

        return read_results(self._folder)

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
        by chance at most; `held`, the same in nats squared; `specialization` and `routing`, in nats per token;
        and the `verdict`. A single tower, or a text that is too short, has no rows.
        """
        from . import tables

        if labels is None:
            division = self.results().division
            return tables.division(division.labels if division else [])
        return tables.division(self._along(labels))

    def _along(self, labels: pd.DataFrame | Path | str) -> list[LabelDivision]:
        from ..preference.division import along
        from ..preference.measured import Measured
        from ..preference.own_labels import labels_of, read_labels

        self._folder.require("scores.parquet")
        measured = Measured.of(self.config, self.path)
        if isinstance(labels, (str, Path)):
            return along(labels_of(read_labels(labels), measured, str(labels)), measured)
        return along(labels_of(labels, measured), measured)

    @overload
    def model(self, head: None = None) -> TowersModel: ...

    @overload
    def model(self, head: str) -> TowersForCausalLM | TowersForMaskedLM: ...

    def model(self, head: str | None = None) -> TowersModel | TowersForCausalLM | TowersForMaskedLM:
        """The trained towers with their readouts, a `transformers` model in evaluation mode.

        With `head` (`joint`, or `readout_K` for tower K alone) a language model: it returns `logits`, and with
        `output_hidden_states=True` the states of each layer. Raises `InputError` if there is no such head.
        """
        if head is None:
            from ..modeling.model import finished_model

            return finished_model(self._folder)
        from .models import load_model

        self._folder.require("model")
        return load_model(self.path, head)

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """The tokenizer of the run, as `transformers` knows it: it writes a text in pieces as the towers read them."""
        from transformers import PreTrainedTokenizerFast

        tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(self._folder.require("model"))
        return tokenizer

    def score(self, texts: Sequence[str]) -> pd.DataFrame:
        """The log-probability of every piece of texts of your own: one row per piece.

        Each text is read alone, without context before it. Causal towers see what stands before a piece, the others
        what stands on both sides. Texts are at most as long as the towers' window.

        Columns: `text` (its number), `position` (of the piece in it), `piece_id`, `piece`; in nats `joint` (all
        towers), `readout_K` (tower K alone, mean over sets of readouts) and `preference` (tower 1 minus tower 2; with
        more towers `preference_K`, tower K minus the mean of all). Raises `InputError` for a text that is too long.
        """
        from .texts import score

        return score(self._folder, [texts] if isinstance(texts, str) else texts)

    def predict(self, beginning: str, top: int = 5) -> pd.DataFrame:
        """The likeliest next pieces after the beginning of a sentence: one row per head and rank.

        Towers that read both directions are asked for a hidden piece at the end of the text.

        Columns: `head` (`joint`, or `readout_K`: tower K alone), `rank` from 1, `piece_id`, `piece`, and `log_prob` in
        nats, the mean over sets of readouts. Raises `InputError` for a text that is too long.
        """
        from .texts import predict

        return predict(self._folder, beginning, top)

    def words(self) -> pd.DataFrame:
        """The whole words of the held-out text: one row per word and contrast. Words of several pieces are left out.

        Columns: `contrast`, `word`, `upos` (its most frequent part of speech), `count`, `documents`; in nats `joint`,
        `readout_K` (tower K alone) and `mean`, the preference, each a mean over occurrences and sets of readouts; and
        `under_SET`, the preference under one set. A single tower has rows without a preference.
        """
        from . import tables

        return tables.words(self.scores(), self.config.model.towers, self._sets)

    def documents(self) -> pd.DataFrame:
        """The held-out documents: one row each.

        Columns: `document` (its number, as in `scores()`), `name`, `tokens`; in nats per token `joint`, `readout_K`
        (tower K alone) and `preference` (with more than two towers `preference_K`), means over sets of readouts.
        """
        from ..data.heldout import PreparedText
        from . import tables

        scores = self.scores()
        self._folder.require("data")  # an export has scores, where it was asked for them, but no names of documents
        names = PreparedText(self.path).documents.set_index("document")["name"].astype(str).to_dict()
        return tables.documents(scores, names, self.config.model.towers, self._sets)

    @property
    def _sets(self) -> tuple[str, ...]:
        from ..preference.measured import SETS

        return SETS[: self.config.readout.replicates]

    @property
    def strangers(self) -> Run | None:
        """The run of its strangers, the same towers on the same batches without cooperation; None if it has none."""
        folder = self.path / pipeline.STRANGERS
        return Run(folder) if (folder / "config.yaml").is_file() else None

    def know(self, *instruments: str, overwrite: bool = False, quiet: bool = False, **settings: Any) -> list[str]:
        """Ask what each tower knows, as `twotower know` does, and bring results and report up to date.

        ```python
        import twotower

        run = twotower.Run.load("runs/demo")
        for sentence in run.know("similarity"):
            print(sentence)
        ```

        Args:
            instruments: their names, such as `lesions` or `similarity` (default: all that have what they need).
            overwrite: redo what was asked with other settings.
            quiet: draw no progress lines on standard error.
            settings: those of `know`, by name, such as `treebank="english.conllu"`.

        Returns what is known, a sentence each. Raises `InputError` for an unknown instrument, and for one that lacks a
        file that it needs.
        """
        from ..report.instruments import what_is_known

        with without_progress() if quiet else nullcontext():
            asking.know(self.path, settings, instruments, overwrite)
        return what_is_known(self.results().knowledge)

    def export(self, folder: Path | str, *, with_text: bool = False) -> Path:
        """Write the run into a folder to share: model, model card, results, tables, page and figures.

        `Run.load` and `load_model` read it back, and the hub takes it as a model. Held-out text goes along only
        `with_text`. Raises `InputError` if the run is not finished, or the folder holds anything.
        """
        from .export import export

        return export(self._folder, Path(folder), with_text)


def run(
    config: RunConfig | str | None = None,
    out: Path | str | None = None,
    *,
    stages: Iterable[str] = MAIN,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda _: None,
    quiet: bool = False,
) -> Run:
    """Run the stages that are not up to date, and return the run.

    ```python
    import twotower

    run = twotower.run("quickstart", out="runs/demo")
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
