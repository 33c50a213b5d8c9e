"""The stages of `twotower know`: one instrument each."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from ..config.conversion import as_json
from ..runs.views import StageConfig
from .subject import Subject

HOMES = {
    "pairs": ".pairs.pairs",
    "probe": ".syntax.probe",
    "decoding": ".syntax.decoding",
    "perturbed_masking": ".syntax.perturbed_masking",
    "words": ".words.words",
    "lesions": ".lesions.lesions",
}
"""The module of each instrument that is not at the top of this package under its own name."""


def ask(name: str, config: StageConfig, run: Path, out: Path) -> None:
    """Examine the run with the instrument `name`; write `knowledge/NAME/results.json`, and its tables beside it.

    An instrument is the function of its name in the module of its name, or in that of `HOMES`: only the one that is
    asked for is imported.
    """
    folder = out / "knowledge" / name
    folder.mkdir(parents=True)
    module = import_module(HOMES.get(name, f".{name}"), __package__)
    instrument = cast(Callable[[Subject], Any], getattr(module, name))
    figures = instrument(Subject(config, run, folder, config.made))
    (folder / "results.json").write_text(as_json(figures), encoding="utf-8")
