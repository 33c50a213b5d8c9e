"""What commands print, and where: --quiet, --json, --help, completion, exit codes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from twotower import cli
from twotower.config.schema import RunConfig
from twotower.config.settings import by_name


def shell(*words, **options):
    return subprocess.run([sys.executable, "-m", "twotower", *words], capture_output=True, text=True, **options)


def test_quiet_is_the_final_line_and_nothing_else(finished, capsys):
    for words, last in (
        (["run", "--out", str(finished)], f"report: {finished / 'report.html'}"),
        (["report", "--out", str(finished)], f"report: {finished / 'report.html'}"),
        (["score", "--out", str(finished)], f"score: {finished}"),
        (["show", str(finished)], f"report: {finished / 'report.html'}"),
        (["list", str(finished)], "1 run: 1 finished"),
        (["verify", str(finished)], None),
    ):
        assert cli.main([*words, "--quiet"]) == 0
        captured = capsys.readouterr()
        assert captured.err == "" and captured.out.count("\n") == 1, words
        assert last is None or captured.out == last + "\n"


def test_quiet_hides_the_progress_of_what_is_really_done_but_no_error(small, tmp_path, capsys):
    words = ["prepare", "--corpus", small.prepare.corpus[0], "--prepare.vocabulary", "512", "--out"]
    assert cli.main([*words, str(tmp_path / "loud")]) == 0
    assert "prepare" in capsys.readouterr().err
    assert cli.main([*words, str(tmp_path / "quiet"), "--quiet"]) == 0
    assert capsys.readouterr() == (f"prepare: {tmp_path / 'quiet'}\n", "")
    assert cli.main(["prepare", "--corpus", str(tmp_path / "absent"), "--quiet"]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_json_is_one_document_on_standard_output(finished, capsys):
    for words, keys in (
        (["run", "--out", str(finished)], {"run", "stages", "headline", "sentences", "figures", "report"}),
        (["prepare", "--out", str(finished)], {"run", "stages"}),
        (["show", str(finished)], {"run", "headline", "sentences", "figures", "report"}),
        (["list", str(finished)], {"folder", "runs"}),
        (["verify", str(finished)], {"runs"}),
        (["plan", "quickstart"], {"parameters", "hours"}),
        (["study", "--dry"], {"runs", "seconds"}),
    ):
        assert cli.main([*words, "--json"]) == 0
        assert keys <= json.loads(capsys.readouterr().out).keys(), words


def test_help_is_short_and_help_all_is_whole(capsys):
    shown = {}
    for flag in ("--help", "--help-all"):
        with pytest.raises(SystemExit) as stop:
            cli.main(["run", flag])
        assert stop.value.code == 0
        shown[flag] = capsys.readouterr().out
    options = {flag: set(re.findall(r"^[│ ]{1,2}(--\w[\w.-]+)", text, re.MULTILINE)) for flag, text in shown.items()}
    assert options["--help"] == {
        "--config", "--out", "--strangers", "--controls", "--overwrite", "--preset", "--seed", "--threads", "--quiet",
        "--json", "--corpus", "--family", "--tokens", "--minutes",
    }  # fmt: skip
    assert options["--help"] < options["--help-all"]
    names = [name.replace("_", "-") for name in by_name(RunConfig())]
    assert [name for name in names if f"--{name}" not in shown["--help-all"]] == []
    assert "twotower run --help-all" in shown["--help"] and "--help-all" not in shown["--help-all"]
    with pytest.raises(SystemExit):
        cli.main(["readout", "-h"])
    readout = capsys.readouterr().out
    assert "--readout.norm" in readout and "--model.width" not in readout


def test_the_help_tells_exit_codes_which_are_those_of_a_shell(tmp_path):
    text = shell("--help").stdout
    assert all(f"\n  {code} " in text for code in ("0", "1", "2", "130")) and "exit codes:" in text
    assert shell("list", str(tmp_path / "absent")).returncode == 2
    (tmp_path / "empty").mkdir()
    assert shell("list", str(tmp_path / "empty"), "--json").returncode == 0


def test_every_command_has_help_and_a_line_in_the_documentation(capsys):
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    for name, command in cli.COMMANDS.items():
        assert command.help.endswith(".") and f"`{name}`" in page.partition("## ")[0], name
        with pytest.raises(SystemExit) as stop:
            cli.main([*name.split(), "--help-all"])
        shown = capsys.readouterr().out
        assert stop.value.code == 0 and shown.startswith(f"usage: twotower {name} ")
        empty = re.search(r"default:\s+(None|False|''|\))|\{None", shown.replace("│", " "))
        assert empty is None, f"{name}: a default that says nothing"


def test_zsh_has_a_script_and_other_shells_say_so(capsys):
    assert cli.main(["--print-completion", "zsh"]) == 0
    assert capsys.readouterr().out.startswith("#compdef twotower")
    for words in (["--print-completion"], ["--print-completion", "pwsh"]):
        assert cli.main(words) == 2
        assert "give a shell: bash, zsh, fish" in capsys.readouterr().err
