"""`twotower list` and `twotower show`: what lies below a folder, and what one run found."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from small_runs import configure
from twotower import cli
from twotower.runs.listing import look_at, run_folders
from twotower.runs.locking import at_work, lock


@pytest.fixture(scope="module")
def runs(finished, prepared, tmp_path_factory):
    """A folder with a finished, an unfinished, a damaged and an unreadable run, and what is none."""
    below = tmp_path_factory.mktemp("below") / "runs"
    shutil.copytree(finished, below / "whole")
    shutil.copytree(prepared, below / "started")
    shutil.copytree(finished, below / "study" / "runs" / "harmed")
    with (below / "study" / "runs" / "harmed" / "scores.parquet").open("ab") as stream:
        stream.write(b"more")
    (below / "study" / "study.yaml").write_text("runs: {}\n")
    shutil.copytree(below / "started", below / "study" / "prepared" / "0123")
    (below / "unreadable").mkdir()
    (below / "unreadable" / "config.yaml").write_text("nonsense: 1\n")
    (below / "unreadable" / "stages.json").write_text("{}")
    (below / "empty").mkdir()
    return below


def test_each_run_is_listed_with_its_state_and_figures(runs, capsys):
    assert cli.main(["list", str(runs), "--json"]) == 0
    captured = capsys.readouterr()
    listed = {run["run"]: run for run in json.loads(captured.out)["runs"]}
    states = {os.path.relpath(name, runs): run["state"] for name, run in listed.items()}
    assert states == {
        "whole": "finished", "started": "unfinished", "study/runs/harmed": "damaged", "unreadable": "damaged",
    }  # fmt: skip
    whole = listed[str(runs / "whole")]
    results = json.loads((runs / "whole" / "results.json").read_text())
    assert whole["perplexity"] == results["training"]["heldout_perplexity"]["joint"]
    assert whole["surplus"] == results["division"]["surplus"]["estimate"]
    assert whole["verdict"] == results["division"]["verdict"]
    assert (whole["preset"], whole["seed"], whole["towers"]) == ("standard", 0, 2)
    assert listed[str(runs / "started")]["note"] == "train" and "perplexity" not in listed[str(runs / "started")]
    assert "scores.parquet is damaged" in listed[str(runs / "study/runs/harmed")]["note"]
    assert "unreadable/config.yaml" in listed[str(runs / "unreadable")]["note"]


def test_the_table_is_for_people(runs, capsys):
    assert cli.main(["list", str(runs)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["run", "state", "corpus", "preset", "seed", "perplexity", "D", "surplus", "divides"]
    rows = {line.split()[0]: line for line in lines[1:5]}
    assert rows["started"].split()[1:2] == ["unfinished"] and rows["whole"].split()[1] == "finished"
    assert rows["whole"].index("finished") == lines[0].index("state")
    assert any("started: stage train comes next" in line for line in lines)
    assert lines[-1] == "4 runs: 1 unfinished, 2 damaged, 1 finished"


def test_a_run_at_work_is_running_and_looking_never_disturbs_it(runs):
    code = (
        "import sys, pathlib, contextlib; from twotower.runs.execution import lock\n"
        "with lock(pathlib.Path(sys.argv[1])): print('holding', flush=True); sys.stdin.read()"
    )
    held = subprocess.Popen(
        [sys.executable, "-c", code, str(runs / "started")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert held.stdout.readline() == "holding\n"
    listed = look_at(runs / "started")
    assert (listed.state, listed.note) == ("running", "train")
    held.communicate("")
    assert look_at(runs / "started").state == "unfinished"
    with lock(runs / "started"):  # nothing holds it any longer
        assert at_work(runs / "started")


def test_a_folder_without_runs_and_one_that_is_none_say_so(runs, tmp_path, capsys):
    assert cli.main(["list", str(runs / "empty")]) == 2
    assert "there is no run below" in capsys.readouterr().err
    assert cli.main(["list", str(tmp_path / "absent")]) == 2
    assert "absent is not a folder" in capsys.readouterr().err
    assert cli.main(["list", "a" * 5000]) == 2
    assert "cannot be read (File name too long)" in capsys.readouterr().err
    assert run_folders(runs / "whole") == [runs / "whole"]
    assert cli.main(["list", str(runs / "empty"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == []


def test_a_corpus_with_escape_sequences_moves_no_cursor(tmp_path, small, capsys):
    config = replace(small, prepare=replace(small.prepare, corpus=("\x1b[2Jtext\u202e",)))
    configure(tmp_path / "odd", config)
    assert cli.main(["list", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\u202e" not in out and "text" in out


def test_show_prints_the_summary_again(runs, finished, capsys):
    assert cli.main(["report", "--out", str(finished)]) == 0
    before = capsys.readouterr().out
    assert cli.main(["show", str(finished)]) == 0
    assert capsys.readouterr().out == before.lstrip("\n")  # a stage leaves a line before it
    assert cli.main(["show", str(finished), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["headline"] in before and all(sentence in before for sentence in shown["sentences"])
    assert cli.main(["show", str(runs / "started")]) == 2
    assert "results.json does not exist yet; make it with `twotower run --out" in capsys.readouterr().err
    assert cli.main(["show"]) == 2
    assert "show: give the folder of a run" in capsys.readouterr().err
