"""Comparisons in which runs are the unit: pairs against strangers, dose and response, and many tests at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy import stats


def excess(pairs: Sequence[float], strangers: Sequence[float], confidence: float) -> dict[str, Any]:
    """By how much a figure of cooperating pairs exceeds that of strangers, with runs as the unit.

    Returns the difference of means with Welch's interval (1947), Hedges' g (1981), and a one-sided p-value from the
    permutation of which run is which, exact for the numbers of runs that a study has. Interval, g and p-value are null
    with fewer than two of either.
    """
    difference = float(np.mean(pairs) - np.mean(strangers))
    found: dict[str, Any] = {
        "estimate": difference, "pairs": len(pairs), "strangers": len(strangers),
        **dict.fromkeys(("low", "high", "hedges_g", "p_value")),
    }  # fmt: skip
    freedom = len(pairs) + len(strangers) - 2
    pooled = np.sqrt(
        ((len(pairs) - 1) * np.var(pairs, ddof=1) + (len(strangers) - 1) * np.var(strangers, ddof=1)) / freedom
        if min(len(pairs), len(strangers)) > 1
        else np.nan
    )
    if not pooled > 0:
        return found
    interval = stats.ttest_ind(pairs, strangers, equal_var=False).confidence_interval(confidence)
    test = stats.permutation_test(
        (pairs, strangers), lambda a, b: np.mean(a) - np.mean(b), alternative="greater", n_resamples=9_999,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    return found | {
        "low": float(interval.low), "high": float(interval.high),
        "hedges_g": float(difference / pooled * (1 - 3 / (4 * freedom - 1))), "p_value": float(test.pvalue),
    }  # fmt: skip


def dose_response(doses: Sequence[float], responses: Sequence[float]) -> dict[str, Any]:
    """Kendall's tau-b (1945) between a setting and a figure over runs, with its two-sided p-value.

    Both are null for fewer than four runs, or where either never changes.
    """
    if len(doses) < 4 or len(set(doses)) < 2 or len(set(responses)) < 2:
        return {"tau": None, "p_value": None}
    result = stats.kendalltau(doses, responses)
    return {"tau": float(result.statistic), "p_value": float(result.pvalue)}


def discoveries(tests: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tests, each with `family`, `name` and `p_value`, and to each its `q_value`.

    The q-value is the p-value adjusted for the false-discovery rate within its family (Benjamini and Hochberg 1995):
    of the tests of a family with q-values up to 0.05, 5 % are expected to be false. Tests without a p-value are left
    out.
    """
    found = [dict(test) for test in tests if test["p_value"] is not None and np.isfinite(test["p_value"])]
    for family in {test["family"] for test in found}:
        members = [test for test in found if test["family"] == family]
        adjusted = stats.false_discovery_control([test["p_value"] for test in members], method="bh")
        for test, q_value in zip(members, adjusted, strict=True):
            test["q_value"] = float(q_value)
    return found
