"""Comparisons in which runs are the unit: pairs against strangers, dose and response, and many tests at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product
from math import factorial, prod

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..statistics.tallies import Floats

ORDERS = 9_999
"""Permutations of runs that are looked at, at most. No setting: there are seldom more, so that most tests are exact,
and a p-value must be able to be so small that it counts among all those of a study (see `discoveries`)."""


Test = tuple[str, str, float | None]
"""Family, name and p-value."""


@dataclass(frozen=True)
class Excess:
    """By how much a figure of cooperating pairs exceeds that of strangers."""

    estimate: float
    """Difference of means."""
    pairs: int
    """Runs that cooperate."""
    strangers: int
    """Runs that do not."""
    low: float = np.nan
    """Welch's interval (1947); NaN with fewer than two of either."""
    high: float = np.nan
    hedges_g: float | None = None
    """Hedges' g (1981); None with fewer than two of either."""
    p_value: float | None = None
    """One-sided, from the permutation of which run is which; None with fewer than two of either."""


@dataclass(frozen=True)
class Trend:
    """Whether a figure follows a setting over runs; None for fewer than four runs, or where either never changes."""

    tau: float | None = None
    """Kendall's tau-b (1945)."""
    p_value: float | None = None


@dataclass(frozen=True)
class Discovery:
    """A test of a study, and its q-value."""

    family: str
    name: str
    p_value: float
    q_value: float
    """The p-value adjusted for the false-discovery rate within its family."""


