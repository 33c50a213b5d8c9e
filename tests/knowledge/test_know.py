"""`twotower know` as a user runs it: what it writes, what it skips, what it refuses."""

import json
import shutil

import pytest

import twotower
from small_treebank import write_treebank
from twotower.cli import main
from twotower.config.conversion import record_from
from twotower.knowledge.findings.knowledge import Knowledge
from twotower.runs.verification import verify


@pytest.fixture(scope="module")
def known(finished, tmp_path_factory):
    """A run that was asked with pairs and lesions, and how it was. Tests must not change it."""
    folder = tmp_path_factory.mktemp("known")
    run = folder / "run"
    shutil.copytree(finished, run)
    treebank = write_treebank(folder / "trees.conllu", times=8)
    pairs = folder / "object.csv"
    rows = ["good,bad"] + [
        f"the {who} of the {what} must {verb} .,the {who} of the {what} must of ."
        for who in ("people", "states", "nation")
        for what in ("world", "country", "union")
        for verb in ("be", "have", "make")
    ]  # fmt: skip
    pairs.write_text("\n".join(rows) + "\n")
    arguments = ["know", str(run), "--only", "pairs", "lesions", "--treebank", str(treebank), "--pairs", str(pairs),
                 "--frequent", "1", "--lesion-tokens", "300"]  # fmt: skip
    assert main(arguments) == 0
    return run, arguments


@pytest.mark.promise("each tower is asked what it knows: twotower know")
def test_results_hold_what_was_found_and_the_pairs_can_be_read_over(known):
    run, _ = known
    found = json.loads((run / "results.json").read_text())["knowledge"]
    assert set(found) == {"pairs", "lesions"}
    assert found["pairs"]["heads"] == ["joint", "tower 1", "tower 2", "frequency"]
    [ready] = [paradigm for paradigm in found["pairs"]["paradigms"] if paradigm["set"] == "object"]
    assert ready["pairs"] == 27 and set(ready["accuracy"]) == set(found["pairs"]["heads"])
    import pandas as pd

    table = pd.read_parquet(run / "knowledge" / "pairs" / "pairs.parquet")
    assert {"good", "bad", "relation", "paradigm", "joint good", "tower 2 bad"} <= set(table.columns)
    violations = table["set"].eq("treebank") & table["kind"].ne("other")
    assert violations.any() and (table.loc[violations, "relation"] != "").all()
    assert found["lesions"]["upos"]["apart"]["null"]["high"] > 0
    assert twotower.Run.load(run).results().knowledge == record_from(Knowledge, found, str(run))
    assert verify(run)[1] == []


def test_what_is_done_is_skipped_and_other_settings_are_refused(known, capsys):
    run, arguments = known
    before = (run / "results.json").read_bytes()
    assert main(arguments) == 0
    error = capsys.readouterr().err
    assert "pairs: done before, skipped" in error and "lesions: done before, skipped" in error
    assert main([*arguments, "--frequent", "2"]) == 2
    assert "know.frequent" in capsys.readouterr().err
    assert (run / "results.json").read_bytes() == before


@pytest.mark.slow
def test_each_instrument_has_settings_of_its_own(finished, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    treebank, pairs = write_treebank(tmp_path / "trees.conllu", times=8), tmp_path / "object.csv"
    rows = [f"the {who} must {verb} .,the {who} must of ." for who in ("people", "states") for verb in ("be", "have")]
    pairs.write_text("\n".join(["good,bad", *rows]) + "\n")
    few = ["--frequent", "1", "--lesion-tokens", "300", "--compared-tokens", "100"]

    def ask(*words):
        code = main(["know", str(run), *words])
        error = capsys.readouterr().err
        return code, error, json.loads((run / "results.json").read_text())["knowledge"]

    code, _, first = ask("--pairs", str(pairs), *few)
    assert code == 0 and set(first) == {"pairs", "lesions", "similarity"}
    code, said, second = ask("--only", "decoding", "--treebank", str(treebank))
    assert code == 0 and second == first | {"decoding": second["decoding"]}, said
    code, said, third = ask("--only", "decoding", "--decoding-sentences", "60", "--overwrite")
    assert code == 0 and third == first | {"decoding": third["decoding"]} and third != second, said
    code, said, _ = ask("--pairs", str(pairs), str(pairs))
    assert code == 2 and "stage pairs was made with know.pairs" in said
    code, said, fourth = ask("--only", "pairs", "--treebank", str(treebank), "--overwrite")
    assert code == 0 and "lesions …" in said and fourth["decoding"] == third["decoding"]
    assert {paradigm["set"] for paradigm in fourth["pairs"]["paradigms"]} == {"object", "treebank"}
    assert fourth["lesions"]["relations"] is None  # the lesions are asked again, with what they were asked with
    assert main(["run", "--out", str(run)]) == 0 and verify(run)[1] == []
    assert json.loads((run / "results.json").read_text())["knowledge"] == fourth


def test_a_damaged_table_is_named_with_what_makes_it_again(known, tmp_path, capsys):
    run, _ = known
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    table = copy / "knowledge" / "pairs" / "pairs.parquet"
    table.write_bytes(table.read_bytes()[:-1])
    assert main(["verify", str(copy)]) == 2
    error = capsys.readouterr().err
    assert str(table) in error and f"twotower know {copy} --only pairs --overwrite" in error


def test_a_retrained_run_no_longer_reports_what_the_old_towers_knew(known, tmp_path):
    run, _ = known
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    assert main(["run", "--out", str(copy), "--readout.learning-rate", "0.01", "--overwrite"]) == 0
    assert "knowledge" not in json.loads((copy / "results.json").read_text())


@pytest.mark.parametrize(
    ("extra", "fault"),
    [
        (["--only", "pairs"], "--pairs"),
        (["--only", "probe"], "--treebank"),
        (["--only", "mind"], "not an instrument"),
        (["--only", "pairs", "--pairs", "nowhere.txt"], "does not exist"),
        (["--only", "pairs", "--treebank", "nowhere.conllu"], "does not exist"),
        (["--frequent", "0"], "know.frequent"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(finished, tmp_path, capsys, extra, fault):
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    before = (copy / "results.json").read_bytes()
    assert main(["know", str(copy), *extra]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("twotower:")]
    assert len(lines) == 1 and fault in lines[0]
    assert (copy / "results.json").read_bytes() == before and verify(copy)[1] == []


def test_a_folder_that_is_no_finished_run_is_refused(tmp_path, capsys):
    assert main(["know"]) == 2 and main(["lesion", "--only", "pairs"]) == 2
    assert main(["know", str(tmp_path)]) == 2
    assert "not a run folder" in capsys.readouterr().err
