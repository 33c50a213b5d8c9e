"""`twotower run --controls`: the same statistics beside each other, and one tower as large as all together."""

import json
from dataclasses import replace

import pytest

from small_runs import configure
from twotower import cli
from twotower.comparison.controls import Control, control_configs
from twotower.config.conversion import record_from
from twotower.config.presets import PRESETS
from twotower.config.settings import to_dict
from twotower.preference.division import LabelDivision, ShareOfLabel
from twotower.preference.types import Perplexity
from twotower.report.controls import conclusions, finding, render
from twotower.statistics.gains import Surplus
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

    def parameters(config):
        towers = towers_config(config, vocabulary=8)
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
    captured = capsys.readouterr()
    assert captured.err.count("report: done before, skipped") >= 12
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
    assert all(row["reliability"]["low"] is not None and row["size"]["estimate"] > 0 for row in pairs)
    assert [row["name"] for row in pairs if row["surplus"] is None] == ["half-trained"]
    assert next(row for row in rows if row["name"] == "single")["size"] is None
    assert all(sentence in captured.out for sentence in conclusions(record_from(list[Control], rows, "controls.json")))
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
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not (tmp_path / "run").exists()


def row(name, size, held, gain=0.05):
    def around(value):
        return value, value - 0.02, value + 0.02

    of_class = held and LabelDivision("class", "frequency", 9, 1.0, ShareOfLabel(*around(held), 0.01),
                                      Estimate(*around(held)), None, None, "yes")  # fmt: skip
    return Control(
        name, name, 1_000, Perplexity(9.0, [10.0, 11.0]), "hanta", "no", Estimate(*around(size)),
        Surplus(*around(gain), 0.0), of_class, Estimate(*around(0.5)),
    )  # fmt: skip


def test_the_page_of_controls_says_which_of_them_the_run_clearly_exceeds():
    rows = [row("run", 0.6, 0.08), row("strangers", 0.05, 0.01, gain=0.0), row("shuffled", 0.58, 0.01, gain=0.0)]
    assert finding(rows) == (
        "These towers differ clearly more than strangers, but not clearly more than a pair on shuffled text. "
        "Together they gain clearly more than strangers and a pair on shuffled text."
    )
    strangers, shuffled = conclusions(rows)
    assert "D is clearly lower (0.05 [0.03, 0.07]; run: 0.60 [0.58, 0.62])" in strangers
    assert "D is not clearly lower (0.58 [0.56, 0.60]" in shuffled and "surplus is clearly lower" in shuffled
    assert "Word class beyond frequency holds 0.0100 nats squared (run: 0.0800)" in shuffled


def test_controls_are_compared_in_what_could_be_measured():
    rows = [row("run", 0.6, None), row("strangers", 0.05, None)]
    assert finding(rows).startswith("These towers differ clearly more than strangers. Together they gain not clearly")
    for tagger, why in (("hanta", "too few words are tagged"), ("none", "no tagger was used")):
        untagged = [replace(one, tagger=tagger) for one in rows]
        assert f"What word class holds beyond frequency cannot be compared: {why}" in conclusions(untagged)[0]
    assert "gain" not in finding([rows[0], replace(rows[1], surplus=None)])
    short = [replace(one, size=None, surplus=None) for one in rows]
    assert "too little text" in finding(short) and "too short" in conclusions(short)[0]
    assert "figure-controls" in render("a corpus", short)
