"""What a training leaves in figures: `training.json`, and `metrics.jsonl`, an object a line, and TensorBoard."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from ..config.conversion import OMITTED
from ..runs.records import read_record
from ..runs.stages import STAGES
from ..runs.writing import write_text


@dataclass(frozen=True)
class Evaluation:
    """Figures on a fixed sample of the held-out text."""

    joint_nats: float
    tower_nats: list[float]


@dataclass(frozen=True)
class Trained:
    """What `training.json` says of a finished training."""

    steps: int
    tokens: int
    seconds: float
    tokens_per_second: float
    resumed: int
    """How often it was stopped and went on."""
    processes: int
    parameters: int
    objective: str
    while_training: Evaluation
    """The last evaluation."""
    seconds_at: dict[str, float]
    """Seconds until each evaluation, by the tokens trained on."""
    budget: dict[str, float] | None = field(default=None, metadata=OMITTED)
    """Of `train.minutes`: how many they are, the tokens per second that were timed, and the tokens."""


def read_trained(run: Path) -> Trained:
    """Of a run folder. Raises `InputError` if the file is damaged."""
    return read_record(Trained, run / "training.json", f"redo it with `{STAGES['train'].command(run)} --overwrite`")


class MetricsLog:
    """Appends to `folder/metrics.jsonl`; first deletes rows after `step`, written after the last checkpoint."""

    def __init__(self, folder: Path, step: int, enabled: bool = True) -> None:
        self._file = None
        self._board: Any = None
        if not enabled:
            return
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "metrics.jsonl"
        lines = []
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    if json.loads(line)["step"] <= step:
                        lines.append(line + "\n")
                except ValueError:
                    pass  # the last line of a process that was killed while it wrote
        write_text(path, "".join(lines))
        self._file = path.open("a", encoding="utf-8")
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return
        self._board = SummaryWriter(str(folder.parent / "tensorboard"), purge_step=step + 1)

    def write(self, step: int, kind: str, values: dict[str, Any]) -> None:
        """Append one row: the step, the kind of figures (`train` or `heldout`), and the figures."""
        if self._file is None:
            return
        self._file.write(json.dumps({"step": step, "kind": kind, **values}) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in values.items():
                for number, scalar in enumerate(value if isinstance(value, list) else [value], start=1):
                    suffix = f"_{number}" if isinstance(value, list) else ""
                    self._board.add_scalar(f"{kind}/{name}{suffix}", scalar, step)

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        if self._board is not None:
            self._board.close()
