"""The types of some of the held-out documents, as `preference.parquet` has them for all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..preference.types import types_table
from ..system.errors import InputError
from .explored import ExploredRun
from .plain import columns


def types_in(run: ExploredRun, documents: NDArray[np.bool_]) -> dict[str, Any]:
    """`ExploredRun.types_table` for the documents of a mask, (documents,). Raises `InputError` if there are none."""
    if not documents.any():
        raise InputError("no held-out document passes the filter: loosen it")
    occurrences = np.repeat(documents, np.diff(run.bounds))
    scores = run.run.scores()[occurrences].reset_index(drop=True)
    return columns(types_table(replace(run.source.measured(), scores=scores)))
