"""Studies: the runs of a grid, made here or on a cluster as far as they are missing, and what they say together."""

from __future__ import annotations

from .comparing import are_diffs, compare_folders, compare_folders_of_diffs, describe
from .estimates import estimate_seconds
from .local import run_study

__all__ = [
    "are_diffs", "compare_folders", "compare_folders_of_diffs", "describe", "estimate_seconds", "run_study",
]  # fmt: skip
