"""`twotower rerun`: the same bytes again, or the first file that differs and the likely reason."""

import json
import shutil
from dataclasses import replace

import pytest

from twotower import cli
from twotower.api.rerun import differences
from twotower.runs.provenance import read_provenance
from twotower.runs.records import read_records, write_records


@pytest.mark.promise("the same seed gives the same bytes again")
def test_a_run_is_made_again_to_the_byte(finished, tmp_path, capsys):
    run = shutil.copytree(finished, tmp_path / "run")
    assert cli.main(["rerun", str(run)]) == 0
    again = tmp_path / "run-again"
    assert "the same as" in capsys.readouterr().out
    for name in ("results.json", "scores.parquet", "preference.parquet", "model/model.safetensors"):
        assert (again / name).read_bytes() == (run / name).read_bytes()
    assert cli.main(["rerun", str(run)]) == 2 and "exists; give a folder that does not" in capsys.readouterr().err


@pytest.mark.slow
def test_the_first_difference_is_named_with_its_likely_reason(finished, tmp_path, capsys):
    run = shutil.copytree(finished, tmp_path / "run")
    records = read_records(run)
    trunk = replace(records["train"].outputs["trunk"], digest="0" * 64)
    records["train"].outputs["trunk"] = trunk
    write_records(run, records)
    made = json.loads((run / "provenance.json").read_text())
    made["versions"]["torch"] = "1.0"
    (run / "provenance.json").write_text(json.dumps(made))
    assert cli.main(["rerun", str(run), "--out", str(tmp_path / "other")]) == 1
    output = capsys.readouterr().out
    assert "trunk is the first that differs, of stage train" in output and "torch was 1.0 and is" in output


def test_what_may_differ_is_said(finished):
    made = read_provenance(finished)
    assert differences(made, made) == () and made.install.startswith("pip install twotower==")
    other = replace(made, machine=replace(made.machine, threads=7))
    assert differences(made, other) == (f"the machine's threads was {made.machine.threads} and is 7",)


def test_a_folder_without_a_run_is_one_line(tmp_path, capsys):
    assert cli.main(["rerun", str(tmp_path / "none")]) == 2
    assert "is not a run folder" in capsys.readouterr().err
