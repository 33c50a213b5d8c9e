"""The table of commands. A new one is a function in a module of this package, and a line here."""

from __future__ import annotations

from .checks import rerun, verify
from .know import know, lesion
from .options import Command
from .plan import plan
from .stages import run_stages
from .study import compare, study

COMMANDS = {
    command.name: command
    for command in (
        Command("run", "All stages: from text to a preference report.", run_stages),
        Command("prepare", "Text to tokens: tokenizer, held-out split, part of speech.", run_stages),
        Command("train", "The joint phase: all towers on one objective.", run_stages),
        Command(
            "readout",
            "A readout on each tower alone, the trunk frozen; a second pair for the noise floor.",
            run_stages,
        ),
        Command("score", "Log-probability of every held-out token under every head.", run_stages),
        Command(
            "analyze",
            "Preference per type, its reliability, and its separation of function from content words.",
            run_stages,
        ),
        Command("report", "One self-contained page, and its figures as SVG.", run_stages),
        Command("know", "What each tower of a finished run knows: minimal pairs, probes, lesions and the like.", know),
        Command("lesion", "What is lost without each tower: the lesions of `know` alone.", lesion),
        Command("study", "Many runs over presets, seeds and settings, and what they say together.", study),
        Command(
            "compare",
            "What finished runs say together, wherever they are: study.json and study.html.",
            compare,
        ),
        Command("rerun", "A run again from its folder alone, and the first file that differs.", rerun),
        Command("verify", "Whether every file of a run is what its stage wrote, to the byte.", verify),
        Command(
            "plan",
            "What a preset takes: parameters, operations, memory, hours; nothing is allocated, read or written.",
            plan,
        ),
    )
}
