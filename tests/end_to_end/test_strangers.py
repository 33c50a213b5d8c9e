"""A pair and its strangers: side by side, each in a run folder of its own, reported together."""

import json
from dataclasses import replace

import pytest

import twotower
from small_runs import configure
from twotower import cli, pipeline
from twotower.runs.records import read_records
from twotower.system.errors import InputError


@pytest.fixture(scope="module")
def quick(small):
    return replace(small, preset="quickstart", readout=replace(small.readout, replicates=2))


@pytest.fixture(scope="module")
def together(quick, built_once):
    def run(out):
        configure(out, quick)
        assert cli.main(["run", "--out", str(out)]) == 0

    return built_once("pair-with-strangers", run)


@pytest.mark.promise("a run trains its strangers beside it, and is measured against them")
def test_a_quickstart_runs_its_strangers_and_reads_them(together):
    pair, strangers = twotower.Run.load(together), twotower.Run.load(together / "strangers")
    assert strangers.config.model.cooperation == 0 and strangers.config.seed == pair.config.seed
    for name in ("train.npy", "heldout.npy"):
        assert (together / "data" / name).samefile(together / "strangers" / "data" / name)
    theirs = pair.results().division.strangers
    assert theirs.size == strangers.results().division.size
    assert [row.label for row in theirs.labels] == [row.label for row in strangers.results().division.labels]
    assert not (together / "strangers.log").exists()


@pytest.mark.slow
def test_the_pairs_files_are_the_same_without_strangers_which_can_be_added_later(quick, together, tmp_path):
    out = tmp_path / "alone"
    configure(out, quick)
    assert cli.main(["run", "--out", str(out), "--no-strangers"]) == 0
    assert not (out / "strangers").exists() and "strangers" not in read_records(out)
    assert json.loads((out / "results.json").read_text())["division"]["strangers"] is None
    mine, other = read_records(out), read_records(together)
    for stage in ("prepare", "train", "readout", "score"):
        for name, made in mine[stage].outputs.items():
            if name not in ("training.json", "metrics.jsonl"):  # these tell the time
                assert made.digest == other[stage].outputs[name].digest, name
    assert cli.main(["strangers", "--out", str(out)]) == 0
    assert cli.main(["analyze", "--out", str(out)]) == 0
    later, at_once = (twotower.Run.load(run).results().division for run in (out, together))
    assert later == at_once


def test_nothing_is_run_again_where_all_is_up_to_date(together, capsys):
    assert cli.main(["run", "--out", str(together)]) == 0
    error = capsys.readouterr().err
    assert "strangers: done before, skipped" in error and "train …" not in error


def test_only_cooperating_towers_have_strangers(with_settings, tmp_path):
    for settings in ({"towers": 1}, {"cooperation": 0.0}):
        with pytest.raises(InputError, match="only cooperating towers have strangers"):
            pipeline.run_with_strangers(with_settings(model=settings), tmp_path / "run")
