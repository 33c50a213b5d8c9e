"""Prepared text that runs share is whole in each, and belongs to none."""

import os
import shutil
from dataclasses import replace

import twotower
from twotower.runs.sharing import address, adopt


def test_a_run_goes_on_from_shared_text_to_the_same_results(small, finished, tmp_path):
    adopt(tmp_path / "run", finished, "prepare")
    assert os.path.samefile(tmp_path / "run" / "data" / "train.npy", finished / "data" / "train.npy")
    messages = []
    twotower.run(small, tmp_path / "run", stages=("prepare", "train"), say=messages.append)
    assert messages == ["prepare: done before, skipped", "train …"]
    for name in ("trunk/model.safetensors", "emergence.parquet"):
        assert (tmp_path / "run" / name).read_bytes() == (finished / name).read_bytes()
    moved = shutil.copytree(tmp_path / "run", tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "run")
    assert len(twotower.Run.load(moved).config.prepare.corpus) == 1 and (moved / "data" / "train.npy").stat().st_size


def test_making_it_anew_leaves_the_others_alone(small, finished, tmp_path):
    adopt(tmp_path / "run", finished, "prepare")
    other = replace(small, prepare=replace(small.prepare, vocabulary=300))
    before = (finished / "tokenizer.json").read_bytes()
    twotower.run(other, tmp_path / "run", stages=("prepare",), overwrite=True)
    assert (finished / "tokenizer.json").read_bytes() == before != (tmp_path / "run" / "tokenizer.json").read_bytes()


def test_the_address_is_of_what_the_text_depends_on(small):
    assert address(small, "prepare") == address(replace(small, seed=7, threads=2), "prepare")
    assert address(small, "prepare") != address(replace(small, prepare=replace(small.prepare, heldout=0.3)), "prepare")
