"""What helps a person at the command line: suggestions, help, presets, completion, tables that fit, pipes that end."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from small_runs import configure
from twotower import cli
from twotower.cli.table import aligned, ending, fitted
from twotower.config.presets import PRESETS, QUESTIONS
from twotower.modeling.plan import Machine, make_plan
from twotower.modeling.rough_costs import run_flops
from twotower.runs.provenance import Machine as OtherMachine
from twotower.studies.estimates import rate_here
from twotower.studies.status import progress_line
from twotower.system.durations import duration


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["rnu"], "'rnu' is not a command (did you mean run?)"),
        (["study", "sumbit", "x"], "study: 'sumbit' is none of submit, status, compare, work (did you mean submit?)"),
        (["run", "--preset", "quikstart"], "preset: 'quikstart' is unknown (did you mean quickstart?)"),
        (["run", "--tokns", "3"], "--tokns is not an option (did you mean --tokens?)"),
        (["run", "--trian.batch", "3"], "--trian.batch is not an option (did you mean --train.batch?)"),
        (["--print-completion", "fsh"], "give a shell (did you mean fish?)"),
        (
            ["list", "--state", "finishd"],
            "--state: 'finishd' is not possible (did you mean finished?); allowed: finished, unfinished, ",
        ),
        (["run", "--train.optimizer", "adam"], "--train.optimizer: 'adam' is not possible (did you mean adamw?)"),
        (["run", "--seed"], "--seed: give a value"),
        (["run", "--model.layers", "two"], "twotower: --model.layers: expected a whole number, found 'two'"),
        (["show", "runs/first", "runs/second"], "'runs/second' is one word too many"),
        (["--bogus"], "--bogus is not an option of twotower itself"),
    ],
)
def test_a_slip_of_the_pen_is_told_what_was_meant(words, meant, capsys):
    assert cli.main(words) == 2
    error = capsys.readouterr().err
    assert meant in error and error.count("\n") == 1


def test_the_version_has_a_short_option(capsys):
    assert cli.main(["-V"]) == cli.main(["--version"]) == 0
    short, long = capsys.readouterr().out.splitlines()
    assert short == long


def test_what_is_like_nothing_gets_no_suggestion(capsys):
    assert cli.main(["zzzzzz"]) == 2
    assert "did you mean" not in capsys.readouterr().err


def test_the_word_help_shows_what_the_option_shows(capsys):
    assert cli.main(["help"]) == 0
    listed = capsys.readouterr().out
    assert cli.main(["--help"]) == 0
    assert capsys.readouterr().out == listed
    for words in (["show"], ["study", "status"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(["help", *words])
        helped = capsys.readouterr().out
        with pytest.raises(SystemExit):
            cli.main([*words, "--help"])
        assert ended.value.code in (0, None) and capsys.readouterr().out == helped


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_help_on_a_terminal_is_plain_where_colours_are_not_wanted(variables, coloured):
    ours, theirs = os.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    command = [sys.executable, "-m", "twotower", "show", "--help"]
    subprocess.run(command, stdout=theirs, env=environment | variables, check=True)
    os.close(theirs)
    shown = os.read(ours, 1000)
    os.close(ours)
    assert b"usage:" in shown and (b"\x1b[" in shown) is coloured


def test_each_preset_has_its_line_and_the_table_fits(capsys, tmp_path):
    assert cli.main(["presets", "--runs", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines[1:] if line and not line.startswith(("time:", "estimates:"))} == set(
        QUESTIONS
    )
    assert {PRESETS[name] for name in QUESTIONS} == set(PRESETS.values())
    assert all(len(line) <= 100 for line in lines)
    assert "timed matrix product" in lines[-1]


@pytest.mark.parametrize(
    "name",
    ["quickstart", "quickstart-bert", pytest.param("quickstart-elmo", marks=pytest.mark.slow), "single-bert-small"],
)
def test_rough_operations_are_nearly_those_that_are_counted(name):
    plan = make_plan(PRESETS[name], Machine())
    counted = sum(
        plan.tokens[phase] * sum(value for part, value in plan.flops_per_token.items() if part.startswith(phase))
        for phase in ("joint", "readouts")
    )
    assert run_flops(PRESETS[name]) == pytest.approx(counted, rel=0.15)


def test_estimates_are_learnt_from_a_run_of_this_machine_and_from_no_small_one(finished, monkeypatch):
    assert rate_here(finished).source is None  # too small
    monkeypatch.setattr("twotower.studies.estimates.LEAST_FLOPS", 0)
    learnt = rate_here(finished)
    assert learnt.source == finished
    assert learnt.seconds(PRESETS["standard"]) > learnt.seconds(PRESETS["quickstart"]) > 0
    monkeypatch.setattr("twotower.studies.estimates.machine_of", lambda _: OtherMachine("", "", 0, 0))
    assert rate_here(finished).source is None


def test_a_reader_who_has_seen_enough_is_no_error(finished):
    for words in (["show", str(finished)], ["--help"]):
        command = f"set -o pipefail; {sys.executable} -m twotower {' '.join(words)} | head -n 1"
        ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
        assert (ended.returncode, ended.stderr) == (0, "") and ended.stdout.count("\n") == 1
    read, write = os.pipe()
    os.close(read)  # nobody reads: the first line already fails
    ended = subprocess.run(
        [sys.executable, "-m", "twotower", "show", str(finished)], stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.fixture
def many(tmp_path, small):
    """Runs that have only been configured, with long names and corpora."""
    below = tmp_path / "runs"
    for seed, corpus in enumerate(["a/very/long/path/to/the/texts/of/a/corpus", "sotu"]):
        prepare = replace(small.prepare, corpus=(corpus,))
        below.mkdir(exist_ok=True)
        name = f"a-run-whose-name-says-all-that-its-maker-could-think-of-at-the-time-{seed}"
        configure(below / name, replace(small, seed=seed, prepare=prepare, preset="quickstart-bert"))
    return below


def test_a_listing_fits_100_columns_and_keeps_the_ends_of_names(many, capsys):
    assert cli.main(["list", str(many)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 100 for line in lines[:3])
    assert [line.split()[0][-1] for line in lines[1:3]] == ["0", "1"]


def test_listings_are_filtered_and_sorted(many, capsys):
    def seeds(*words):
        assert cli.main(["list", str(many), *words]) == 0
        return re.findall(r"-at-the-time-(\d) ", capsys.readouterr().out)

    assert seeds("--sort", "seed", "--reverse") == ["1", "0"]
    assert seeds("--corpus", "sotu") == ["1"]
    assert seeds("--state", "finished") == [] and seeds("--divides", "yes") == []
    assert seeds("--sort", "surplus") == ["0", "1"]  # no run has one yet
    assert cli.main(["list", str(many), "--state", "damaged"]) == 0
    assert capsys.readouterr().out.startswith("0 of 2 runs: there are state ")


def test_tables_give_way_at_the_beginning_of_texts():
    rows = [("run", "state"), ("a/long/name/of/a/run", "finished")]
    assert aligned(fitted(rows, (0,), 20)) == ["run         state", "…/of/a/run  finished"]
    assert ending("abcdef", 4) == "…def" and ending("abc", 4) == "abc"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "under 1 s"), (8, "8 s"), (59.7, "1 min"), (3540, "59 min"), (3599, "1 h 00 min"), (12_345, "3 h 26 min"),
     (200_000, "2 days 8 h"), (86_400, "1 day"), (2e7, "231 days"), (1e8, "3 years")],
)  # fmt: skip
def test_durations_are_said_as_a_person_says_them(seconds, text):
    assert duration(seconds) == text


def test_a_log_says_how_far_its_run_is(tmp_path):
    log = tmp_path / "run.log"
    log.write_text("train …\nreadout:  60%|######    | 1.20M/2.00M [01:12<02:48, 16.7ktoken/s, nats=6.1]\n")
    assert progress_line(log) == "readout 60 %, 3 min left"
    assert progress_line(log, since=log.stat().st_mtime + 1) == ""
    log.write_text("twotower: corpus: does not exist\n")
    assert progress_line(log) == "" and progress_line(tmp_path / "none.log") == ""


SHELL_TESTS = {
    "bash": "COMP_WORDS=(twotower {words}); COMP_CWORD=$(({count} - 1)); {function}; "
    "printf '%s\\n' \"${{COMPREPLY[@]}}\"",
    "fish": "complete -C 'twotower {line}'",
}


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_shells_complete_commands_presets_and_runs(shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    (tmp_path / "runs" / "demo").mkdir(parents=True)
    (tmp_path / "runs" / "demo" / "stages.json").write_text("{}")
    (tmp_path / "runs" / "notes").mkdir()
    script = tmp_path / "completion"
    made = subprocess.run([sys.executable, "-m", "twotower", "--print-completion", shell], capture_output=True)
    script.write_bytes(made.stdout)

    def offered(*words):
        line = SHELL_TESTS[shell].format(
            words=" ".join(f'"{word}"' for word in words), count=len(words) + 1, function="_twotower_runs",
            line=" ".join(words),
        )  # fmt: skip
        shown = subprocess.run([shell, "-c", f"source {script}; {line}"], cwd=tmp_path, capture_output=True, text=True)
        return {line.split("\t")[0].strip() for line in shown.stdout.splitlines()} - {""}

    assert {"show", "study"} <= offered("s") and "run" not in offered("s")
    assert "runs/demo" in offered("show", "ru") and "runs/notes" not in offered("show", "runs/d")
    assert {"quickstart", "quickstart-bert"} <= offered("run", "--preset", "quick")
    assert "paper-gpt-base" in offered("plan", "paper-g")
    assert "--preset" in offered("run", "--pre") and "--jobs" in offered("study", "--j")
    assert "--model.towers" in offered("run", "--model.t") and "bf16" in offered("run", "--train.precision", "b")


def test_zsh_reads_its_script(tmp_path):
    if shutil.which("zsh") is None:
        pytest.skip("no zsh here")
    made = subprocess.run([sys.executable, "-m", "twotower", "--print-completion", "zsh"], capture_output=True)
    script = tmp_path / "_twotower"
    script.write_bytes(made.stdout)
    lines = f"autoload -U compinit; compinit -u; source {script}; print $_comps[twotower]"
    shown = subprocess.run(["zsh", "-fc", lines], capture_output=True, text=True, cwd=Path(tmp_path))
    assert (shown.stdout.strip(), shown.stderr) == ("_twotower_runs", "")


def test_the_script_of_fish_is_short_enough_to_be_one_argument(capsys):
    assert cli.main(["--print-completion", "fish"]) == 0
    assert len(capsys.readouterr().out.encode()) < 128 << 10
