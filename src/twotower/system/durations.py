"""Durations as a person says them."""

from __future__ import annotations

MINUTE, HOUR, DAY, YEAR = 60, 3_600, 86_400, 31_557_600


def duration(seconds: float) -> str:
    """Two units at most: `8 s`, `12 min`, `3 h 20 min`, `5 days 3 h`, `250 days`, `12 years`."""
    if seconds < 1:
        return "under 1 s"
    if round(seconds) < MINUTE:
        return f"{seconds:.0f} s"
    minutes = round(seconds / MINUTE)
    if minutes < 60:
        return f"{minutes} min"
    hours = round(seconds / HOUR)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    if hours < 24 * 100:
        days, rest = divmod(hours, 24)
        return f"{days} day{'s' * (days > 1)}" + (f" {rest} h" if rest else "")
    return f"{seconds / DAY:,.0f} days" if seconds < 2 * YEAR else f"{seconds / YEAR:,.0f} years"
