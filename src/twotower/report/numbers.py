"""How numbers are written for people: a minus and not a hyphen, no sign before 0, an interval in brackets."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from ..statistics.intervals import Estimate, Interval


def fixed(value: float, digits: int = 2, signed: bool = False) -> str:
    """A number with so many digits behind the point; `signed` writes a plus as well."""
    text = f"{abs(value):.{digits}f}"
    if not float(text):
        return text
    return ("−" if value < 0 else "+" if signed else "") + text


def number(value: float | None, digits: int = 2) -> str:
    """A number for a table: a dash where there is none, one significant digit where it is too small."""
    if value is None or not isfinite(value):
        return "–"
    if not value or abs(value) >= 10**-digits:
        return fixed(value, digits)
    return f"{value:.1g}".replace("-", "−", 1) if value < 0 else f"{value:.1g}"


def figure(values: Interval | None, digits: int = 2) -> str:
    """An estimate with its interval, `0.71 [0.65, 0.76]`; `not available` where it cannot be had."""
    if values is None or not isfinite(values.estimate):
        return "not available"
    text = fixed(values.estimate, digits)
    if not isfinite(values.low):
        return text + " (no interval)"
    return f"{text} [{fixed(values.low, digits)}, {fixed(values.high, digits)}]"


def percent(values: Estimate, digits: int = 1) -> str:
    """A share in per cent with its interval, `41.4 % [32.4, 51.0]`."""
    estimate, low, high = (fixed(100 * end, digits) for end in (values.estimate, values.low, values.high))
    return f"{estimate} % [{low}, {high}]"


def p_value(value: float | None) -> str:
    """A p-value in two digits; a dash where there is none."""
    return "–" if value is None or not isfinite(value) else f"{value:.2g}"


def span(values: Sequence[float], digits: int = 2, percent: bool = False) -> str:
    """The smallest and the largest of several figures, or the one that both are."""
    ends = [fixed(100 * end, 0) if percent else fixed(end, digits) for end in (min(values), max(values))]
    return " to ".join(dict.fromkeys(ends)) + (" %" if percent else "")
