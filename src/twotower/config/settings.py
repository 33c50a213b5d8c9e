"""Settings by their dotted names, from a mapping or a YAML file, over those of a configuration."""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from ..system.errors import InputError, one_line
from .conversion import converted, hints_of
from .schema import RunConfig

T = TypeVar("T")
MOST_NAMED = 3
"""How many unknown names, and how many near ones of each, one error shows."""
GONE: Mapping[str, object] = {"train.loss": "blocks"}
"""Settings of earlier versions, and the value of each that is all there is today: saved with it, they say nothing."""


_INTEGER, _FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"


class _Loader(yaml.SafeLoader):
    """PyYAML keeps the last of two values of one key without a word; this refuses them.

    It also reads `010` as 8 and `1:30` as 90 (YAML 1.1). Here such numbers stay text, which a setting's type then reads
    as people do, or refuses.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.value != "<<"]
        if twice := next((key for key in keys if keys.count(key) > 1), None):
            raise yaml.constructor.ConstructorError(None, None, f"{twice} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, shape) for tag, shape in resolvers if tag not in (_INTEGER, _FLOAT)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_INTEGER, re.compile(r"[-+]?(?:0|[1-9][0-9_]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    _FLOAT, re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$"), list("-+.0123456789")
)


def from_yaml(text: str) -> Any:
    """A value in YAML, as `--set` and files of settings have it. Raises `yaml.YAMLError`."""
    return yaml.load(text, _Loader)


def read_settings(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, as it is. Raises `InputError` if there is none. Nothing in it is executed."""
    try:
        if not path.is_file():
            fault = "is not a file" if path.exists() else "does not exist"
            raise InputError(
                f"--config: {path} {fault}; give a YAML file of settings, such as the config.yaml of a run"
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"--config: {path} cannot be read ({error.strerror}); give a file that can") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error}); save it as UTF-8") from None
    try:
        values = _text_keys(from_yaml(text))
    except (yaml.YAMLError, RecursionError, ValueError, KeyError, AttributeError) as error:
        # PyYAML's constructors raise the last three for 2020-13-45, `!!bool x` and `!!timestamp x`
        raise InputError(f"{path}: not valid YAML ({one_line(error)})") from None
    if not isinstance(values, dict):
        type_name = "nothing" if values is None else type(values).__name__
        raise InputError(f"{path}: expected settings, each as NAME: VALUE, found {type_name}")
    return values


def setting_types(kind: type) -> dict[str, Any]:
    """From the dotted name of each setting of a dataclass, and of those inside it, to its type."""
    types: dict[str, Any] = {}
    for name, hint in hints_of(kind).items():
        if dataclasses.is_dataclass(hint):
            types |= {
                f"{name}.{inner}": inner_type for inner, inner_type in setting_types(typing.cast(type, hint)).items()
            }
        else:
            types[name] = hint
    return types


def with_settings(base: T, given: Mapping[str, Any], source: str) -> T:
    """The dataclass `base` with some of its settings replaced.

    Args:
        base: such as a `RunConfig`.
        given: nested (`{"train": {"tokens": …}}`) or by dotted names (`{"train.tokens": …}`); numbers may be text as
            people write it (`4M`), and a single value stands for a list of one.
        source: what to name in an error, such as the file.

    Raises `InputError` for a name that is unknown, naming the nearest, or given twice, and for a value of a wrong type.
    """
    known = setting_types(type(base))
    flat = without_gone(flat_settings(given, source))
    sections = {name.rpartition(".")[0] for name in known}
    flat = {name: value for name, value in flat.items() if value is not None or name not in sections}
    require_known(flat, known, source)
    replaced: Any = base
    for name, value in flat.items():
        replaced = with_value(replaced, name.split("."), converted(value, known[name], f"{source}: {name}"))
    return typing.cast(T, replaced)


def from_dict(values: Mapping[str, Any], source: str = "configuration") -> RunConfig:
    """The inverse of `to_dict`. Raises `InputError` naming `source` and the key that is unknown or of a wrong type."""
    return with_settings(RunConfig(), values, source)


def to_dict(config: RunConfig) -> dict[str, Any]:
    """Nested plain values, as written to `config.yaml`."""

    def plain(value: Any) -> Any:  # `conversion.plain` has null for what is no finite number, which is refused later
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items()}
        return [plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value

    return {key: plain(value) for key, value in dataclasses.asdict(config).items()}


def by_name(config: RunConfig) -> dict[str, Any]:
    """The settings as plain values by their dotted names."""
    return _flatten(to_dict(config))


def changed(config: RunConfig, usual: RunConfig) -> dict[str, Any]:
    """The settings that are not the `usual` ones, as plain values by their dotted names."""
    before = by_name(usual)
    return {name: value for name, value in by_name(config).items() if value != before[name]}


def without_gone(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Saved settings, by dotted name, without those that are `GONE` and had the value that remains."""
    return {name: value for name, value in flat.items() if name not in GONE or GONE[name] != value}


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return flat


def flat_settings(given: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Nested settings by their dotted names. Raises `InputError` if a setting is given twice."""
    flat: dict[str, Any] = {}
    for name, value in given.items():
        for key, inner in _flatten({str(name): _text_keys(value)}).items():
            key = key.replace("-", "_")
            if key in flat:
                raise InputError(f"{source}: {key} is given twice; give it once")
            flat[key] = inner
    return flat


def _text_keys(value: Any) -> Any:
    return {str(key): _text_keys(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value


def require_known(names: Iterable[str], known: Iterable[str], source: str) -> None:
    """Raise `InputError` if one of the names is not among the known ones, with the nearest of those."""
    known = list(known)
    unknown = [name for name in names if name not in known]
    if not unknown:
        return
    faults = []
    for name in unknown[:MOST_NAMED]:
        near = nearest(name, known)
        faults.append(f"{name!r} is not a setting" + (f" (did you mean {' or '.join(near)}?)" if near else ""))
    more = f"; and {len(unknown) - MOST_NAMED} more" if len(unknown) > MOST_NAMED else ""
    raise InputError(f"{source}: {'; '.join(faults)}{more}")


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The known names that end in the same word, else those that are spelled most alike; the best first."""
    known = list(known)
    last = name.rpartition(".")[2]
    same = [known_name for known_name in known if known_name.rpartition(".")[2] == last]
    if same:
        return same[:MOST_NAMED]
    ends: dict[str, list[str]] = {}
    for known_name in known:
        ends.setdefault(known_name.rpartition(".")[2], []).append(known_name)
    whole = difflib.get_close_matches(name, known, n=1)
    alike = difflib.get_close_matches(last, ends, n=1)
    return whole or [setting for end in alike for setting in ends[end]][:MOST_NAMED]


def with_value(base: Any, path: Sequence[str], value: Any) -> Any:
    """A dataclass with one field replaced. `path` is its name after those of the fields it is inside."""
    name, *rest = path
    return dataclasses.replace(base, **{name: with_value(getattr(base, name), rest, value) if rest else value})
