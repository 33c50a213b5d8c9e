"""Text that comes from the hub row by row: in the order of its shards, and gone on with where the network failed."""

import json
from dataclasses import replace

import pandas as pd
import pytest

import twotower
from twotower.data import resuming, tagging_pool
from twotower.runs.records import read_records
from twotower.system.errors import InputError

ROWS = 24


@pytest.fixture
def shards(corpus, tmp_path, monkeypatch):
    """Three shards of texts, which `datasets` streams as if they were the hub's."""
    import datasets

    texts = [path.read_text(encoding="utf-8") for path in sorted(corpus.glob("*.txt"))]
    paths = [tmp_path / f"shard-{number}.parquet" for number in range(3)]
    for number, path in enumerate(paths):
        pd.DataFrame({"text": texts[10 * number : 10 * number + 10]}).to_parquet(path)
    load = datasets.load_dataset

    def from_the_hub(source, builder, split, streaming):
        return load("parquet", data_files=[str(path) for path in paths], split=split, streaming=streaming)

    monkeypatch.setattr(datasets, "load_dataset", from_the_hub)
    (tmp_path / "same.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts[:ROWS]))
    return tmp_path


def prepared(small, corpus, folder, threads=1):
    config = replace(small, threads=threads, prepare=replace(small.prepare, corpus=(corpus,)))
    return twotower.run(config, folder, stages=["prepare"]).path


def streams_of(run):
    outputs = read_records(run)["prepare"].outputs["data"].files
    return {name: digest for name, digest in outputs.items() if name.endswith(".npy") or name == "heldout.parquet"}


def test_a_stream_gives_what_the_same_rows_on_disk_give(small, shards, tmp_path):
    streamed = prepared(small, f"stream:{ROWS}:owner/data", tmp_path / "streamed")
    local = prepared(small, str(shards / "same.jsonl"), tmp_path / "local")
    assert streams_of(streamed) == streams_of(local)
    names = pd.read_parquet(streamed / "data" / "documents.parquet")["name"]
    assert sorted(names, key=lambda name: int(name.partition(":")[2])) == [f"data:{number}" for number in range(ROWS)]


def test_a_network_that_fails_is_one_line_and_the_same_command_goes_on_with_more_processes(
    small, shards, tmp_path, monkeypatch
):
    from datasets import IterableDataset

    monkeypatch.setattr(resuming, "CHARACTERS_OF_PART", 40_000)
    whole = prepared(small, f"stream:{ROWS}:owner/data", tmp_path / "whole")
    rows_of, passes = IterableDataset.__iter__, []

    def breaking(self):
        passes.append(self)
        for number, row in enumerate(rows_of(self)):
            if number == 20 and encodes(tmp_path / "run"):
                raise ConnectionError("the hub\nis gone")
            yield row

    def encodes(run):
        return (run / ".prepare.kept" / "part-00000").exists() and not (run / ".prepare.kept" / "again").exists()

    monkeypatch.setattr(IterableDataset, "__iter__", breaking)
    with pytest.raises(InputError, match=r"reading stopped after 20 rows \(ConnectionError: the hub is gone\)"):
        prepared(small, f"stream:{ROWS}:owner/data", tmp_path / "run")
    (tmp_path / "run" / ".prepare.kept" / "again").touch()
    passes.clear()
    monkeypatch.setattr(tagging_pool, "FEWEST_WORDS", 0)
    run = prepared(small, f"stream:{ROWS}:owner/data", tmp_path / "run", threads=2)
    outputs, of_whole = (read_records(folder)["prepare"].outputs for folder in (run, whole))
    assert {name: known.digest for name, known in outputs.items()} == {
        name: known.digest for name, known in of_whole.items()
    }
    assert len(passes) == 1
