"""`twotower run --controls`: the same statistics beside each other, and one tower as large as all together."""

import json
from dataclasses import replace

import pytest

from small_results import UNKNOWN
from small_runs import configure
from twotower import cli
from twotower.comparison.controls import Control, control_configs
from twotower.config.conversion import record_from
from twotower.config.presets import PRESETS
from twotower.config.settings import to_dict
from twotower.preference.class_variance import Explained, Null
from twotower.preference.types import Perplexity
from twotower.report.controls import conclusions, finding
from twotower.statistics.intervals import Estimate


@pytest.mark.parametrize("name", ["quickstart", "quickstart-elmo", "paper-bert-base"])
def test_controls_differ_from_the_run_in_one_thing_and_the_single_tower_is_as_large(name):
    import torch

    from twotower.modeling.model import TowersModel
    from twotower.modeling.sizes import towers_config

    config = PRESETS[name]
    controls = control_configs(config)
    assert ("forwards" in controls) == (config.model.family == "elmo")
    mine = to_dict(config)
    for control, section in (
        ("half-trained", "train"),
        ("strangers", "model"),
        ("shuffled", "prepare"),
        ("unigram", "prepare"),
    ):
        other = to_dict(controls[control])
        changed = [key for key in mine if mine[key] != other[key]]
        assert changed == [section] and sum(mine[section][k] != other[section][k] for k in mine[section]) == 1

    def parameters(one):
        towers = towers_config(one, vocabulary=8)
        with torch.device("meta"):
            return sum(p.numel() for p in TowersModel(towers).parameters())

    single = controls["single"]
    assert single.model.towers == 1 and parameters(single) == pytest.approx(parameters(config), rel=0.05)
    assert single.model.family == "elmo" or single.model.width % single.model.heads == 0


def test_a_backbone_of_transformers_has_controls_of_a_width_that_it_can_have():
    usual = PRESETS["quickstart"]
    single = control_configs(replace(usual, model=replace(usual.model, family="hf:llama")))["single"].model
    assert single.towers == 1 and 40 <= single.width <= 48 and single.width // single.heads % 2 == 0


@pytest.mark.slow
def test_controls_run_beside_a_run_and_are_skipped_the_second_time(small, tmp_path, capsys):
    out = tmp_path / "run"
    configure(out, small)
    for _ in range(2):
        assert cli.main(["run", "--out", str(out), "--controls"]) == 0
    said = capsys.readouterr()
    assert said.err.count("report: done before, skipped") >= 12
    rows = json.loads((out / "controls.json").read_text())
    names = ["run", "half-trained", "strangers", "shuffled", "unigram", "single", "planted-classes", "planted-texts",
             "planted-reach", "idle-zero", "idle-copy", "idle-frozen"]  # fmt: skip
    assert [row["name"] for row in rows] == names
    divides = {row["name"]: row["divides"] for row in rows}
    assert (
        "yes" not in [divides[name] for name in ("idle-zero", "idle-copy", "strangers")] and divides["single"] is None
    )
    copy = json.loads((out / "controls" / "idle-copy" / "results.json").read_text())["division"]
    assert copy["size"]["estimate"] == 0 and copy["differ"] != "yes", "a tower and its copy are the same"
    division = json.loads((out / "results.json").read_text())["division"]
    scale, along = division["scale"], division["along_texts"]
    assert 0 <= along["correlation"]["estimate"] <= 1 and along["strangers"]["correlation"]["estimate"] >= 0
    assert [row["given"] for row in along["tenths"]] == ["", "frequency", "type"]
    assert {row["planted"] for row in scale} == {"classes", "reach", "texts"}
    assert any(row["share"] is None or row["share"]["low"] <= row["share"]["high"] for row in scale)
    assert rows[1]["perplexity"]["towers"][0] == rows[0]["perplexity"]["towers"][0] < rows[1]["perplexity"]["towers"][1]
    half = json.loads((out / "controls" / "half-trained" / "training.json").read_text())
    assert half["steps"] == json.loads((out / "training.json").read_text())["steps"] // 2
    pairs = [row for row in rows if row["name"] in ("run", "half-trained", "strangers", "shuffled", "unigram")]
    assert all(row["reliability"]["low"] is not None for row in pairs)
    assert all(row["explained"]["null"]["high"] > 0 for row in pairs)
    assert next(row for row in rows if row["name"] == "single")["explained"] is None
    assert all(sentence in said.out for sentence in conclusions(record_from(list[Control], rows, "controls.json")))
    page = (out / "controls.html").read_text(encoding="utf-8")
    assert "figure-controls" in page and 'href="strangers/report.html"' in page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["analyze"], "--controls belongs to `twotower run`"),
        (["run", "--model.towers", "1"], "only cooperating towers have controls"),
        (["run", "--model.cooperation", "0"], "only cooperating towers have controls"),
    ],
)
def test_what_has_no_controls_says_so_before_anything_is_run(words, message, tmp_path, capsys):
    assert cli.main([*words, "--controls", "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1 and not (tmp_path / "run").exists()


def row(name, reliable, explained):
    def around(value):
        return value, value - 0.02, value + 0.02

    share = explained and Explained(*around(explained), Null(0.0, 0.02), 0.01, None, 0.5, 90)
    return Control(
        name, name, 1_000, Perplexity(9.0, [10.0, 11.0]), 0.1, "hanta", None, Estimate(*around(reliable)), share
    )


def test_the_page_of_controls_says_which_of_them_the_run_clearly_exceeds():
    rows = [row("run", 0.6, 0.08), row("strangers", 0.05, 0.01), row("shuffled", 0.58, 0.01)]
    assert finding(rows) == (
        "In the reliability of preferences this run clearly exceeds 1 of its 2 controls, and in the share that word "
        "class explains each of its 2 controls."
    )
    strangers, shuffled = conclusions(rows)
    assert "the reliability of preferences is clearly lower (0.05 [0.03, 0.07]; run: 0.60 [0.58, 0.62])" in strangers
    assert (
        "not clearly lower (0.58 [0.56, 0.60]" in shuffled
        and "the share that word class explains is clearly" in shuffled
    )


def test_controls_without_tagged_words_are_compared_in_reliability_alone():
    rows = [row("run", 0.6, None), row("strangers", 0.05, None)]
    assert finding(rows) == "In the reliability of preferences this run clearly exceeds each of its 1 controls."
    for tagger, why in (("hanta", "too few words are tagged"), ("none", "no tagger was used")):
        untagged = [replace(one, tagger=tagger) for one in rows]
        assert f"the share that word class explains cannot be compared: {why}" in conclusions(untagged)[0]
    short = [replace(one, reliability=UNKNOWN) for one in rows]
    assert "too little text" in finding(short) and "too short" in conclusions(short)[0]
