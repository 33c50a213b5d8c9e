"""The range of a number beside its field: `Annotated[int, Range(1)]`."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from dataclasses import dataclass
from typing import Any, cast

MOST = 10**15
"""Of any number: beyond it, sums of whole numbers are not exact."""


@dataclass(frozen=True)
class Range:
    """The numbers that a setting can be; of a setting of several numbers, each of them. None but finite ones."""

    least: float = 0
    most: float = MOST
    above: float | None = None
    """Instead of `least`: it must be more than this."""
    below: float | None = None
    """It must also be less than this."""
    zero: str = ""
    """What 0 stands for, where that is not a quantity."""

    def holds(self, value: float) -> bool:
        """Whether a number lies in the range."""
        return (
            math.isfinite(value)
            and (value >= self.least if self.above is None else value > self.above)
            and (self.below is None or value < self.below)
            and value <= self.most
        )

    def __str__(self) -> str:
        """As an error says it."""
        bounded = f", less than {self.below:g}" if self.below is not None else ""
        if self.above is not None:
            low = f"more than {self.above:g}"
            return low + (f", at most {_whole(self.most)}" if self.most != MOST else bounded)
        low = f"{self.least:g}" + (f" ({self.zero})" if self.zero else "")
        return f"{low} to {_whole(self.most)}" if self.most != MOST else f"{low} or more{bounded}"


def ranges_of(kind: type) -> dict[str, Range]:
    """From the dotted name of each number of a dataclass, and of those inside it, to its range.

    A number is a field of `int` or `float`, one that can be None, or a tuple of them. Raises `TypeError`
    for one without.
    """
    ranges: dict[str, Range] = {}
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        metadata = getattr(hint, "__metadata__", ())
        plain = typing.get_args(hint)[0] if metadata else hint
        if dataclasses.is_dataclass(plain):
            ranges |= {f"{name}.{inner}": held for inner, held in ranges_of(cast(type, plain)).items()}
        elif _is_number(plain):
            beside = [item for item in metadata if isinstance(item, Range)]
            if len(beside) != 1:
                raise TypeError(f"{kind.__name__}.{name}: a number needs its range: Annotated[int, Range(…)]")
            ranges[name] = beside[0]
    return ranges


def _is_number(hint: Any) -> bool:
    if typing.get_origin(hint) in (typing.Union, types.UnionType, tuple):
        return any(_is_number(inner) for inner in typing.get_args(hint))
    return hint in (int, float)


def _whole(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:g}"
