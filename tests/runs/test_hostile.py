"""Files that mean harm: nothing is unpickled, nothing leaves the run folder, escape sequences stay text."""

import pickle
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import twotower
from faults import Bomb
from twotower import cli
from twotower.data.heldout import PreparedText
from twotower.runs import records
from twotower.runs.records import RecordedOutput, read_records, write_records
from twotower.runs.stages import MAIN, STAGES
from twotower.system.errors import InputError
from twotower.system.printing import printable

ARTIFACTS = [
    "data/train.npy", "data/validation.npy", "data/heldout.npy", "data/frequencies.npy", "data/tags.npy",
    "data/heldout.parquet",
    "data/documents.parquet", "data/corpus.json", "tokenizer.json", "trunk/model.safetensors", "trunk/config.json",
    "training.json", "metrics.jsonl", "emergence.parquet", "model/model.safetensors", "model/config.json",
    "scores.parquet", "context.parquet", "direction.parquet", "preference.parquet", "results.json", "stages.json",
    "provenance.json", "config.yaml", "readout.json",
]  # fmt: skip
READ_BY = {name: [stage for stage in MAIN if name.partition("/")[0] in STAGES[stage].inputs] for name in ARTIFACTS}


def readers(run, stages):
    """Everything that reads a run folder: the Python API, the prepared text, and the stages that are named."""
    config = records.load_config(run)
    loaded = twotower.Run.load(run)
    text = PreparedText(run)
    yield from (loaded.scores, loaded.preference, loaded.results, loaded.model)
    yield from (lambda: text.train[:3], lambda: text.heldout[:3], lambda: text.frequencies, lambda: text.classes)
    yield from (lambda: text.documents, lambda: text.pieces, lambda: text.summary)
    from twotower.stage_functions import FUNCTIONS

    for stage in stages:
        yield lambda stage=stage: FUNCTIONS[stage](config, run, run / "out")


@pytest.mark.parametrize("name", ARTIFACTS)
def test_a_pickle_in_the_place_of_an_artifact_is_never_run(finished, tmp_path, monkeypatch, name):
    assert not goes_off(finished, tmp_path, monkeypatch, name, stages=())


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ARTIFACTS if READ_BY[name]])
def test_nor_is_it_by_the_stages_that_read_it(finished, tmp_path, monkeypatch, name):
    assert not goes_off(finished, tmp_path, monkeypatch, name, READ_BY[name])


def goes_off(finished, tmp_path, monkeypatch, name, stages):
    run = shutil.copytree(finished, tmp_path / "run")
    marker = tmp_path / "marker"
    pickle.loads(pickle.dumps(Bomb(tmp_path / "live"))).close()
    assert (tmp_path / "live").exists()  # it would go off
    (run / name).write_bytes(pickle.dumps(Bomb(marker)))
    (run / "out").mkdir()
    monkeypatch.setattr(records, "is_damaged", lambda *_: False)  # as if the digests had been forged as well
    try:
        for read in readers(run, stages):
            try:
                read()
            except Exception:  # whatever a library makes of it: what matters is that it did not run it
                continue
    except InputError:
        pass
    return marker.exists()


def test_an_object_array_and_a_python_tag_are_refused(finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    np.save(run / "data" / "frequencies.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        _ = PreparedText(run).frequencies
    marker = tmp_path / "marker"
    (run / "config.yaml").write_text(f"seed: !!python/object/apply:os.mkdir ['{marker}']\n")
    with pytest.raises(InputError, match="not valid YAML"):
        twotower.Run.load(run)
    assert not marker.exists()


def test_records_cannot_point_outside_of_the_run_folder(finished, tmp_path):
    run, outside = shutil.copytree(finished, tmp_path / "run"), tmp_path / "precious"
    outside.write_text("kept")
    known = read_records(run)
    known["report"].outputs["../precious"] = RecordedOutput("0", stat=[(".", 1, 1)])
    write_records(run, known)
    assert cli.main(["report", "--out", str(run), "--overwrite"]) in (0, 2)
    assert outside.read_text() == "kept"


def test_names_with_escape_sequences_stay_text(tmp_path, capsys):
    name = "red\x1b[31m\u202etxt.exe"
    assert cli.main(["run", "--corpus", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert "\x1b" not in error and "\u202e" not in error and "\\x1b[31m\\u202e" in error


@given(st.text())
def test_what_is_shown_moves_no_cursor(text):
    shown = printable(text)
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert shown == text or not all(character.isprintable() or character == "\n" for character in text)
