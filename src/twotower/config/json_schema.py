"""The JSON Schema of a record, from its type hints and the docstrings of its fields."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
import types
import typing
from functools import cache
from typing import Any

from .conversion import hints_of, key_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PLAIN: dict[type, dict[str, Any]] = {
    str: {"type": "string"}, bool: {"type": "boolean"}, int: {"type": "integer"},
    float: {"type": ["number", "null"]},
}  # fmt: skip
"""Of single values; a number that cannot be computed is null."""


def schema_of(kind: type, title: str) -> dict[str, Any]:
    """The schema of a file that holds one record (see `conversion.plain`); every record in it is under `$defs`."""
    records: dict[str, dict[str, Any]] = {}
    reference = _of_record(kind, records)
    return {"$schema": DIALECT, "title": title, **reference, "$defs": dict(sorted(records.items()))}


def name_of(kind: type) -> str:
    """The name of a record under `$defs`: its module, then its class."""
    return f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"


def _of_record(kind: type, records: dict[str, dict[str, Any]]) -> dict[str, Any]:
    name = name_of(kind)
    if name not in records:
        records[name] = {}  # a record may hold others of its kind
        records[name] = {
            "type": "object", "description": _flat(inspect.getdoc(kind) or ""), **_members(kind, records)
        }  # fmt: skip
    return {"$ref": f"#/$defs/{name}"}


def _members(kind: type, records: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """`properties`, `required`, and what further keys may hold."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    further: bool | dict[str, Any] = False
    texts = field_texts(kind)
    for field in dataclasses.fields(kind):
        hint = hints_of(kind)[field.name]
        if "inlined" in field.metadata:
            if not dataclasses.is_dataclass(hint):
                further = of_type(typing.get_args(hint)[1], records)
                continue
            inner = _members(typing.cast(type, hint), records)
            properties |= inner["properties"]
            required += inner["required"]
            continue
        schema = of_type(hint, records)
        properties[key_of(field)] = schema | ({"description": text} if (text := texts.get(field.name)) else {})
        if "omitted" not in field.metadata:
            required.append(key_of(field))
    return {"properties": properties, "required": required, "additionalProperties": further}


def of_type(hint: Any, records: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The schema of what a type hint allows; the records in it are added to `records`, by their names."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Union or origin is types.UnionType:
        return {"anyOf": [
            {"type": "null"} if option is type(None) else of_type(option, records) for option in arguments
        ]}  # fmt: skip
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin is list or (origin is tuple and arguments[-1] is Ellipsis):
        return {"type": "array", "items": of_type(arguments[0], records)}
    if origin is tuple:
        items = [of_type(argument, records) for argument in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin is dict:
        return {"type": "object", "additionalProperties": of_type(arguments[1], records)}
    if dataclasses.is_dataclass(hint):
        return _of_record(typing.cast(type, hint), records)
    return dict(PLAIN[hint]) if hint in PLAIN else {}


def field_texts(kind: type) -> dict[str, str]:
    """From the name of a field, inherited ones included, to its docstring, on one line."""
    texts: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if dataclasses.is_dataclass(base):
            texts |= _texts_of_module(base.__module__).get(base.__name__, {})
    return texts


@cache
def _texts_of_module(module: str) -> dict[str, dict[str, str]]:
    """The docstrings of fields, by the class and the name of each."""
    by_class: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(sys.modules[module])).body:
        if isinstance(node, ast.ClassDef):
            texts = by_class.setdefault(node.name, {})
            for line, after in zip(node.body, node.body[1:], strict=False):
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and _is_text(after):
                    texts[line.target.id] = _flat(ast.literal_eval(typing.cast(ast.Expr, after).value))
    return by_class


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _flat(text: str) -> str:
    return " ".join(text.split())
