"""The ratio of two differences, with an interval that says when there is none."""

from __future__ import annotations

from .intervals import Estimate, errors_to_each_side


def variance_of(estimate: Estimate, confidence: float) -> float:
    """The sampling variance that an interval of this confidence was made from, if estimates are normal."""
    return float(((estimate.high - estimate.low) / 2 / errors_to_each_side(confidence)) ** 2)


def share_between(figure: Estimate, nothing: Estimate, whole: Estimate, confidence: float) -> Estimate | None:
    """Where a figure lies between that of `nothing` (0) and that of the `whole` (1), by Fieller's interval (1954).

    The three are taken to be independent of each other; figures of one text share its documents, which makes the
    interval wider than it need be. None where `whole` minus `nothing` does not exclude 0: there is no scale then.
    """
    of_figure, of_nothing, of_whole = (variance_of(estimate, confidence) for estimate in (figure, nothing, whole))
    above, length = figure.estimate - nothing.estimate, whole.estimate - nothing.estimate
    square = errors_to_each_side(confidence) ** 2
    leading = length**2 - square * (of_whole + of_nothing)
    if not leading > 0 or length <= 0:
        return None
    half = above * length - square * of_nothing
    constant = above**2 - square * (of_figure + of_nothing)
    root = max(0.0, half**2 - leading * constant) ** 0.5
    return Estimate(above / length, (half - root) / leading, (half + root) / leading)
