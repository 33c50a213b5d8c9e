"""What commands share in reading their options: from the words of a command line to a dataclass."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, cast, get_args, get_origin, get_type_hints

import tyro

from ..config.conversion import converted
from ..config.presets import PRESETS, preset
from ..config.schema import RunConfig
from ..config.settings import flat_settings, read_settings, with_settings, with_value
from ..system.errors import InputError
from ..system.spelling import did_you_mean
from .helptext import for_help

T = TypeVar("T")
ARGUMENT = type(tyro.conf.arg())
"""The class of what `tyro.conf.arg` says of an option: its name and its other names."""


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
    """Arguments of the kind of `default` from the command line. Raises `InputError` for what cannot be read."""
    if {"-h", "--help", "--help-all"} & set(words):
        all_options = "--help-all" in words
        usage = for_help(default, () if all_options else command.common)
        tyro.cli(
            type(usage), prog=f"twotower {command.name} {command.positional}".rstrip(), args=["--help"], default=usage,
            description=command.description(all_options),
        )  # fmt: skip
    try:
        return with_words(default, words)
    except InputError as error:
        raise InputError(f"{error}; see `twotower {command.name} --help`") from None


class Option(NamedTuple):
    """What stands behind a flag, or a positional argument."""

    path: tuple[str, ...]
    """The names of the field, and of those it is inside, from the outermost."""
    hint: Any
    flag_value: bool
    """What a flag without a value means."""

    @property
    def most(self) -> float:
        """The number of values that it takes; infinity where it is any number of them, none included."""
        if get_origin(self.hint) is not tuple:
            return 0 if self.hint is bool else 1
        kinds = get_args(self.hint)
        return math.inf if kinds[-1] is Ellipsis else len(kinds)


def with_words(default: T, words: Sequence[str]) -> T:
    """The dataclass `default` with what the words of a command line say.

    Tyro writes the help of these options; it does not read them, because its errors are boxes for people, and because
    one converter reads values wherever they come from. An option that takes any number of values has all that it is
    given, the first time and later; of others the last counts. Raises `InputError` naming the option.
    """
    kind: type = type(default)
    options = _options(kind)
    positional = [option for name, option in options.items() if not name.startswith("-")]
    values: dict[tuple[str, ...], tuple[str, Option, list[str]]] = {}
    name, taken, missing = "", list[str](), 0.0
    for word in words:
        if missing and not word.startswith("--"):
            taken.append(word)
            missing -= 1
            continue
        _require_values(name, taken, missing)
        if word.startswith("-"):
            name, equals, value = word.partition("=")
            option = options.get(name.replace("_", "-"))
            if option is None:
                raise InputError(f"{name} is not an option{did_you_mean(name, options)}")
            if equals and not option.most:
                raise InputError(f"{name}: leave out {equals}{value}; it takes no value")
            new = [value] if equals else []
            missing = 0.0 if equals and option.most == math.inf else option.most - len(new)
        elif positional:
            name, option, new, missing = word, positional[0], [word], 0.0
            positional = positional if option.most == math.inf else positional[1:]
        else:
            raise InputError(f"{word!r} is one word too many")
        taken = [*values[option.path][2], *new] if option.path in values and option.most == math.inf else new
        values[option.path] = (name, option, taken)
    _require_values(name, taken, missing)
    result: Any = default
    for path, (flag, option, texts) in values.items():
        result = with_value(result, path, _value(option, texts, flag))
    return cast(T, result)


def _require_values(name: str, taken: list[str], missing: float) -> None:
    if missing not in (0, math.inf):
        more = " further" if taken else ""
        raise InputError(f"{name}: give {f'a{more} value' if missing == 1 else f'{missing:.0f}{more} values'}")


def _value(option: Option, texts: list[str], flag: str) -> Any:
    if not option.most:
        return option.flag_value
    if texts == ["None"] and type(None) in get_args(option.hint):
        return None
    return converted(texts if get_origin(option.hint) is tuple else texts[0], option.hint, flag)


@cache
def _options(kind: type, path: tuple[str, ...] = (), prefix: str = "") -> dict[str, Option]:
    """The options of a dataclass by each of their flags, and its positional arguments by their names."""
    options: dict[str, Option] = {}
    for field, annotated in get_type_hints(kind, include_extras=True).items():
        hint, *metadata = get_args(annotated) if get_origin(annotated) is Annotated else (annotated,)
        argument: Any = next((note for note in metadata if isinstance(note, ARGUMENT)), tyro.conf.arg())
        name = field.replace("_", "-") if argument.name is None else argument.name
        option = Option((*path, field), hint, True)
        if is_dataclass(hint):
            options |= _options(cast(type, hint), option.path, f"{prefix}{name}." if name else prefix)
        elif tyro.conf.Positional in metadata:
            options[name] = option
        else:
            options |= dict.fromkeys((f"--{prefix}{name}", *(argument.aliases or ())), option)
            if hint is bool and tyro.conf.FlagCreatePairsOff not in metadata:
                options[f"--{prefix}no-{name}"] = option._replace(flag_value=False)
    return options


def peek(words: Sequence[str], *flags: str) -> str | None:
    """The value of a flag that has several names, the last if it is given twice, before the rest is parsed."""
    last = None
    for position, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if flag.replace("_", "-") in flags and (equals or position + 1 < len(words)):
            last = value if equals else words[position + 1]
    return last


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
    settings = flat_settings(read_settings(Path(path)), path) if path else {}
    named, protocol = settings.pop("preset", None), settings.pop("protocol", None)
    quickstart = f"quickstart-{peek(words, '--family', '--model.family') or settings.get('model.family')}"
    usual = quickstart if quickstart in PRESETS and quickstart != "quickstart-gpt" else "quickstart"
    config = preset(peek(words, "--preset") or str(named or usual), peek(words, "--protocol") or protocol)
    config = with_settings(config, settings, str(path))
    if peek(words, "--tokens", "--train.tokens") and settings.get("train.minutes"):  # they would replace the tokens
        config = replace(config, train=replace(config.train, minutes=None))
    return config
