"""`twotower study`: the grid, going on with it, a run that fails, and what the runs say together."""

import json
import shutil
from dataclasses import replace

import pytest

import twotower
from small_results import known_of_pairs
from twotower import cli
from twotower.comparison.compare import compare_runs
from twotower.comparison.grid import Grid, jobs
from twotower.comparison.knowledge import knowledge_of_runs
from twotower.comparison.study import study_in
from twotower.config.presets import PRESETS
from twotower.config.settings import changed
from twotower.report.study import render
from twotower.system.errors import InputError


def settings_of(config) -> list[str]:
    """What makes `quickstart` into `config`, as --set takes it."""
    return [
        f"{key}={value[0] if isinstance(value, list) else value}"
        for key, value in changed(config, PRESETS["quickstart"]).items()
        if key not in ("preset", "seed")
    ]


def test_the_grid_is_every_combination_and_strangers_come_last():
    grid = Grid(("quickstart", "quickstart-elmo"), (0, 7), ("model.width=16,32", "train.tokens=65536"), strangers=True)
    planned = jobs(grid)
    assert len(planned) == 2 * 2 * 2 * 2 and [job.stranger for job in planned] == [False] * 8 + [True] * 8
    first = planned[0]
    assert first.name == "quickstart-model.width=16-train.tokens=65536-seed0"
    assert (first.config.model.width, first.config.train.tokens, first.config.seed) == (16, 65536, 0)
    assert planned[-1].config.model.cooperation == 0 and planned[-1].config.model.family == "elmo"
    assert len({job.group for job in planned}) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--presets", "nonsense"], "preset: 'nonsense' is unknown"),
        (["--vary", "model.width"], "not of the form KEY=VALUE,VALUE"),
        (["--vary", "model.wide=3"], "'model.wide' is not a setting"),
        (["--vary", "model.width=33"], "model.width: 33 is not possible"),
        (["--set", "model.width=wide"], "study: model.width"),
        (["--seeds", "0", "0"], "is named twice"),
        (["--jobs", "0"], "--jobs must be 1 or more"),
        (["--seeds", "3"], "one seed only (3)"),
        (["--strangers", "--vary", "model.cooperation=0.5,1"], "--strangers, not both"),
        (["--presets", "quickstart-gpt:0,one"], "not of the form NAME:SEED,SEED"),
    ],
)
def test_a_bad_grid_is_one_line(words, message, tmp_path, capsys):
    assert cli.main(["study", *words, "--out", str(tmp_path / "study")]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not (tmp_path / "study").exists()


def test_finished_runs_are_kept_a_failed_one_is_reported_and_the_rest_is_compared(
    small, finished, second_seed, tmp_path, capsys
):
    out, absent = tmp_path / "study", tmp_path / "absent"
    corpus = small.prepare.corpus[0]
    usual = [text for text in settings_of(small) if not text.startswith("prepare.corpus")]
    vary = f"prepare.corpus={corpus},{absent}"
    planned = jobs(Grid(("quickstart",), (0, 1), (vary,), tuple(usual)))
    assert [job.config.prepare.corpus for job in planned] == [(corpus,)] * 2 + [(str(absent),)] * 2
    shutil.copytree(finished, out / "runs" / planned[0].name)
    shutil.copytree(second_seed, out / "runs" / planned[1].name)
    (out / "runs" / planned[1].name / "report.html").unlink()  # only what is missing is made
    words = ["study", "--seeds", "0", "1", "--set", *usual, "--out", str(out)]
    assert cli.main([*words, "--vary", vary]) == 2  # a folder that holds something else
    assert "exists and is not a study" in capsys.readouterr().err
    moved = out.rename(tmp_path / "aside")
    out.mkdir()
    (out / "study.yaml").write_text("runs: {}\n")
    (moved / "runs").rename(out / "runs")
    scores = (out / "runs" / planned[0].name / "scores.parquet").stat().st_mtime_ns
    assert cli.main([*words, "--vary", vary]) == 1
    captured = capsys.readouterr()
    assert captured.err.count(" failed: ") == 2 and "does not exist" in captured.err
    assert (out / "runs" / planned[0].name / "scores.parquet").stat().st_mtime_ns == scores
    study = json.loads((out / "study.json").read_text())
    assert [row["name"] for row in study["runs"]] == [job.name for job in planned[:2]] and len(study["failed"]) == 2
    group = study["agreement"][0]["groups"]["all"]
    assert group["pairs"] == 1 and 0 < group["p_value"] <= 1
    assert group["low"] <= group["estimate"] <= group["high"]
    profiles = study["profiles"]
    assert {"estimate", "low", "high", "chance", "p_value"} <= profiles["agreement"]["all"].keys()
    assert {"share", "null_high", "p_value", "classes", "loadings"} <= profiles["axes"][0].keys()
    assert profiles["axes"][0]["loadings"].keys() == {job.name for job in planned[:2]}
    assert len(study["emergence"][planned[0].name]["evaluations"]) == 3
    assert all("q_value" in test and test["q_value"] >= test["p_value"] for test in study["tests"])
    page = (out / "study.html").read_text(encoding="utf-8")
    assert study["knowledge"] is None and "What the towers know" not in page, "no run was asked"
    knowledge = [(f"pair {number}", False, known_of_pairs(number % 3 - 1, 1 - number % 3)) for number in range(6)]
    told = render("a study", replace(study_in(out / "study.json"), knowledge=knowledge_of_runs(knowledge, 0.95)))
    assert "minimal pairs, a (syntax) and minimal pairs, a (meaning)" in told
    assert all(f"C{number}: " in page and f"C{number}: " in captured.out for number in (1, 2, 3))
    assert f'href="runs/{planned[1].name}/report.html"' in page
    assert cli.main(["study", "--seeds", "0", "2", "--set", *usual, "--out", str(out)]) == 2
    assert "holds a study of a different grid" in capsys.readouterr().err


def test_towers_that_do_not_cooperate_are_strangers_whatever_asks_for_them():
    planned = jobs(Grid(("quickstart",), (0,), ("model.cooperation=0,1",)))
    assert [(job.stranger, job.config.model.cooperation) for job in planned] == [(True, 0.0), (False, 1.0)]


def test_a_preset_may_have_seeds_of_its_own():
    planned = jobs(Grid(("quickstart:4,5", "quickstart-elmo"), (0, 1)))
    assert [(job.group, job.config.seed) for job in planned] == [
        ("quickstart", 4), ("quickstart", 5), ("quickstart-elmo", 0), ("quickstart-elmo", 1),
    ]  # fmt: skip


@pytest.mark.slow
def test_what_cannot_be_compared_is_one_line_and_nothing_is_lost(small, finished, tmp_path, capsys):
    out = tmp_path / "study"
    usual = settings_of(small)
    planned = jobs(Grid(("quickstart",), (0, 1), (), (*usual, "prepare.corpus=/absent")))
    out.mkdir()
    (out / "study.yaml").write_text("runs: {}\n")
    assert cli.main(["study", "--seeds", "0", "1", "--set", *usual, "prepare.corpus=/absent", "--out", str(out)]) == 2
    assert "fewer than two runs" in capsys.readouterr().err
    shutil.rmtree(out / "runs")
    described = []
    for name in ("one", "two"):
        shutil.copytree(finished, out / "runs" / name)
        described.append((name, out / "runs" / name, planned[0].group, False))
    (out / "runs" / "two" / "scores.parquet").unlink()
    with pytest.raises(InputError, match=r"scores\.parquet"):
        compare_runs(described)
    assert (out / "runs" / "two" / "results.json").is_file()


@pytest.mark.slow
def test_a_run_of_one_tower_stands_beside_pairs_on_the_page(small, finished, tmp_path):
    single = twotower.run(replace(small, model=replace(small.model, towers=1)), tmp_path / "one").path
    study = compare_runs([("pair", finished, "quickstart", False), ("one", single, "single", False)])
    page = render("a study", replace(study, links={"pair": "", "one": ""}))
    assert ">one</a>" in page
