"""Completion in shells: commands, options and presets by scripts that tyro writes, run folders by lines of our own.

In fish the options are those that `--help` shows: it hands the whole script to Python as one argument, which Linux
limits to 128 KiB.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import tyro

from ..config.json_schema import field_texts
from ..config.presets import PRESETS
from ..system.errors import InputError
from ..system.spelling import did_you_mean
from .helptext import annotated
from .options import Command

OF_RUNS = ("show", "know", "lesion", "explore", "verify", "rerun", "compare", "export")
"""The commands whose arguments are run folders."""
CHOICES = {"config.preset": tuple(PRESETS), "grid.presets": tuple(PRESETS)}
"""What is completed after options whose type is any text, by their place."""

RUNS_IN_BASH = """
# Run folders, and presets of `plan`: what the function above does not know, since they are no options.
_twotower_runs() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" name
  _{function} "$@"
  [[ "$current" == -* || "$COMP_CWORD" -lt 2 ]] && return
  case "${{COMP_WORDS[1]}}" in
    {commands})
      COMPREPLY=()
      for name in "$current"*/stages.json "$current"*/*/stages.json; do
        [[ -f "$name" ]] && COMPREPLY+=("${{name%/stages.json}}")
      done
      [[ "${{#COMPREPLY[@]}}" -gt 0 ]] || COMPREPLY=($(compgen -d -- "$current")) ;;
    plan) COMPREPLY=($(compgen -W "{presets}" -- "$current")) ;;
    help) COMPREPLY=($(compgen -W "{names}" -- "$current")) ;;
  esac
}}
complete -F _twotower_runs twotower
"""
RUNS_IN_ZSH = """
# Run folders, and presets of `plan`: what the function above does not know, since they are no options.
_twotower_runs() {{
  if [[ "$words[CURRENT]" != -* && $CURRENT -gt 2 ]]; then
    case "$words[2]" in
      {commands})
        local -a runs; runs=(*/stages.json(N:h) */*/stages.json(N:h)); compadd -- $runs; _files -/; return ;;
      plan) compadd -- {presets}; return ;;
      help) compadd -- {names}; return ;;
    esac
  fi
  _{function} "$@"
}}
if [[ "$zsh_eval_context[-1]" == loadautofunc ]]; then  # from a folder of $fpath
  _twotower_runs "$@"
else
  compdef _twotower_runs twotower
fi
"""
RUNS_IN_FISH = """
# Run folders, and presets of `plan`: what the function above does not know, since they are no options.
function __twotower_runs
    for name in */stages.json */*/stages.json
        string replace /stages.json '' $name
    end
end
complete -c twotower -n "__fish_seen_subcommand_from {commands}" -a "(__twotower_runs)"
complete -c twotower -n "__fish_seen_subcommand_from plan" -a "{presets}"
complete -c twotower -n "__fish_seen_subcommand_from help" -a "{names}"
"""
OWN_LINES = {"bash": (RUNS_IN_BASH, "|"), "zsh": (RUNS_IN_ZSH, "|"), "fish": (RUNS_IN_FISH, " ")}
"""What is added to tyro's script for each shell, and what stands between commands there."""
SHELLS = tuple(OWN_LINES)


def print_completion(commands: Mapping[str, Command], shell: str) -> None:
    """Print the script for a shell. Raises `InputError` for a shell that has none."""
    if shell not in SHELLS:
        raise InputError(f"--print-completion: give a shell{did_you_mean(shell, SHELLS)}: {', '.join(SHELLS)}")
    script = _script_of_tyro(commands, shell)
    if shell == "zsh":  # tyro's script ends with a call, which fails where the script is sourced
        script = script.rstrip().removesuffix(f'_{FUNCTION} "$@"')
    lines, between = OWN_LINES[shell]
    names = " ".join(name for name in commands if " " not in name)
    print(script + lines.format(
        function=FUNCTION, commands=between.join(OF_RUNS), presets=" ".join(PRESETS), names=names,
    ), end="")  # fmt: skip


LONGEST_TEXT = 48
"""Characters of an option's text."""
FUNCTION = "tyro_twotower"
"""The function of tyro's script."""


def _script_of_tyro(commands: Mapping[str, Command], shell: str) -> str:
    kinds: list[Any] = []
    for name, command in commands.items():
        if " " in name:  # tyro completes words, and no verb after them
            continue
        default = completed(command.arguments(), command.common if shell == "fish" else ())
        subcommand = tyro.conf.subcommand(name, default=default, description=command.help)
        kinds.append(Annotated[type(default), subcommand])
    union: Any = Union
    script = io.StringIO()
    try:
        with contextlib.redirect_stdout(script):
            tyro.cli(
                union[tuple(kinds)],
                prog="twotower",
                args=["--tyro-print-completion", shell],
                config=(tyro.conf.OmitSubcommandPrefixes,),
            )
    except SystemExit as stop:
        if stop.code not in (0, None):
            raise
    return script.getvalue()


def completed(default: object, common: Sequence[str], place: str = "") -> Any:
    """The options of a command that are completed, with their values, as another dataclass.

    `common` are the fields that are kept, or sections of them, by their place; with none, all are.
    """
    kind: type = type(default)
    hints: dict[str, Any] = get_type_hints(kind, include_extras=True)
    texts = field_texts(kind)
    fields: list[tuple[str, Any, Any]] = []
    for field in dataclasses.fields(cast(Any, default)):
        name, value, hint = f"{place}{field.name}", getattr(default, field.name), hints[field.name]
        if dataclasses.is_dataclass(value):
            value = completed(value, () if name in common else common, f"{name}.")
            if not dataclasses.fields(value):
                continue
            hint = annotated(type(value), *getattr(hint, "__metadata__", ()))
        elif common and name not in common:
            continue
        elif field.name in texts:
            help_text = tyro.conf.arg(help=shorten(texts[field.name], LONGEST_TEXT, placeholder=" …"))
            hint = annotated(_limited(hint, _choices(name, value)), help_text)
        fields.append((field.name, hint, dataclasses.field(default=value)))
    return dataclasses.make_dataclass(kind.__name__, fields, frozen=True)()


def _choices(name: str, value: object) -> tuple[str, ...] | None:
    """What is completed after an option; None if anything, or if its own value is no choice, as that of `diff`."""
    choices = CHOICES.get(name)
    values = value if isinstance(value, tuple) else (value,)
    return choices if choices is not None and set(values) <= set(choices) else None


def _limited(hint: Any, choices: tuple[str, ...] | None) -> Any:
    """The type of a field that takes these texts alone, or several of them."""
    if choices is None:
        return hint
    literal: Any = Literal
    several: Any = tuple
    kind, *metadata = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    limited = several[literal[choices], ...] if get_origin(kind) is tuple else literal[choices]
    return annotated(limited, *metadata)
