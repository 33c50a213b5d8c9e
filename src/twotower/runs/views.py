"""The configuration as a stage may read it: a setting that its `Stage` does not declare raises.

So no stage can write what depends on a setting whose change does not redo it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from ..config.schema import RunConfig
from .stages import Stage, declares


class UndeclaredError(RuntimeError):
    """A stage reads a setting that its `Stage` does not declare: a bug of the stage."""


if TYPE_CHECKING:

    class StageConfig(RunConfig):
        """A `RunConfig` of which a stage can read what it declares."""

        made: frozenset[str]
        """Of what the stage reads where it has been made, that which is up to date."""
else:

    class StageConfig:
        """See above. Sections of it are of this class, too."""

        def __init__(self, values: Any, stage: Stage, made: frozenset[str], place: str = "") -> None:
            vars(self).update(_values=values, _stage=stage, _place=place, made=made)

        def __getattr__(self, name: str) -> Any:
            place, value = f"{self._place}{name}", getattr(self._values, name)
            if dataclasses.is_dataclass(value):
                return StageConfig(value, self._stage, self.made, f"{place}.")
            if not declares(self._stage, place):
                raise UndeclaredError(f"stage {self._stage.name} reads {place}, which its `Stage` does not declare")
            return value

        def __setattr__(self, name: str, value: Any) -> NoReturn:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

        def __reduce__(self) -> Any:
            return StageConfig, (self._values, self._stage, self.made, self._place)


StageFunction = Callable[[StageConfig, Path, Path], None]
"""From the configuration, the run folder and the folder for its outputs."""


def view_of(config: RunConfig, stage: Stage, made: Iterable[str] = ()) -> StageConfig:
    """The configuration as `stage` may read it; `made` are the artifacts of `stage.optional` that are up to date."""
    return cast(StageConfig, cast(Any, StageConfig)(config, stage, frozenset(made)))
