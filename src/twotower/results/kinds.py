"""The results of a run folder, whichever kind of run it holds."""

from __future__ import annotations

from ..runs.finished import RunFolder
from .diff_results import DiffResults, read_diff_results
from .results import Results, read_results


def read_any_results(run: RunFolder) -> Results | DiffResults:
    """The record of towers, or of a comparison of models. Raises `InputError` as they do."""
    return read_diff_results(run) if run.config.diff.models else read_results(run)
