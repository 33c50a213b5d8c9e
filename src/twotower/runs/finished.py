"""A run, read back from its folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.schema import RunConfig
from ..system.errors import InputError
from .exported import is_exported, require_exported
from .records import Records, damage_error, inputs_of, is_current, is_damaged, load_config, read_records
from .stages import producer_of, stages_of

if TYPE_CHECKING:
    import pandas as pd


def require_towers(config: RunConfig, run: Path) -> None:
    """Raise `InputError` for a comparison of models."""
    if config.diff.models:
        raise InputError(
            f"{run}: a comparison of models, which has no towers; read it with twotower show, explore or compare, or "
            "twotower.Diff in Python"
        )


@dataclass
class _Checked:
    """The records of a run, and the artifacts that were found to be as they say."""

    records: Records
    artifacts: set[str] = field(default_factory=set)


class RunFolder:
    """A run folder, finished or in the making: its settings, and its artifacts, checked.

    What shows a run, or compares it with others, holds one. Raises `InputError` if there is no run in the folder.
    """

    def __init__(self, path: Path | str, once: bool = False) -> None:
        """Open a folder; `once`: check each artifact once, however often it is asked for.

        That is for a command that reads a folder and is done with it: what is damaged later goes unseen.
        """
        self.path = Path(path)
        load_config(self.path)
        self._known = _Checked(read_records(self.path)) if once else None

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

    def pieces(self) -> list[str]:
        """What the types of a comparison of models are called, by their id."""
        import pandas as pd

        pieces: list[str] = pd.read_parquet(self.require("vocabulary.parquet"))["piece"].tolist()
        return pieces

    @property
    def records(self) -> Records:
        """What `stages.json` says of each finished stage, by name."""
        return self._known.records if self._known else read_records(self.path)

    def require(self, artifact: str) -> Path:
        """The path of an artifact that is up to date and whole, as is what it was made from.

        Raises `InputError`, with the remedy, if it does not exist yet, if a stage that it depends on was redone, or if
        it is damaged (see `is_damaged`).
        """
        if is_exported(self.path):
            return require_exported(self.path, artifact)
        return self._require(artifact, self._known or _Checked(read_records(self.path)))

    def _require(self, artifact: str, known: _Checked) -> Path:
        path, stages = self.path / artifact, stages_of(self.config)
        if artifact in known.artifacts:
            return path
        if not any(artifact in stage.outputs for stage in stages.values()):
            raise InputError(f"{self.path}: a comparison of models has no {artifact}; give a run of towers")
        stage = producer_of(artifact, stages)
        remedy = f"`{stage.command(self.path)}`"
        if not path.exists():
            if not all((self.path / name).exists() for name in stage.inputs):
                remedy = f"`twotower run --out {self.path}`, which goes on from the last finished stage"
            raise InputError(f"{path} does not exist yet; make it with {remedy}")
        if not is_current(self.path, self.config, stage.name, known.records):
            record = known.records.get(stage.name)
            other = record is not None and record.format != stage.format
            gone = next((name for name in stage.outputs if not (self.path / name).exists()), None)
            why = "another version of twotower made it" if other else (
                f"{gone}, which stage {stage.name} made with it, is missing" if gone
                else f"what stage {stage.name} reads was made again"
            )  # fmt: skip
            raise InputError(f"{path} is out of date: {why}; redo it with {remedy}")
        if is_damaged(path, known.records[stage.name].outputs[artifact]):
            raise damage_error(self.path, stage.name, artifact)
        known.artifacts.add(artifact)
        for name in inputs_of(self.path, self.config, stage, known.records):
            self._require(name, known)
        return path

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"
