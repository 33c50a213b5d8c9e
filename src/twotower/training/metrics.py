"""The training curves: `metrics.jsonl`, one object per line, and TensorBoard where it is installed."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from ..runs.writing import write_text


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
