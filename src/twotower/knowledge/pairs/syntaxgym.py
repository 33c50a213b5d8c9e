"""Suites of SyntaxGym (Gauthier et al. 2020): items with conditions, and predictions about surprisal by region."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from ...data.textfiles import decode
from ...system.errors import InputError

TOKEN = re.compile(r"\s*(?:\(\s*(\d+|\*)\s*;\s*%([^%]+)%\s*\)|(\d+(?:\.\d+)?)|([-+<>=&|()\[\]!]))")
Surprisals = dict[tuple[str, int], float]
"""Surprisal in nats by condition and region."""
Value = Callable[[Surprisals], Any]


@dataclass(frozen=True)
class Condition:
    """One sentence of an item."""

    item: int
    name: str
    regions: tuple[str, ...]
    """The texts of its regions, in order; an empty one has no surprisal."""
    numbers: tuple[int, ...]
    """The numbers of the regions."""

    @property
    def text(self) -> str:
        """The sentence."""
        return " ".join(region for region in self.regions if region)

    @property
    def ends(self) -> tuple[list[int], list[int]]:
        """The numbers of the regions that have text, and where each of them ends in `text`."""
        filled = [(number, region) for number, region in zip(self.numbers, self.regions, strict=True) if region]
        lengths = accumulate(len(region) + 1 for _, region in filled)
        return [number for number, _ in filled], [end - 1 for end in lengths]


@dataclass(frozen=True)
class Suite:
    """A suite: its sentences and the formulas that hold of them if the model knows the construction."""

    name: str
    path: str
    conditions: tuple[Condition, ...]
    formulas: tuple[str, ...]


def read_suite(path: Path) -> Suite:
    """A suite as SyntaxGym hands it on. Raises `InputError` with the file and the key that is not as expected."""
    try:
        loaded = json.loads(decode(path, "utf-8"))
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not JSON ({error}); give a suite of SyntaxGym") from None
    try:
        conditions = tuple(
            Condition(
                int(item["item_number"]),
                str(condition["condition_name"]),
                tuple(_content(region) for region in condition["regions"]),
                tuple(int(region["region_number"]) for region in condition["regions"]),
            )
            for item in loaded["items"]
            for condition in item["conditions"]
        )
        formulas = tuple(str(prediction["formula"]) for prediction in loaded["predictions"])
        name = str(loaded["meta"]["name"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: {error} is missing or not as expected; a suite of SyntaxGym has meta.name, predictions[].formula "
            "and items[].conditions[].regions[]"
        ) from None
    if not conditions or not formulas:
        raise InputError(f"{path}: the suite has no items, or no predictions")
    suite = Suite(name, str(path), conditions, formulas)
    known: dict[int, set[tuple[str, int]]] = {}
    for condition in conditions:
        known.setdefault(condition.item, set()).update((condition.name, number) for number in (0, *condition.numbers))
    for formula in formulas:
        try:
            value = parse(formula)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        for item, regions in known.items():
            try:
                value(dict.fromkeys(regions, 0.0))
            except KeyError as error:
                raise InputError(
                    f"{path}: the formula {formula!r} speaks of {error.args[0]}, which item {item} does not have"
                ) from None
    return suite


def _content(region: Any) -> str:
    """The text of a region; half a surrogate pair, which no tokenizer takes, becomes U+FFFD."""
    return str(region["content"]).strip().encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def parse(formula: str) -> Value:
    """A formula such as `(6;%match%) < (6;%mismatch%)` as a function of surprisals, region `*` being all of them.

    Comparisons bind less than sums; `&` and `|` less than comparisons. Raises `InputError` for anything else.
    """
    tokens: list[tuple[str, Any]] = []
    place = 0
    while formula[place:].strip():
        match = TOKEN.match(formula, place)
        if not match:
            raise InputError(f"the formula {formula!r} cannot be read at {formula[place : place + 20]!r}")
        region, condition, number, sign = match.groups()
        if condition is not None:
            tokens.append(("region", (condition, 0 if region == "*" else int(region))))
        elif number is not None:
            tokens.append(("number", float(number)))
        else:
            tokens.append((sign, None))
        place = match.end()
    value, rest = _either(tokens, formula)
    if rest:
        raise InputError(f"the formula {formula!r} cannot be read at {rest[0][0]!r}")
    return value


Tokens = list[tuple[str, Any]]
SIGNS: list[dict[str, Callable[[Any, Any], Any]]] = [
    {"&": lambda a, b: bool(a) and bool(b), "|": lambda a, b: bool(a) or bool(b)},
    {"<": operator.lt, ">": operator.gt, "=": operator.eq},
    {"+": operator.add, "-": operator.sub},
]
"""From what binds least to what binds most."""


def _either(tokens: Tokens, formula: str, level: int = 0) -> tuple[Value, Tokens]:
    if level == len(SIGNS):
        return _atom(tokens, formula)
    left, rest = _either(tokens, formula, level + 1)
    while rest and rest[0][0] in SIGNS[level]:
        apply = SIGNS[level][rest[0][0]]
        right, rest = _either(rest[1:], formula, level + 1)
        left = _applied(apply, left, right)
    return left, rest


def _applied(apply: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    return lambda surprisals: apply(left(surprisals), right(surprisals))


def _atom(tokens: Tokens, formula: str) -> tuple[Value, Tokens]:
    if not tokens:
        raise InputError(f"the formula {formula!r} ends too soon")
    kind, content = tokens[0]
    if kind == "region":
        return (lambda surprisals: surprisals[content]), tokens[1:]
    if kind == "number":
        return (lambda _: content), tokens[1:]
    closing = {"(": ")", "[": "]"}.get(kind)
    if closing:
        inner, rest = _either(tokens[1:], formula)
        if not rest or rest[0][0] != closing:
            raise InputError(f"the formula {formula!r} lacks a {closing!r}")
        return inner, rest[1:]
    raise InputError(f"the formula {formula!r} cannot be read at {kind!r}")
