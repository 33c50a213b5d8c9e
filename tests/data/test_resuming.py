"""Long text is prepared in parts, which join to what is prepared at once, and is gone on with after a kill."""

import json
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

import twotower
from twotower.config.settings import to_dict
from twotower.data import resuming
from twotower.runs.records import read_records

CHARACTERS = 40_000
"""Of a part; the text has several times as many."""


@pytest.fixture
def in_parts(monkeypatch):
    monkeypatch.setattr(resuming, "CHARACTERS_OF_PART", CHARACTERS)


def outputs_of(run):
    outputs = read_records(run)["prepare"].outputs
    return {name: known.digest for name, known in outputs.items()}


@pytest.mark.parametrize("words", ["text", "scrambled", "relexicalized"])
def test_the_parts_of_a_text_join_to_the_whole(small, tmp_path, in_parts, monkeypatch, words):
    config = replace(small, prepare=replace(small.prepare, words=words))
    parts = twotower.run(config, tmp_path / "parts", stages=["prepare"]).path / "data"
    monkeypatch.setattr(resuming, "CHARACTERS_OF_PART", 10**9)
    whole = twotower.run(config, tmp_path / "whole", stages=["prepare"]).path / "data"
    assert sorted(path.name for path in parts.iterdir()) == sorted(path.name for path in whole.iterdir())
    for path in whole.glob("*.npy"):
        assert (np.load(path) == np.load(parts / path.name)).all(), path.name
    for path in whole.glob("*.parquet"):
        pd.testing.assert_frame_equal(pd.read_parquet(path), pd.read_parquet(parts / path.name))
    assert json.loads((whole / "corpus.json").read_text()) == json.loads((parts / "corpus.json").read_text())
    assert not list((tmp_path / "parts").glob(".prepare*"))


KILLED = """
import os, signal, sys
from pathlib import Path
import yaml
import twotower
from twotower.config.settings import from_dict
from twotower.data import resuming

resuming.CHARACTERS_OF_PART = int(sys.argv[2])
written = resuming.write_tokens
begun = []

def write_tokens(*arguments):
    begun.append(arguments)
    if len(begun) == 3:
        next(arguments[1])  # has begun to read
        os.kill(os.getpid(), signal.SIGKILL)
    return written(*arguments)

resuming.write_tokens = write_tokens
folder = Path(sys.argv[1])
config = from_dict(yaml.safe_load((folder / "asked.yaml").read_text()), "asked")
twotower.run(config, folder / "run", stages=["prepare"])
"""


def test_after_a_kill_nothing_is_half_written_and_only_what_is_missing_is_done(small, tmp_path, in_parts, monkeypatch):
    whole = twotower.run(small, tmp_path / "whole", stages=["prepare"]).path
    (tmp_path / "asked.yaml").write_text(yaml.safe_dump(to_dict(small)))
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(CHARACTERS)], capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    run = tmp_path / "run"
    assert not (run / "data").exists() and not read_records(run)
    kept = {path.name for path in (run / ".prepare.kept").iterdir()}
    assert {"survey.npz", "tokenizer.json", "part-00000", "part-00001"} <= kept and "part-00002" not in kept
    written, begun = resuming.write_tokens, []

    def counted(*arguments):
        begun.append(arguments)
        return written(*arguments)

    def again(*_):
        raise AssertionError("done before")

    with monkeypatch.context() as patched:
        patched.setattr(resuming, "write_tokens", counted)
        patched.setattr(resuming, "survey", again)
        patched.setattr("twotower.data.prepare.train_tokenizer", again)
        twotower.run(small, run, stages=["prepare"])
    parts = int(np.ceil(json.loads((run / "data" / "corpus.json").read_text())["characters"] / CHARACTERS))
    assert len(begun) <= parts - 2 and outputs_of(run) == outputs_of(whole)
    assert not (run / ".prepare.kept").exists()


def test_what_was_kept_of_other_settings_is_not_used(small, tmp_path, in_parts):
    (tmp_path / "asked.yaml").write_text(yaml.safe_dump(to_dict(small)))
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(CHARACTERS)], capture_output=True)
    assert (tmp_path / "run" / ".prepare.kept" / "part-00001").is_dir()
    other = replace(small, prepare=replace(small.prepare, vocabulary=600))
    run = twotower.run(other, tmp_path / "run", stages=["prepare"]).path
    fresh = twotower.run(other, tmp_path / "fresh", stages=["prepare"]).path
    assert outputs_of(run) == outputs_of(fresh)


def test_sentences_of_parts_are_those_of_the_whole(monkeypatch):
    from twotower.data import duplicates
    from twotower.data.duplicates import Sentences

    texts = [" ".join(f"{number % 70}_{place}" for place in range(8)) for number in range(600)]
    for most in (10_000, 300):
        monkeypatch.setattr(duplicates, "MOST_SENTENCES", most)
        whole, parts = Sentences(), [Sentences() for _ in range(3)]
        for number, text in enumerate(texts):
            for corpus_part in (whole, parts[number // 200]):
                corpus_part.add(text + " more" * (number % 2), heldout=number % 5 == 0)
        joined = Sentences()
        for part in parts:
            joined.merge(part.state())
        assert joined.shared() == whole.shared()
