"""Train identical language models side by side on one objective and measure how they divide the work.

    import twotower
    run = twotower.run(twotower.preset("quickstart"), out="runs/first")
    run.preference()

Everything is imported when it is first used, so that `import twotower` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import RunConfig
    from .errors import DiskFullError, InputError, Interrupted
    from .finished import Run
    from .pipeline import run
    from .presets import PRESETS, preset

__version__ = "0.1.0"

_HOMES = {
    "PRESETS": "presets", "RunConfig": "config", "preset": "presets",
    "DiskFullError": "errors", "InputError": "errors", "Interrupted": "errors",
    "Run": "finished", "run": "pipeline",
}  # fmt: skip

__all__ = ["PRESETS", "DiskFullError", "InputError", "Interrupted", "Run", "RunConfig", "preset", "run"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _register() -> None:
    from .registration import register_with_transformers

    register_with_transformers()


_register()
