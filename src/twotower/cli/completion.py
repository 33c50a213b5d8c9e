"""Completion in shells: commands, options and presets by scripts that tyro writes, run folders by lines of our own."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from typing import Annotated, Any, Union

import tyro

from ..config.presets import PRESETS
from ..system.errors import InputError
from ..system.spelling import did_you_mean
from .helptext import for_help
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
compdef _twotower_runs twotower
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
    lines, between = OWN_LINES[shell]
    names = " ".join(name for name in commands if " " not in name)
    print(script + lines.format(
        function=FUNCTION, commands=between.join(OF_RUNS), presets=" ".join(PRESETS), names=names,
    ), end="")  # fmt: skip


FUNCTION = "tyro_twotower"
"""The function of tyro's script."""


def _script_of_tyro(commands: Mapping[str, Command], shell: str) -> str:
    kinds: list[Any] = []
    for name, command in commands.items():
        if " " in name:  # tyro completes words, and no verb after them
            continue
        default = for_help(command.arguments(), choices=CHOICES)
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
