"""One converter: plain values, as JSON, YAML, people and Python give them, to what a type hint says, and back."""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from ..system.errors import InputError
from ..system.spelling import did_you_mean
from .numerals import whole_number

T = TypeVar("T")
KEY = "key"
OMITTED = {"omitted": True}
"""Metadata of a field of a record that is left out of JSON where it is None."""
INLINED = {"inlined": True}
"""Metadata of a field of a record, itself a record or a dictionary, whose keys stand beside the others in JSON."""


class Partial:
    """A record that has some keys of what it is read from, and leaves the others out."""


def keyed(key: str) -> dict[str, str]:
    """Metadata of a field of a record whose key in JSON is no name of Python's."""
    return {KEY: key}


def key_of(field: dataclasses.Field[Any]) -> str:
    """The key of a field in JSON."""
    return str(field.metadata.get(KEY, field.name))


@cache
def hints_of(kind: type) -> dict[str, Any]:
    """From the name of each field of a dataclass to its type."""
    return typing.get_type_hints(kind)


def plain(value: Any) -> Any:
    """A record as plain data for JSON: a figure that cannot be computed, NaN, is null there."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        plain_record: dict[str, Any] = {}
        for field in dataclasses.fields(value):
            inner = getattr(value, field.name)
            if "inlined" in field.metadata:
                plain_record |= plain(inner)
            elif inner is not None or "omitted" not in field.metadata:
                plain_record[key_of(field)] = plain(inner)
        return plain_record
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def as_json(value: Any, indent: int = 2) -> str:
    """The text of a JSON file that holds a record."""
    return json.dumps(plain(value), indent=indent, allow_nan=False) + "\n"


def record_from(kind: type[T], values: Any, source: str) -> T:
    """The inverse of `plain`: a dataclass from what JSON has of it; null for a number is NaN.

    Raises `InputError` naming `source` and the key that is missing, unknown or of a wrong type.
    """
    return typing.cast(T, converted(values, kind, source, nan=True))


def converted(value: Any, hint: Any, name: str, nan: bool = False) -> Any:
    """The value as its type wants it; `nan`: None may stand for a number that cannot be computed.

    Raises `InputError` that begins with `name` where it cannot be had.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin is typing.Union or origin is types.UnionType:
        if value is None and type(None) in arguments:
            return None
        options = [option for option in arguments if option is not type(None)]
        return converted(value, _option(value, options), name, nan)
    if dataclasses.is_dataclass(hint):
        return _record(typing.cast(type, hint), value, name, nan)
    if origin is typing.Literal:
        return _literal(value, arguments, name)
    if origin is tuple:
        values = list(value) if isinstance(value, (list, tuple)) else [value]
        kinds = [arguments[0]] * len(values) if arguments[-1] is Ellipsis else list(arguments)
        if len(values) != len(kinds):
            raise InputError(f"{name}: expected {len(kinds)} values, found {len(values)}")
        return tuple(converted(inner, kind, name, nan) for inner, kind in zip(values, kinds, strict=True))
    if origin is list:
        if not isinstance(value, list):
            raise InputError(f"{name}: expected a list, found {value!r:.80}")
        return [converted(inner, arguments[0], f"{name}[{place}]", nan) for place, inner in enumerate(value)]
    if origin is dict:
        if not isinstance(value, Mapping):
            raise InputError(f"{name}: expected an object, found {value!r:.80}")
        return {str(key): converted(inner, arguments[1], f"{name}.{key}", nan) for key, inner in value.items()}
    if hint is float and value is None and nan:
        return math.nan
    return _scalar(value, hint, name)


def _option(value: Any, options: list[Any]) -> Any:
    """Of several records that may stand in one place the first with these keys; of several plain types its own."""
    if len(options) > 1 and isinstance(value, Mapping):
        return next((kind for kind in options if _fits(value, kind)), options[0])
    return next((kind for kind in options if type(value) is kind), options[0])


def _fits(value: Mapping[str, Any], kind: type) -> bool:
    """Whether a record has all these keys, and they are all that it needs."""
    fields = _keys(kind)
    return value.keys() <= fields.keys() and all(key in value or _is_optional(field) for key, field in fields.items())


def _is_optional(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _keys(kind: type) -> dict[str, dataclasses.Field[Any]]:
    return {key_of(field): field for field in dataclasses.fields(kind)}


def _record(kind: type, value: Any, name: str, nan: bool) -> Any:
    if not isinstance(value, Mapping):
        raise InputError(f"{name}: expected an object, found {value!r:.80}")
    fields, hints = _keys(kind), hints_of(kind)
    inlined = next((field for field in fields.values() if "inlined" in field.metadata), None)
    if inlined is not None:
        own = fields.keys() - {inlined.name}
        apart = {key: inner for key, inner in value.items() if key not in own}
        value = {key: inner for key, inner in value.items() if key in own} | {inlined.name: apart}
    join = "." if ": " in name else ": "
    for key in () if issubclass(kind, Partial) else value:
        if key not in fields:
            raise InputError(f"{name}: {key!r} is not known here; another version of twotower may have written it")
    arguments = {}
    for key, field in fields.items():
        if key in value:
            arguments[field.name] = converted(value[key], hints[field.name], f"{name}{join}{key}", nan)
        elif not _is_optional(field):
            raise InputError(f"{name}: {key} is missing; another version of twotower may have written it")
    return kind(**arguments)


def _literal(value: Any, allowed: tuple[Any, ...], name: str) -> Any:
    value = {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value  # YAML 1.1
    if value == "off" and "no" in allowed:
        value = "no"
    choices = {str(choice): choice for choice in allowed}
    if str(value) in choices:  # a number may be text
        return choices[str(value)]
    meant = did_you_mean(str(value), choices)
    raise InputError(f"{name}: {value!r} is not possible{meant}; allowed: {', '.join(choices)}")


def _scalar(value: Any, kind: type, name: str) -> Any:
    if kind is int and isinstance(value, str):
        value = whole_number(name, value)
    if kind is float and isinstance(value, str):  # YAML 1.1 reads 3e-3 as text
        try:
            value = float(value)
        except ValueError:
            value = str(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if kind is int and isinstance(value, float) and value.is_integer():
        value = int(value)
    if kind is Path and isinstance(value, str):
        value = Path(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        wanted = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}.get(kind, kind.__name__)
        raise InputError(f"{name}: expected {wanted}, found {value!r}")
    return value
