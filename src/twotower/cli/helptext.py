"""Options as `--help` and completion show them: some or all of them, each docstring as one paragraph."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import typing
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, TypeVar, cast

import tyro

T = TypeVar("T")


def for_help(default: T, common: Sequence[str] = (), place: str = "") -> T:
    """The same values in dataclasses that are shown better; for help alone, since they are of other types.

    Tyro keeps the line ends of docstrings, which look torn in a box of another width and end a completion. `common`
    are the fields that are kept, or sections of them, by their place; with none, all are.
    """
    kind: type = type(default)
    hints: dict[str, Any] = typing.get_type_hints(kind, include_extras=True)
    texts = field_docstrings(kind)
    suppress: Any = tyro.conf.Suppress
    fields: list[tuple[str, Any, Any]] = []
    for one in dataclasses.fields(cast(Any, default)):
        name, value, hint = f"{place}{one.name}", getattr(default, one.name), hints[one.name]
        if dataclasses.is_dataclass(value):
            value = for_help(value, () if not common or name in common else common, f"{name}.")
            hint = annotated(type(value), *getattr(hint, "__metadata__", ()))
        elif common and name not in common:
            hint = suppress[hint]
        elif one.name in texts:
            hint = annotated(hint, tyro.conf.arg(help=texts[one.name]))
        fields.append((one.name, hint, dataclasses.field(default=value)))
    made = dataclasses.make_dataclass(kind.__name__, fields, bases=(kind,), frozen=True)
    made.__doc__ = kind.__doc__
    return cast(T, made())


def annotated(hint: Any, *metadata: Any) -> Any:
    """The type with metadata for tyro."""
    with_metadata: Any = Annotated
    parts = (hint, *metadata)
    return with_metadata[parts] if metadata else hint


def field_docstrings(kind: type) -> dict[str, str]:
    """The docstring under each field of a dataclass, its lines joined."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    body = cast(ast.ClassDef, definition).body
    found = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            found[field.target.id] = " ".join(str(ast.literal_eval(text.value)).split())
    return found
