"""Studies: the runs of a grid, made here or on a cluster as far as they are missing, and what they say together."""

from __future__ import annotations

from .comparing import compare_folders, describe
from .estimates import estimate_seconds
from .local import run_study

__all__ = ["compare_folders", "describe", "estimate_seconds", "run_study"]
