"""Options as `--help` and completion show them: some or all of them, each docstring as one paragraph."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import typing
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, TypeVar, cast

import tyro

T = TypeVar("T")


def for_help(
    default: T, common: Sequence[str] = (), place: str = "", choices: Mapping[str, tuple[str, ...]] | None = None
) -> T:
    """The same values in dataclasses that are shown better; for help alone, since they are of other types.

    Tyro keeps the line ends of docstrings, which look torn in a box of another width and end a completion. `common`
    are the fields that are kept, or sections of them, by their place; with none, all are. `choices` are the values that
    a field of text, or of several texts, is shown to take, by its place.
    """
    kind: type = type(default)
    hints: dict[str, Any] = typing.get_type_hints(kind, include_extras=True)
    texts = field_docstrings(kind)
    suppress: Any = tyro.conf.Suppress
    fields: list[tuple[str, Any, Any]] = []
    for one in dataclasses.fields(cast(Any, default)):
        name, value, hint = f"{place}{one.name}", getattr(default, one.name), hints[one.name]
        if dataclasses.is_dataclass(value):
            value = for_help(value, () if not common or name in common else common, f"{name}.", choices)
            hint = _annotated(type(value), *getattr(hint, "__metadata__", ()))
        elif common and name not in common:
            hint = suppress[hint]
        elif one.name in texts:
            hint = _annotated(_limited(hint, (choices or {}).get(name)), tyro.conf.arg(help=texts[one.name]))
        fields.append((one.name, hint, dataclasses.field(default=value)))
    made = dataclasses.make_dataclass(kind.__name__, fields, bases=(kind,), frozen=True)
    made.__doc__ = kind.__doc__
    return cast(T, made())


def _limited(hint: Any, choices: tuple[str, ...] | None) -> Any:
    """The type of a field that takes these texts alone, or several of them."""
    if choices is None:
        return hint
    literal: Any = typing.Literal
    several: Any = tuple
    kind, *metadata = typing.get_args(hint) if typing.get_origin(hint) is Annotated else (hint,)
    limited = several[literal[choices], ...] if typing.get_origin(kind) is tuple else literal[choices]
    return _annotated(limited, *metadata)


def _annotated(hint: Any, *metadata: Any) -> Any:
    annotated: Any = Annotated
    parts = (hint, *metadata)
    return annotated[parts] if metadata else hint


def field_docstrings(kind: type) -> dict[str, str]:
    """The docstring under each field of a dataclass, its lines joined."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    body = cast(ast.ClassDef, definition).body
    found = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            found[field.target.id] = " ".join(str(ast.literal_eval(text.value)).split())
    return found
