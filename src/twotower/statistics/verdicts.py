"""From a figure, its null and its control to a verdict."""

from __future__ import annotations

from typing import Literal

import numpy as np

from .intervals import Estimate

Verdict = Literal["yes", "no", "undecided", "not measurable"]


def verdict(
    figure: Estimate | None,
    null: float | None = None,
    control: Estimate | None = None,
    converged: bool | None = None,
) -> Verdict:
    """Whether a figure shows something.

    - *not measurable*: there is no figure (`figure` is None or not finite).
    - *yes*: its interval lies above 0, that of its difference from the `control` (such as strangers) does, too, and it
      exceeds its `null` (the upper end of what chance gives; None: 0).
    - *no*: it does not exceed its null, or not the control's figure.
    - *undecided*: it exceeds them, but an interval includes 0; or the readouts have not `converged` (None: that was not
      asked). More text or longer readouts may decide it.

    The interval of the difference is made of both intervals (MOVER: Zou and Donner 2008, Statistics in Medicine 27,
    equation 2), as if they were independent; documents that both have in common make it too wide.
    """
    if figure is None or not np.isfinite([figure.estimate, figure.low, figure.high]).all():
        return "not measurable"
    floor = max(0.0, null if null is not None else 0.0)
    if control is not None and not np.isfinite([control.estimate, control.high]).all():
        control = None
    if converged is False:
        return "undecided"
    if figure.estimate <= floor or (control is not None and figure.estimate <= control.estimate):
        return "no"
    apart = np.inf if control is None else low_of_difference(figure, control)
    return "yes" if min(figure.low, apart) > 0 else "undecided"


def low_of_difference(figure: Estimate, control: Estimate) -> float:
    """The lower end of the interval of a figure less its control (see `verdict`)."""
    reach = np.hypot(figure.estimate - figure.low, control.high - control.estimate)
    return figure.estimate - control.estimate - float(reach)
