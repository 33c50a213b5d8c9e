"""The table of commands. A new one is a function in a module of this package, and a line here.

A name may be two words, such as `study submit`.
"""

from __future__ import annotations

from . import cluster, stages
from . import diff as diffs
from . import plan as plans
from .browse import ListArguments, ShowArguments, list_runs, show_run
from .checks import RerunArguments, VerifyArguments, rerun, verify
from .doctor import DoctorArguments, doctor
from .explore import ExploreArguments, explore
from .export import ExportArguments, export_run
from .know import default_arguments, know, lesion
from .options import Command
from .presets import PresetsArguments, presets
from .study import CompareArguments, StudyArguments, compare, compare_one, default_study, study

STAGES = {
    "prepare": "Text to tokens: tokenizer, held-out split, part of speech.",
    "train": "The joint phase: all towers on one objective.",
    "rewrite": "The training text without meaning and without syntax, for towers planted by text.",
    "readout": "Readouts of each tower and of all, the trunk frozen, until they have converged; in independent sets.",
    "score": "Log-probability of every held-out token under every head.",
    "strangers": "The control: towers on the same text and batches that do not cooperate, in a run of their own.",
    "planted": "The scale: the same towers with a division planted, each kind in a run of its own.",
    "analyze": "Preference per type, its reliability, and what it follows.",
    "report": "One self-contained page, and its figures as SVG.",
}
COMMANDS = {
    command.name: command
    for command in (
        Command("run", "All stages: from text to a preference report.",
                stages.run_stages, stages.default_arguments, stages.COMMON),
        *(Command(name, text, stages.run_stages, stages.default_arguments, stages.common_of(name))
          for name, text in STAGES.items()),
        Command("diff", "Any two language models, or more: which words each predicts better, by class and context.",
                diffs.diff, diffs.default_arguments, diffs.COMMON),
        Command("know", "What each tower of a finished run knows: minimal pairs, probes, lesions and the like.",
                know, default_arguments),
        Command("lesion", "What is lost without each tower: the lesions of `know` alone.", lesion, default_arguments),
        Command("explore", "A local page: words, concordances, passages, training; two runs side by side.",
                explore, ExploreArguments),
        Command("presets", "Which preset answers which question, and about how long it takes here.",
                presets, PresetsArguments),
        Command("list", "The runs below a folder: how far each has come, and its main figures.",
                list_runs, ListArguments),
        Command("show", "The summary of a finished run again.", show_run, ShowArguments),
        Command("export", "A run as a folder to share: a model for the hub, a supplement for a paper.",
                export_run, ExportArguments),
        Command("study", "Many runs over presets, seeds and settings, and what they say together.",
                study, StudyArguments),
        Command("study submit", "Send the runs of a planned study to a cluster.",
                cluster.submit, cluster.default_submit),
        Command("study status", "How far the runs of a study are, from their folders alone.",
                cluster.status, default_study),
        Command("study compare", "What the finished runs of a study say together.", compare_one, default_study),
        Command("study work", "Make runs of a planned study here; what the tasks of a cluster do.",
                cluster.work, cluster.default_work),
        Command("compare", "What finished runs say together, wherever they are: study.json and study.html.",
                compare, CompareArguments),
        Command("rerun", "A run again from its folder alone, and the first file that differs.",
                rerun, RerunArguments),
        Command("verify", "Whether every file of a run is what its stage wrote, to the byte.",
                verify, VerifyArguments),
        Command("plan", "What a preset takes: parameters, operations, memory, hours; nothing is allocated, read or "
                "written.", plans.plan, plans.default_arguments, plans.COMMON),
        Command("doctor", "What this machine can do, what each preset takes here, and what is wrong.",
                doctor, DoctorArguments),
    )
}  # fmt: skip