def excess(pairs: Sequence[float], strangers: Sequence[float], confidence: float) -> Excess:
    """By how much a figure of cooperating pairs exceeds that of strangers, with runs as the unit.

    The permutation is exact for the numbers of runs that a study has.
    """
    difference = float(np.mean(pairs) - np.mean(strangers))
    freedom = len(pairs) + len(strangers) - 2
    pooled = np.sqrt(
        ((len(pairs) - 1) * np.var(pairs, ddof=1) + (len(strangers) - 1) * np.var(strangers, ddof=1)) / freedom
        if min(len(pairs), len(strangers)) > 1
        else np.nan
    )
    if not pooled > 0:
        return Excess(difference, len(pairs), len(strangers))
    interval = stats.ttest_ind(pairs, strangers, equal_var=False).confidence_interval(confidence)
    test = stats.permutation_test(
        (pairs, strangers), lambda a, b: np.mean(a) - np.mean(b), alternative="greater", n_resamples=ORDERS,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    return Excess(
        difference, len(pairs), len(strangers), float(interval.low), float(interval.high),
        hedges_g=float(difference / pooled * (1 - 3 / (4 * freedom - 1))), p_value=float(test.pvalue),
    )  # fmt: skip


def dose_response(doses: Sequence[float], responses: Sequence[float], seeds: Sequence[int] | None = None) -> Trend:
    """Kendall's tau-b (1945) between a setting and a figure over runs, with its two-sided permutation p-value.

    The p-value is the share of the orders of the doses in which the concordant pairs of runs differ from the discordant
    ones by at least as much as they do. Runs of one dose are always tied, so few orders are distinct, and the normal
    approximation calls too many of them rare. Where at most 9,999 orders are distinct, all of them are counted and the
    p-value is exact. Otherwise 9,999 are drawn, with the same seed every time, and the observed order is added to them
    (Phipson and Smyth 2010: without it a p-value could be 0, and the test would pass too often).

    If every dose has the same of the `seeds`, doses change places only among the runs of one seed: these share initial
    weights and the order of the text, so without an effect they are exchangeable with each other, and not with the runs
    of other seeds (blocks, Good 2005). If not, or if `seeds` is None, doses change places among all runs. So the
    smallest p-value of two doses with n seeds is 2 over 2 to the n: with three seeds 0.25, with six 0.03.

    Both are None for fewer than four runs, or where either never changes.
    """
    if len(doses) < 4 or len(set(doses)) < 2 or len(set(responses)) < 2:
        return Trend()
    ranks = np.unique(np.asarray(doses), return_inverse=True)[1].astype(np.float64)
    figures = np.asarray(responses, dtype=np.float64)
    blocks = _blocks(doses, seeds)
    can_list_all = prod(_number_of_orders(ranks[mine]) for mine in blocks) <= ORDERS
    orders = _all_orders(ranks, blocks) if can_list_all else _drawn_orders(ranks, blocks)
    extreme = int((np.abs(_balance(orders, figures)) >= np.abs(_balance(ranks[None], figures))).sum())
    return Trend(
        tau=float(stats.kendalltau(doses, responses).statistic),
        p_value=extreme / len(orders) if can_list_all else (1 + extreme) / (1 + len(orders)),
    )


def _blocks(doses: Sequence[float], seeds: Sequence[int] | None) -> list[NDArray[np.int64]]:
    """The runs, by number, among which doses change places: those of each seed if all doses have the same, else all."""
    of_dose: dict[float, list[int]] = {}
    for dose, seed in zip(doses, [0] * len(doses) if seeds is None else seeds, strict=True):
        of_dose.setdefault(dose, []).append(seed)
    if seeds is None or len({tuple(sorted(seeds_of_dose)) for seeds_of_dose in of_dose.values()}) > 1:
        return [np.arange(len(doses))]
    return [np.flatnonzero(np.asarray(seeds) == seed) for seed in dict.fromkeys(seeds)]


def _number_of_orders(values: Floats) -> int:
    """How many distinct orders the values have, some of which may be the same."""
    return factorial(len(values)) // prod(factorial(int(count)) for count in np.unique(values, return_counts=True)[1])


def _all_orders(values: Floats, blocks: Sequence[NDArray[np.int64]]) -> Floats:
    """Every distinct order of the values (runs,) within blocks, (orders, runs)."""
    places = np.concatenate(blocks)
    combined = product(*(list(_distinct(values[mine].tolist())) for mine in blocks))
    orders = np.array([list(chain.from_iterable(by_block)) for by_block in combined])
    by_run: Floats = orders[:, np.argsort(places)]
    return by_run


def _distinct(values: list[float]) -> Iterator[list[float]]:
    if not values:
        yield []
    for first in sorted(set(values)):
        others = values.copy()
        others.remove(first)
        for order in _distinct(others):
            yield [first, *order]


def _drawn_orders(values: Floats, blocks: Sequence[NDArray[np.int64]]) -> Floats:
    """As many random orders of the values (runs,) within blocks as are looked at, (orders, runs)."""
    generator = np.random.default_rng(0)
    orders: Floats = np.tile(values, (ORDERS, 1))
    for mine in blocks:
        orders[:, mine] = generator.permuted(orders[:, mine], axis=1)
    return orders


def _balance(orders: Floats, responses: Floats) -> Floats:
    """Concordant less discordant pairs of runs under each order of the doses (orders, runs), (orders,).

    It is tau-b but for a factor that no order changes, and a whole number, so that ties with it are exact.
    """
    signs = np.sign(responses - responses[:, None])
    balance = np.zeros(len(orders))
    for dose in np.unique(orders):  # all pairs at once would take gigabytes for hundreds of runs
        balance += (np.sign(orders - dose) * ((orders == dose).astype(np.float64) @ signs)).sum(axis=1) / 2
    return balance


def discoveries(tests: Iterable[Test]) -> list[Discovery]:
    """The tests with their q-values.

    The q-value is the p-value adjusted for the false-discovery rate within its family (Benjamini and Hochberg 1995):
    of the tests of a family with q-values up to 0.05, 5 % are expected to be false. Tests without a p-value are left
    out.
    """
    known = [(family, name, p) for family, name, p in tests if p is not None and np.isfinite(p)]
    q_values = np.empty(len(known))
    for family in {family for family, _, _ in known}:
        members = [number for number, test in enumerate(known) if test[0] == family]
        q_values[members] = stats.false_discovery_control([known[number][2] for number in members], method="bh")
    return [Discovery(*test, q) for test, q in zip(known, q_values.tolist(), strict=True)]
