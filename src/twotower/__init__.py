"""Train identical language models side by side on one objective and measure how they divide the work.

```python
import twotower

run = twotower.run("quickstart", out="runs/demo")
run.preference()
```

The public names are those of `__all__`; `docs/python.md` says what they promise. Everything is imported when it is
first used, so that `import twotower` costs next to nothing.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if sys.platform == "win32":
    raise ImportError("twotower runs on Linux and macOS; on Windows use the Windows Subsystem for Linux (WSL)")

if TYPE_CHECKING:
    from .api.checks import controls, rerun, verify
    from .api.comparisons import Comparison, compare, compare_diffs, study
    from .api.diffs import Diff, diff
    from .api.listing import list
    from .api.models import load_model
    from .api.runs import Run, run
    from .config.presets import PRESETS, preset
    from .config.schema import RunConfig
    from .system.errors import DiskError, DiskFullError, InputError, Interrupted

__version__ = "1.0.0"

# A module or package of the name of a function would hide it once it is imported: hence `studies`, not `study`.
_HOMES = {
    "run": "api.runs", "Run": "api.runs", "load_model": "api.models", "diff": "api.diffs", "Diff": "api.diffs",
    "study": "api.comparisons", "compare": "api.comparisons", "compare_diffs": "api.comparisons",
    "Comparison": "api.comparisons",
    "list": "api.listing", "verify": "api.checks", "rerun": "api.checks", "controls": "api.checks",
    "preset": "config.presets", "PRESETS": "config.presets", "RunConfig": "config.schema",
    "DiskError": "system.errors", "DiskFullError": "system.errors",
    "InputError": "system.errors", "Interrupted": "system.errors",
}  # fmt: skip

__all__ = [
    "PRESETS",
    "Comparison",
    "Diff",
    "DiskError",
    "DiskFullError",
    "InputError",
    "Interrupted",
    "Run",
    "RunConfig",
    "compare",
    "compare_diffs",
    "controls",
    "diff",
    "list",
    "load_model",
    "preset",
    "rerun",
    "run",
    "study",
    "verify",
]


def __dir__() -> tuple[str, ...]:
    return (*__all__, "__version__")


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
