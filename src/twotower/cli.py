"""The command line: one command per stage, `run` for all of them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tyro

from . import __version__
from .comparison.grid import Grid, jobs, require_seeds
from .config import RunConfig
from .errors import DiskFullError, InputError, Interrupted
from .numerals import plain_numbers
from .plan import Machine, make_plan, show
from .presets import PRESETS, preset
from .printing import printable
from .runs.records import load_config
from .runs.stages import STAGES
from .runs.verification import verify
from .study import compare_folders, estimate_seconds, run_study
from .validation import validate

T = TypeVar("T")

COMMANDS = {
    "run": "All stages: from text to a preference report.",
    "prepare": "Text to tokens: tokenizer, held-out split, part of speech.",
    "train": "The joint phase: all towers on one objective.",
    "readout": "A readout on each tower alone, the trunk frozen; a second pair for the noise floor.",
    "score": "Log-probability of every held-out token under every head.",
    "analyze": "Preference per type, its reliability, and its separation of function from content words.",
    "report": "One self-contained page, and its figures as SVG.",
    "study": "Many runs over presets, seeds and settings, and what they say together.",
    "compare": "What finished runs say together, wherever they are: study.json and study.html.",
    "rerun": "A run again from its folder alone, and the first file that differs.",
    "verify": "Whether every file of a run is what its stage wrote, to the byte.",
    "plan": "What a preset takes: parameters, operations, memory, hours; nothing is allocated, read or written.",
}
USAGE = """usage: twotower COMMAND [OPTIONS]

Train identical language models side by side on one objective and measure how they divide the work.

commands:
{commands}

options:
  -h, --help  show this, or, after a command, its options
  --version   show the version

`twotower run` does everything with the preset `quickstart`. Every stage whose inputs have not changed is skipped.
"""
SUCCESS, FAILURE, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True)
class PlanArguments:
    """What `plan` takes."""

    config: Annotated[RunConfig, tyro.conf.arg(name="")]
    machine: Annotated[Machine, tyro.conf.arg(name="")] = field(default_factory=Machine)
    json: bool = False
    """Print numbers as JSON."""


@dataclass(frozen=True)
class StudyArguments:
    """What `study` takes."""

    grid: Annotated[Grid, tyro.conf.arg(name="")] = field(default_factory=Grid)
    out: Path = Path("studies/study")
    """The study's folder. What is finished there is kept; a grid that contains it goes on with it."""
    jobs: int = 1
    """Runs at a time."""
    threads: int = 1
    """CPU threads of each run."""
    dry: bool = False
    """Only show what would be run."""


@dataclass(frozen=True)
class CompareArguments:
    """What `compare` takes."""

    runs: tyro.conf.Positional[tuple[Path, ...]] = ()
    """Run folders, each with a name of its own."""
    out: Path = Path("studies/comparison")
    """The folder of the comparison."""


@dataclass(frozen=True)
class VerifyArguments:
    """What `verify` takes."""

    runs: tyro.conf.Positional[tuple[Path, ...]] = ()
    """Run folders."""


@dataclass(frozen=True)
class RerunArguments:
    """What `rerun` takes."""

    run: tyro.conf.Positional[Path] = Path()
    """The run folder."""
    out: Path | None = None
    """Where to make it again (default: beside it, as RUN-again)."""


