"""From a figure, its null and its control to a verdict."""

from __future__ import annotations

from typing import Literal

import numpy as np

from .intervals import Estimate

Verdict = Literal["yes", "no", "undecided", "not measurable"]


def verdict(
    figure: Estimate | None,
    null: float | None = None,
    strangers: Estimate | None = None,
    converged: bool | None = None,
) -> Verdict:
    """Whether a figure shows something.

    - *not measurable*: there is no figure (`figure` is None or not finite).
    - *yes*: its interval lies above 0 and above what the `strangers` have, and it exceeds its `null` (the upper
      end of what chance gives; None: 0).
    - *no*: it does not exceed its null, or not the strangers' figure.
    - *undecided*: it exceeds them, but its interval does not exclude them; or the readouts have not `converged` (None:
      that was not asked). More text or longer readouts may decide it.
    """
    if figure is None or not np.isfinite([figure.estimate, figure.low, figure.high]).all():
        return "not measurable"
    floor = max(0.0, null if null is not None else 0.0)
    theirs = strangers.estimate if strangers is not None and np.isfinite(strangers.estimate) else -np.inf
    if converged is False:
        return "undecided"
    if figure.estimate <= max(floor, theirs):
        return "no"
    return "yes" if figure.low > max(0.0, theirs) else "undecided"
