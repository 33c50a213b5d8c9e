"""Strangers matched in perplexity: as good alone as the members of a pair are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .inference import excess

CLOSEST = 0.1
"""Nats per token within which a stranger counts as matched."""


def matched_excess(
    pairs: Sequence[Sequence[dict[str, Any]]], strangers: Sequence[Sequence[dict[str, Any]]], confidence: float
) -> dict[str, Any] | None:
    """By how much the reliability of pairs exceeds that of strangers whose towers are equally good alone.

    A tower of a pair is worse alone than a stranger trained as long, and a worse model may differ more from another. So
    a pair's last evaluation is set against that evaluation of each stranger at which its towers' mean nats are nearest
    to the mean of the pairs'. Both are read by watching readouts on the same sample.

    Args:
        pairs, strangers: for each run its evaluations (see `preference.emergence`).
        confidence: of the interval over runs.

    Returns what `excess` does, and `nats` of the `pairs` and of the `strangers` where they were matched, with the
    largest `gap`; None without evaluations, or if a stranger is never within 0.1 nats.
    """

    def nats(evaluation: dict[str, Any]) -> float:
        return float(np.mean(evaluation["tower_nats"]))

    last = [run[-1] for run in pairs if run and run[-1]["reliability"]["estimate"] is not None]
    known = [[one for one in run if one["reliability"]["estimate"] is not None] for run in strangers]
    if not last or not known or not all(known):
        return None
    aim = float(np.mean([nats(one) for one in last]))
    nearest = [min(run, key=lambda one: abs(nats(one) - aim)) for run in known]
    gap = max(abs(nats(one) - aim) for one in nearest)
    if gap > CLOSEST:
        return None
    figures = [[one["reliability"]["estimate"] for one in some] for some in (last, nearest)]
    found = excess(figures[0], figures[1], confidence)
    return {**found, "nats": {"pairs": aim, "strangers": float(np.mean([nats(one) for one in nearest]))}, "gap": gap}
