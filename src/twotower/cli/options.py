"""What commands share in reading their options: a dataclass is filled from the words of the command line by tyro."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import tyro

from ..config.conversion import converted
from ..config.presets import PRESETS, preset
from ..config.schema import RunConfig
from ..config.settings import flat_settings, read_settings, with_settings
from ..system.errors import InputError
from ..system.spelling import did_you_mean
from .helptext import for_help

T = TypeVar("T")
NUMBERS = tyro.constructors.ConstructorRegistry()
"""How tyro reads numbers: as files of settings do."""


@NUMBERS.primitive_rule
def _number(info: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    if info.type not in (int, float):
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar=info.type.__name__.upper(),
        instance_from_str=lambda words: _number_of(words[0], info.type),
        is_instance=lambda value: isinstance(value, info.type),
        str_from_instance=lambda value: [str(value)],
    )


def _number_of(word: str, kind: type) -> Any:
    try:
        return converted(word, kind, "")
    except InputError as error:
        raise ValueError(str(error).removeprefix(": ")) from None  # tyro names the option


@dataclass(frozen=True)
class Command:
    """A command: its name, the sentence that `--help` says about it, and what runs it."""

    name: str
    help: str
    function: Callable[[Command, list[str]], int]
    """From the command itself and the words after its name to the exit code."""
    arguments: Callable[[], object]
    """Makes the dataclass of its options, with their defaults, for completion in shells."""
    common: tuple[str, ...] = ()
    """The options that `--help` shows, or sections of them, by their place in that dataclass; the rest is shown by
    `--help-all`. Empty: all are shown."""
    examples: tuple[str, ...] = ()
    """What may stand behind `twotower` and the name, for `--help`."""

    positional: str = ""
    """Positional words that the command itself reads, as the usage line shows them."""

    def description(self, all_options: bool = False) -> str:
        """What `--help` says above the options."""
        more = (
            ["`twotower presets` lists the presets"] if self.name == "study" or "config.preset" in self.common else []
        )
        if self.common and not all_options:
            more.append(f"`twotower {self.name} --help-all` shows all options")
        text = f"{self.help}\n{'; '.join(more)}." if more else self.help
        examples = [f"twotower {self.name} {words}".rstrip() for words in self.examples]
        return "\n  ".join([f"{text}\n\nexamples:", *examples]) if examples else text


def read(command: Command, words: list[str], default: T) -> T:
    """Arguments of the kind of `default` from the command line. Raises `InputError` for what cannot be parsed."""
    complaint = io.StringIO()
    description = command.description("--help-all" in words)
    if "--help-all" in words:
        words, default = ["--help"], for_help(default)
    elif "-h" in words or "--help" in words:
        default = for_help(default, command.common)
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(
                type(default), prog=f"twotower {command.name} {command.positional}".rstrip(), description=description,
                args=joined_lists(words, type(default)), default=default, registry=NUMBERS,
            )  # fmt: skip
    except SystemExit as stop:
        if stop.code in (0, None):
            raise  # --help
        raise InputError(f"{_complaint(complaint.getvalue())}; see `twotower {command.name} --help`") from None


def joined_lists(words: Sequence[str], kind: type) -> list[str]:
    """The same words, with all values of an option that takes several at its first place.

    `--corpus A --corpus B` becomes `--corpus A B`: the parser alone would keep the last. `kind` is the dataclass of the
    options.
    """
    several = _lists(kind)
    joined: list[str] = []
    values: dict[str, list[str]] = {}
    places: dict[str, int] = {}
    open_list: list[str] | None = None
    for word in words:
        flag, equals, value = word.partition("=")
        if not word.startswith("--"):
            (joined if open_list is None else open_list).append(word)
            continue
        open_list = None
        name = flag.removeprefix("--").rpartition(".")[2].replace("_", "-")  # the short name of a setting is its last
        if name in several:
            if name not in values:
                places[name], values[name] = len(joined), []
                joined.append(flag)
            values[name] += [value] if equals else []
            open_list = None if equals else values[name]
        else:
            joined.append(word)
    for name in reversed(values):
        joined[places[name] + 1 : places[name] + 1] = values[name]
    return joined


@lru_cache(maxsize=8)
def _lists(kind: type) -> frozenset[str]:
    """The names of all settings of a dataclass that take any number of values, with hyphens."""
    names: frozenset[str] = frozenset()
    for name, hint in get_type_hints(kind).items():
        if is_dataclass(hint):
            names |= _lists(cast(type, hint))
        elif get_origin(hint) is tuple and get_args(hint)[-1] is Ellipsis:
            names |= {name.replace("_", "-")}
    return names


UNKNOWN = re.compile(r"Unrecognized options: (?P<option>--[^\s,]+)(?:.*?Perhaps you meant: .*?(?P<near>--[\w.-]+))?")
SUPERFLUOUS = re.compile(r"Unrecognized options: (?P<word>[^\s,]+)")
CHOICE = re.compile(r"invalid choice '(?P<given>.*?)' for argument '(?P<option>.*?)'.*?\((?P<choices>.*?)\)")
MISSING = re.compile(r"Missing value for argument '(?P<option>.*?)'")


def _complaint(box: str) -> str:
    """What tyro complains of, as one line, with what may have been meant."""
    text = " ".join(_lines(box))
    if said := UNKNOWN.search(text):
        return f"{said['option']} is not an option" + (f" (did you mean {said['near']}?)" if said["near"] else "")
    if said := SUPERFLUOUS.search(text):
        return f"{said['word']!r} is one word too many"
    if said := CHOICE.search(text):
        choices = sorted(set(re.findall(r"'([^']*)'", said["choices"])) - {"None"})
        meant = did_you_mean(said["given"], choices)
        return f"{said['option']}: {said['given']!r} is not possible{meant}; give one of {', '.join(choices)}"
    if said := MISSING.search(text):
        return f"{said['option']}: give a value"
    return _one_line(box).removeprefix("Error parsing ")


def _one_line(box: str) -> str:
    """Tyro's boxed complaint, up to the help it quotes, as one line."""
    kept = []
    for line in _lines(box)[1:]:
        if line.startswith(("Argument helptext", "For full helptext")):
            break
        kept.append(line)
    return " ".join(kept[:4])


