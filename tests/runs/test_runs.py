"""The run folder: what is skipped, what is redone, what is refused, and that nothing finished is lost."""

import json
import os
import resource
import shutil
import signal
from dataclasses import replace
from math import isnan

import numpy as np
import pytest
import yaml

import twotower
from twotower.config.schema import RunConfig
from twotower.config.settings import from_dict, to_dict
from twotower.preference.measured import SETS
from twotower.runs.locking import lock
from twotower.runs.records import read_records, write_records
from twotower.runs.stages import MAIN as STAGES_OF_A_RUN
from twotower.system.errors import DiskFullError, InputError

STAGES = list(STAGES_OF_A_RUN)


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished run that may be changed."""
    return shutil.copytree(finished, tmp_path / "run")


def done(run, config, **options) -> list[str]:
    """The stages that were not skipped."""
    said: list[str] = []
    twotower.run(config, run, say=said.append, **options)
    return [line.split()[0] for line in said if "skipped" not in line]


@pytest.mark.promise("what is done is skipped, and what no longer holds is refused or made again")
def test_a_finished_run_is_skipped_even_as_a_copy(small, copy):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert done(copy, small) == []
    assert before == {path: path.read_bytes() for path in before}


@pytest.mark.promise("what is done is skipped, and what no longer holds is refused or made again")
def test_a_changed_setting_is_refused_and_with_overwrite_redoes_what_depends_on_it(small, copy):
    changed = replace(small, analyze=replace(small.analyze, min_count=4))
    before = (copy / "results.json").read_bytes()
    with pytest.raises(InputError, match=r"stage analyze was made with analyze.min_count = 3, not 4.*--overwrite"):
        twotower.run(changed, copy)
    assert (copy / "results.json").read_bytes() == before
    assert yaml.safe_load((copy / "config.yaml").read_text())["analyze"]["min_count"] == 3
    assert done(copy, changed, overwrite=True) == ["analyze", "report"]
    assert done(copy, changed) == []


def test_too_little_text_for_statistics_is_said_and_not_a_crash(small, copy):
    strict = replace(small, analyze=replace(small.analyze, min_count=10**6))
    run = twotower.run(strict, copy, overwrite=True)
    results = run.results()
    assert results.preference.types == 0 and isnan(results.reliability.estimate)
    page = (copy / "report.html").read_text(encoding="utf-8")
    assert "cannot be measured: no type occurs often enough" in page
    assert "neither tower surely prefers a word class" not in page


def test_redoing_a_stage_redoes_those_after_it_without_being_asked_again(small, copy):
    changed = replace(small, readout=replace(small.readout, learning_rate=1e-3))
    twotower.run(changed, copy, stages=("readout",), overwrite=True)
    for stale in ("scores", "preference", "results"):
        with pytest.raises(InputError, match=r"(scores|preference|results).* is out of date.*twotower (score|analyze)"):
            getattr(twotower.Run.load(copy), stale)()
    assert done(copy, changed) == ["score", "analyze", "report"]
    twotower.Run.load(copy).results()


def test_what_another_version_made_is_said_to_be_so_and_is_made_again(small, copy):
    records = read_records(copy)
    records["analyze"] = replace(records["analyze"], format=records["analyze"].format - 1)
    write_records(copy, records)
    with pytest.raises(InputError, match=r"results.json is out of date: another version of twotower made it.*analyze"):
        twotower.Run.load(copy).results()
    assert done(copy, small) == ["analyze"]  # with the same results, so that the report still stands


def test_what_is_missing_beside_an_artifact_is_named(small, copy):
    (copy / "context.parquet").unlink()
    with pytest.raises(InputError, match=r"scores.parquet is out of date: context.parquet, .* is missing; redo it"):
        twotower.Run.load(copy).scores()


def test_a_stage_does_not_read_what_another_version_made(small, copy):
    records = read_records(copy)
    records["score"] = replace(records["score"], format=records["score"].format - 1)
    write_records(copy, records)
    with pytest.raises(InputError, match=r"which stage analyze reads, was made by another version.*twotower run --out"):
        twotower.run(small, copy, stages=("analyze",))
    assert "score" in done(copy, small)


def test_operational_settings_change_nothing(small, copy):
    assert done(copy, replace(small, train=replace(small.train, checkpoint_seconds=1.0))) == []


def test_a_run_made_before_a_setting_existed_counts_as_made_with_its_default(small, copy):
    records = read_records(copy)
    del records["train"].settings["train.optimizer"]
    write_records(copy, records)
    assert done(copy, small) == []
    assert done(copy, replace(small, train=replace(small.train, optimizer="muon")), overwrite=True)[0] == "train"


def test_a_run_made_with_a_setting_that_is_gone_counts_as_made_with_the_value_that_remains(small, copy):
    path, saved = copy / "config.yaml", (copy / "config.yaml").read_text(encoding="utf-8")
    path.write_text(saved.replace("train:\n", "train:\n  loss: blocks\n"), encoding="utf-8")
    records = read_records(copy)
    records["train"].settings["train.loss"] = "blocks"
    write_records(copy, records)
    assert done(copy, small) == []
    path.write_text(saved.replace("train:\n", "train:\n  loss: liger\n"), encoding="utf-8")
    with pytest.raises(InputError, match=r"config.yaml: 'train.loss' is not a setting"):
        done(copy, small)


def test_a_lost_file_is_made_again_and_a_damaged_one_is_named(small, copy):
    (copy / "report.html").unlink()
    assert done(copy, small) == ["report"]
    with (copy / "scores.parquet").open("r+b") as file:
        file.seek(100)
        file.write(b"damage")
    with pytest.raises(InputError, match=r"scores.parquet is damaged.*twotower score --out .* --overwrite"):
        twotower.run(small, copy)
    assert done(copy, small, stages=("score",), overwrite=True) == ["score"]
    assert done(copy, small) == []  # the very same bytes as before: nothing after it is stale


def test_stages_need_the_ones_before_them(small, copy, tmp_path):
    with pytest.raises(InputError, match=r"trunk is missing, which stage readout reads; run `twotower train"):
        shutil.rmtree(copy / "trunk")
        twotower.run(small, copy, stages=("readout",))
    with pytest.raises(InputError, match="run `twotower prepare"):
        twotower.run(small, tmp_path / "new", stages=("train",))
    assert not (tmp_path / "new").exists()


def test_refused_input_leaves_no_folder_behind(small, tmp_path):
    nowhere = replace(small, prepare=replace(small.prepare, corpus=(str(tmp_path / "absent"),)))
    with pytest.raises(InputError, match="does not exist"):
        twotower.run(nowhere, tmp_path / "deep" / "run")
    assert not (tmp_path / "deep").exists()


def test_fewer_tokens_than_one_window_leaves_no_folder_behind(with_settings, tmp_path):
    (tmp_path / "lines.txt").write_text("".join(f"a few {chr(97 + k)} words\n" for k in range(20)))
    few = with_settings(
        prepare={"corpus": (str(tmp_path / "lines.txt"),), "documents": "line", "vocabulary": 64}, train={"window": 200}
    )
    few = replace(few, train=replace(few.train, tokens=10**6), readout=replace(few.readout, tokens=10**6))
    with pytest.raises(InputError, match="fewer than one window of 200"):
        twotower.run(few, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_refused_input_leaves_the_old_run_alone(small, copy, tmp_path):
    nowhere = replace(small, prepare=replace(small.prepare, corpus=(str(tmp_path / "absent"),)))
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    with pytest.raises(InputError):
        twotower.run(nowhere, copy, overwrite=True)
    assert before == {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert done(copy, small) == []


def test_folders_that_are_no_run_are_not_touched(small, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine")
    with pytest.raises(InputError, match="is not a run folder"):
        twotower.run(small, tmp_path / "thesis")
    with pytest.raises(InputError, match="is a file"):
        twotower.run(small, tmp_path / "thesis" / "chapter.txt")
    assert os.listdir(tmp_path / "thesis") == ["chapter.txt"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.yaml", "model: [", "config.yaml: not valid YAML"),
        ("config.yaml", "model:\n  widht: 3\n", "config.yaml: .*widht"),
        ("config.yaml", "seed: three\n", "config.yaml: .*seed"),
        ("stages.json", "{", "stages.json is damaged"),
    ],
)
def test_damaged_records_are_named(small, copy, name, content, message):
    (copy / name).write_text(content)
    with pytest.raises(InputError, match=message):
        twotower.Run.load(copy)
        twotower.run(small, copy)


def test_a_full_disk_names_the_path_and_keeps_what_was_there(small, copy):
    """A limit on the size of files stands in for the disk: writing past it fails in the same way."""
    before = (copy / "scores.parquet").read_bytes()
    changed = replace(small, score=replace(small.score, batch=32))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(DiskFullError) as caught:
            twotower.run(changed, copy, stages=("score",), overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert str(copy) in str(caught.value.filename)
    assert (copy / "scores.parquet").read_bytes() == before
    assert done(copy, changed, stages=("score",), overwrite=True) == ["score"]


def test_two_processes_do_not_share_a_folder(small, copy):
    with lock(copy), pytest.raises(InputError, match="another twotower process"):
        twotower.run(small, copy)


def test_configuration_survives_the_round_trip(small):
    assert from_dict(yaml.safe_load(yaml.safe_dump(to_dict(small)))) == small
    assert from_dict(to_dict(RunConfig())) == RunConfig()


def test_provenance_names_versions_seed_and_machine(finished):
    values = json.loads((finished / "provenance.json").read_text())
    assert values["seed"] == 0 and values["versions"]["torch"] and values["machine"]["cores"]


TOLD = ["document", "position", "piece_id", "piece", "word", "upos", "whole_word", "begins"]


def test_python_gives_frames_and_a_model(finished):
    run = twotower.Run.load(finished)
    scores, types = run.scores(), run.preference()
    heads = [*run.model().config.head_names, "near"]
    assert {f"{name}_{tower}" for name in ("readout", "fourth") for tower in ("1", "2", "together")} < set(heads)
    assert list(scores.columns) == [*TOLD, *heads]
    assert (scores[heads].dtypes == "float32").all() and (scores[heads] <= 0).all().all()
    assert types["count"].sum() == len(scores)
    row = types.iloc[3]
    rows = scores[scores["piece_id"] == row["piece_id"]]
    each = [(rows[f"{name}_1"] - rows[f"{name}_2"]).mean() for name in SETS[: run.config.readout.replicates]]
    assert row["mean"] == pytest.approx(np.mean(each), abs=1e-6)
    assert [row[f"under_{name}"] for name in SETS] == pytest.approx(each, abs=1e-6)
    assert run.model().config.towers == 2
