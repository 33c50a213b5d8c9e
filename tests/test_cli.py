"""The command line: what it says, where, and with which exit code."""

import subprocess
import sys

import pytest

from twotower import cli
from twotower.cli import dispatch, stages
from twotower.report.summary import headline
from twotower.results.results import results_in


def run(*words, **options):
    return subprocess.run([sys.executable, "-m", "twotower.cli", *words], capture_output=True, text=True, **options)


@pytest.mark.promise("bad input is refused in one line before any work")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--preset", "nope"], "preset: 'nope' is unknown; `twotower presets` lists them"),
        (["--family", "nope"], "model.family: nope is not possible; allowed: gpt, bert, elmo or hf:MODEL_TYPE"),
        (["--family", "hf:t5"], "is an encoder-decoder"),
        (["--family", "bert", "--objective", "causal"], "objective: causal is not possible for family bert"),
        (["--model.elmo-backward", "off"], "only elmo reads backwards"),
        (["--model.width", "65"], "model.width: 65 is not possible; allowed: a multiple of model.heads (2)"),
        (
            ["--family", "elmo", "--model.activation", "gelu"],
            "model.activation: gelu is not possible",
        ),
        (["--tokens", "0"], "train.tokens: 0 is not possible; allowed: 1 or more"),
        (["--minutes", "5", "--tokens", "9000"], "--tokens and --minutes exclude each other"),
        (["--minutes", "-1"], "train.minutes: -1.0 is not possible; allowed: more than 0"),
        (["--minutes", "inf"], "train.minutes: inf is not possible; allowed: a finite number"),
        (["--train.learning-rate", "nan"], "train.learning_rate: nan is not possible; allowed: a finite number"),
        (["--seed", "99999999999999999999"], "seed: 99999999999999999999 is not possible; allowed: "),
        (["--seed", "3000000000"], "seed: 3000000000 is not possible; allowed: 0 to 2147483647"),
        (["--threads", "100000"], "threads: 100000 is not possible; allowed: 0 (PyTorch's default) to "),
        (["--analyze.clusters", "("], "analyze.clusters: '(' is not possible; allowed: a regular expression"),
        (["--corpus", "/dev/null"], "/dev/null is a pipe, a socket or a device"),
        (["--corpus", "a" * 5000], "cannot be looked up"),
        (["--corpus", "wikitext:" + "a" * 5000], "a does not exist; give a file or a folder"),
        (["--corpus", "~nobody_has_this_name/x"], "corpus: '~nobody_has_this_name/x' does not exist"),
        (["--prepare.tokenizer", "/" + "a" * 5000], "a does not exist; give a tokenizer.json or a vocab.txt"),
        (["--out", "a" * 5000], "characters is too long; give another"),
        (["--config", "a" * 5000], "cannot be read (File name too long)"),
        (["--seed", "9" * 5000], "a number of 5,000 characters is too large"),
        (["--seed", "0_"], "expected a whole number, found '0_'"),
        (["--train.batch", "many"], "expected a whole number, found 'many'"),
        (["--train.precision", "bf8"], "bf8"),
        (["--model.towers", "9"], "model.towers: 9 is not possible; allowed: 1 to 8"),
        (["--model.layers", "4053838"], "model.layers: 4053838 is not possible; allowed: 1 to 256"),
        (["--prepare.heldout", "0.01"], "prepare.heldout: 0.01 is not possible; allowed: 0.1 to 0.5"),
        (["--corpus", "/does/not/exist"], "corpus: '/does/not/exist' does not exist"),
        (["--prepare.tokenizer", "/no/tokenizer.json"], "prepare.tokenizer: /no/tokenizer.json does not exist"),
        (["--prepare.tagger", "spacy:none_such"], "spaCy's pipeline 'none_such' is not installed"),
    ],
)
def test_bad_input_is_one_line_and_exit_2_before_any_work(tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["run", *words]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("twotower: ")]
    assert len(lines) == 1 and message in lines[0]
    assert list(tmp_path.iterdir()) == []


def test_bugs_keep_their_traceback(monkeypatch):
    def broken(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(dispatch, "_run", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        cli.main(["run"])


@pytest.mark.promise("bad input is refused in one line before any work")
def test_help_names_every_command_and_needs_no_heavy_import():
    listed = run("--help")
    assert listed.returncode == 0 and all(command in listed.stdout for command in cli.COMMANDS)
    for words in (["--help"], ["run", "--help"], ["train", "--help"]):
        code = (
            "import sys; from twotower import cli\n"
            f"try: cli.main({words!r})\nexcept SystemExit: pass\n"
            "heavy = {'torch', 'transformers', 'numpy', 'pandas', 'pyarrow', 'matplotlib'} & set(sys.modules)\n"
            "sys.exit(repr(heavy) if heavy else 0)"
        )
        shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert shown.returncode == 0, shown.stderr
    assert run().returncode == 2 and run("--version").stdout.startswith("twotower ")
    assert "'nope' is not a command" in run("nope").stderr


def test_statistics_and_pages_of_a_finished_run_need_no_towers():
    code = (
        "import sys\n"
        "import twotower.pipeline, twotower.results.analysis, twotower.results.diff_analysis, twotower.cli.output\n"
        "import twotower.report.page, twotower.report.diff_page, twotower.comparison.compare, twotower.report.study\n"
        "heavy = {'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)\n"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr


def test_an_existing_folder_gives_the_defaults(finished, capsys):
    assert cli.main(["analyze", "--out", str(finished)]) == 0
    captured = capsys.readouterr()
    results = results_in(finished / "results.json", finished)
    assert "skipped" in captured.err and headline(results) in captured.out
    assert cli.main(["run", "--out", str(finished), "--seed", "5"]) == 2
    assert "made with seed = 0, not 5" in capsys.readouterr().err


def test_a_family_without_a_preset_starts_from_its_own_quickstart_and_flags_override_it():
    def parsed(*words):
        return stages.parse(cli.COMMANDS["run"], list(words)).config

    assert parsed("--family", "bert").preset == "quickstart-bert"
    assert parsed("--family", "bert").model.positions == "relative"
    assert parsed("--family=elmo", "--model.layers", "1").model.layers == 1
    assert parsed("--family", "hf:llama").preset == parsed("--family", "gpt").preset == "quickstart"
    explicit = parsed("--preset", "quickstart", "--family", "bert")
    assert (explicit.preset, explicit.model.family, explicit.model.positions) == ("quickstart", "bert", "learned")
    assert parsed("--preset", "paper-bert-large", "--family", "gpt").train.batch == 3840