def _lines(box: str) -> list[str]:
    """The lines inside a box that tyro has drawn, its title first."""
    lines = [line.strip("│╭╰╮╯─|+- " if number == 0 else "│╭╰╮╯─| ") for number, line in enumerate(box.splitlines())]
    return [line for line in lines if line.strip("-+")]


def peek(words: Sequence[str], *flags: str) -> str | None:
    """The value of a flag that has several names, before the rest is parsed."""
    for position, word in enumerate(words):
        flag, given, value = word.partition("=")
        if flag.replace("_", "-") in flags and (given or position + 1 < len(words)):
            return value if given else words[position + 1]
    return None


def study_first(command: Command, words: list[str]) -> list[str]:
    """The words of a command whose first argument is the folder of a study. Raises `InputError` if it is not there."""
    if not {"-h", "--help", "--help-all"} & set(words) and (not words or words[0].startswith("-")):
        raise InputError(f"{command.name}: give the folder of a study first: twotower {command.name} STUDY …")
    return words


def preset_of(words: Sequence[str]) -> RunConfig:
    """The preset and protocol that are named, under the settings of the file of `--config`, if one is.

    What is named on the command line wins over the file. Without a preset it is that of the family which is asked for.
    """
    path = peek(words, "--config")
    given = flat_settings(read_settings(Path(path)), path) if path else {}
    named, protocol = given.pop("preset", None), given.pop("protocol", None)
    quickstart = f"quickstart-{peek(words, '--family', '--model.family') or given.get('model.family')}"
    usual = quickstart if quickstart in PRESETS and quickstart != "quickstart-gpt" else "quickstart"
    config = preset(peek(words, "--preset") or str(named or usual), peek(words, "--protocol") or protocol)
    config = with_settings(config, given, str(path))
    if peek(words, "--tokens", "--train.tokens") and given.get("train.minutes"):  # the minutes would replace the tokens
        config = replace(config, train=replace(config.train, minutes=None))
    return config