@dataclass(frozen=True)
class Arguments:
    """What every command but `plan` takes."""

    config: Annotated[RunConfig, tyro.conf.arg(name="")]
    out: Path | None = None
    """The run folder (default: runs/PRESET-CORPUS-seedN). In an existing folder, its own settings are the defaults."""
    controls: bool = False
    """For `run`: also run the controls (strangers, shuffled and unigram text, a single tower of equal parameters, and
    for elmo one direction only) and set them beside the run in controls.html. Takes as long as so many more runs."""
    overwrite: bool = False
    """Redo stages that were made with other settings, or whose files are damaged, and what depends on them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        commands = "\n".join(f"  {name:<9} {text}" for name, text in COMMANDS.items())
        print(USAGE.format(commands=commands), end="")
        return SUCCESS if words else BAD_INPUT
    if words[0] == "--version":
        print(f"twotower {__version__}")
        return SUCCESS
    try:
        return _command(words[0], words[1:])
    except InputError as error:
        return _fail(str(error), BAD_INPUT)
    except DiskFullError as error:
        return _fail(f"{error.filename}: {error.strerror}", FAILURE)
    except Interrupted as interruption:
        return _fail(f"{interruption}; the same command goes on from there", INTERRUPTED)
    except BrokenPipeError:  # `twotower … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except KeyboardInterrupt:
        return _fail("stopped; finished stages are kept, and the same command goes on from there", INTERRUPTED)


def _command(command: str, words: list[str]) -> int:
    if command not in COMMANDS:
        raise InputError(f"{command!r} is no command; commands: {', '.join(COMMANDS)}")
    if command == "plan":
        return _plan(words)
    if command == "study":
        return _study(words)
    if command == "compare":
        return _compare(words)
    if command == "verify":
        return _verify(words)
    if command == "rerun":
        return _rerun(words)
    parsed = _parse(command, words)
    if parsed.controls and command != "run":
        raise InputError(f"--controls belongs to `twotower run`, not to `twotower {command}`")
    if parsed.controls and (parsed.config.model.towers == 1 or parsed.config.model.cooperation < 1):
        raise InputError(
            "--controls: only cooperating towers have controls; give two or more, and --model.cooperation 1"
        )
    from .pipeline import default_folder, run

    out = parsed.out or default_folder(parsed.config)
    stages = tuple(STAGES) if command == "run" else (command,)
    finished = run(parsed.config, out, stages, parsed.overwrite, say=_say)
    if command in ("run", "analyze", "report"):
        from .report.summary import summarize

        _show(summarize(finished.results()))
    if command in ("run", "report"):
        _show(f"\nreport: {out / 'report.html'}")
    if parsed.controls:
        _controls(parsed, out)
    return SUCCESS


def _controls(parsed: Arguments, out: Path) -> None:
    from .pipeline import run_controls
    from .report.controls import conclusions

    rows = run_controls(parsed.config, out, parsed.overwrite, say=_say)
    _show("\n".join(["", *(f"- {sentence}" for sentence in conclusions(rows))]))
    _show(f"\ncontrols: {out / 'controls.html'}")


def _study(words: list[str]) -> int:
    """Plan the grid, show it, run what is missing, and compare; 1 if a run failed."""
    parsed = _read(StudyArguments, "study", words, StudyArguments())
    if parsed.jobs < 1 or parsed.threads < 0:
        raise InputError("--jobs must be 1 or more, --threads 0 (PyTorch's default) or more")
    planned = jobs(parsed.grid)
    require_seeds(planned)
    missing = [job for job in planned if not (parsed.out / "runs" / job.name / "report.html").is_file()]
    seconds = dict(zip((job.name for job in missing), estimate_seconds(missing), strict=True))
    for job in planned:
        state = f"to run, about {_duration(seconds[job.name])}" if job.name in seconds else "finished"
        _say(f"{job.name}  {job.config.train.tokens:,} tokens  {state}")
    cores = min(parsed.jobs, os.cpu_count() or 1)
    total = _duration(sum(seconds.values()) / cores)
    _say(f"study: about {total} for what is missing, {parsed.jobs} at a time, one thread each")
    if parsed.dry:
        return SUCCESS
    study, failed = run_study(parsed.grid, parsed.out, parsed.jobs, parsed.threads, say=_say)
    _show_study(study, parsed.out)
    return FAILURE if failed else SUCCESS


def _compare(words: list[str]) -> int:
    parsed = _read(CompareArguments, "compare", words, CompareArguments())
    _show_study(compare_folders(parsed.runs, parsed.out), parsed.out)
    return SUCCESS


def _show_study(study: dict[str, Any], out: Path) -> None:
    from .report.study import conclusions

    _show("\n".join(f"- {sentence}" for sentence in conclusions(study)))
    _show(f"\nstudy: {out / 'study.html'}")


def _verify(words: list[str]) -> int:
    """2 if a file is not what its stage wrote, with a line for each."""
    parsed = _read(VerifyArguments, "verify", words, VerifyArguments())
    if not parsed.runs:
        raise InputError("verify: give one run folder or more")
    faulty = False
    for run in parsed.runs:
        whole, faults = verify(run)
        for fault in faults:
            _fail(fault, BAD_INPUT)
        faulty |= bool(faults)
        _show(f"{run}: {whole} artifacts are what was written" + (f", {len(faults)} are not" if faults else ""))
    return BAD_INPUT if faulty else SUCCESS


def _rerun(words: list[str]) -> int:
    """0 if the run came out the same, 1 if not."""
    parsed = _read(RerunArguments, "rerun", words, RerunArguments())
    out = parsed.out or parsed.run.with_name(parsed.run.resolve().name + "-again")
    from .rerun import rerun

    found = rerun(parsed.run, out, say=_say)
    if found["same"]:
        _show(f"{out}: the same as {parsed.run}, to the byte (files that hold times or versions aside)")
        return SUCCESS
    why = (
        "; ".join(found["reasons"]) or "versions, threads and machine are the same, so a file that was read has changed"
    )
    _show(f"{out}: {found['first']} is the first that differs, of stage {found['stage']}; likely reason: {why}")
    return FAILURE


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{max(1, minutes)} min"


def _plan(words: list[str]) -> int:
    """`twotower plan PRESET`: the preset may stand first, without a flag."""
    if words and not words[0].startswith("-"):
        words = ["--preset", *words]
    config = preset(_peek(words, "--preset") or _usual_preset(words), _peek(words, "--protocol"))
    parsed = _read(PlanArguments, "plan", words, PlanArguments(config))
    validate(parsed.config)
    made = make_plan(parsed.config, parsed.machine)
    print(json.dumps(asdict(made), indent=2) if parsed.json else show(made))
    return SUCCESS


def _parse(command: str, words: list[str]) -> Arguments:
    """Arguments over the defaults of the preset, or of the run folder where it exists and no preset is named."""
    if _peek(words, "--tokens") and _peek(words, "--minutes"):
        raise InputError("--tokens and --minutes exclude each other; give one of them")
    name, folder, protocol = _peek(words, "--preset"), _peek(words, "--out"), _peek(words, "--protocol")
    if name is None and protocol is None and folder and (Path(folder) / "config.yaml").is_file():
        defaults = load_config(Path(folder))
    else:
        defaults = preset(name or _usual_preset(words), protocol)
    return _read(Arguments, command, words, Arguments(config=defaults))


def _usual_preset(words: Sequence[str]) -> str:
    """The preset to start from if none is named: that of the family which is asked for."""
    named = f"quickstart-{_peek(words, '--family')}"
    return named if named in PRESETS and named != "quickstart-gpt" else "quickstart"


def _read(kind: type[T], command: str, words: list[str], default: T) -> T:
    """Arguments of this kind from the command line. Raises `InputError` for what cannot be parsed."""
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(
                kind,
                prog=f"twotower {command}",
                description=f"{COMMANDS[command]} Presets: {', '.join(PRESETS)}.",
                args=plain_numbers(words),
                default=default,
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            raise  # --help
        raise InputError(f"{_one_line(complaint.getvalue())}; see `twotower {command} --help`") from None


def _one_line(box: str) -> str:
    """Tyro's boxed complaint, up to the help it quotes, as one line."""
    lines = [line.strip("│╭╰╮╯─ ") for line in box.splitlines()[1:]]
    kept = []
    for line in lines:
        if line.startswith(("Argument helptext", "For full helptext")):
            break
        if line:
            kept.append(line)
    return " ".join(kept[:4])


def _peek(words: Sequence[str], flag: str) -> str | None:
    """The value of a flag, before the rest is parsed."""
    for position, word in enumerate(words):
        if word == flag and position + 1 < len(words):
            return words[position + 1]
        if word.startswith(flag + "="):
            return word.partition("=")[2]
    return None


def _show(text: str) -> None:
    print(printable(text))


def _say(text: str) -> None:
    print(printable(text), file=sys.stderr)


def _fail(message: str, code: int) -> int:
    _say(f"twotower: {' '.join(message.split())}")
    return code


if __name__ == "__main__":
    sys.exit(main())
