"""Options as `--help` and completion show them: some or all of them, each docstring as one paragraph."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast

import tyro

from ..config.json_schema import field_texts

T = TypeVar("T")
RUN, FOLDER, STUDY = Path("RUN"), Path("FOLDER"), Path("STUDY")
"""Defaults of positional arguments that have none: the command itself says what it misses."""


def for_help(default: T, common: Sequence[str] = (), place: str = "") -> T:
    """The same values in dataclasses that are shown better; for help alone, since they are of other types.

    Tyro keeps the line ends of docstrings, which look torn in a box of another width and end a completion. `common`
    are the fields that are kept, or sections of them, by their place; with none, all are.
    """
    kind: type = type(default)
    hints: dict[str, Any] = typing.get_type_hints(kind, include_extras=True)
    texts = field_texts(kind)
    suppress: Any = tyro.conf.Suppress
    fields: list[tuple[str, Any, Any]] = []
    for field in dataclasses.fields(cast(Any, default)):
        name, value, hint = f"{place}{field.name}", getattr(default, field.name), hints[field.name]
        if dataclasses.is_dataclass(value):
            value = for_help(value, () if not common or name in common else common, f"{name}.")
            hint = annotated(type(value), *getattr(hint, "__metadata__", ()))
        elif common and name not in common:
            hint = suppress[hint]
        else:
            hint = annotated(hint, shown(hint, value, texts.get(field.name)))
            value = tyro.MISSING if value in (RUN, FOLDER, STUDY) else value
        fields.append((field.name, hint, dataclasses.field(default=value)))
    shown_kind = dataclasses.make_dataclass(kind.__name__, fields, bases=(kind,), frozen=True)
    shown_kind.__doc__ = kind.__doc__
    return cast(T, shown_kind())


def shown(hint: Any, value: object, text: str | None) -> Any:
    """How one option is shown: its text, without a default where that is nothing, and without None among its values."""
    settings: dict[str, Any] = {} if text is None else {"help": text}
    if value is False or value is None or value in ("", (), RUN, FOLDER, STUDY):
        settings["help_behavior_hint"] = ""
    metadata = getattr(hint, "__metadata__", ())
    plain = hint.__origin__ if metadata else hint
    kinds = [kind for kind in typing.get_args(plain) if kind is not type(None)]
    optional = typing.get_origin(plain) in (types.UnionType, typing.Union) and len(kinds) == 1
    if optional and not any(getattr(annotation, "metavar", None) for annotation in metadata):
        literal = typing.get_origin(kinds[0]) is Literal
        settings["metavar"] = f"{{{','.join(typing.get_args(kinds[0]))}}}" if literal else kinds[0].__name__.upper()
    return tyro.conf.arg(**settings)


def annotated(hint: Any, *metadata: Any) -> Any:
    """The type with metadata for tyro."""
    with_metadata: Any = Annotated
    parts = (hint, *metadata)
    return with_metadata[parts] if metadata else hint
