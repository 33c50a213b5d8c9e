"""Instruments on a scale from strangers to a pair that was planted by texts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from twotower.cli import main
from twotower.knowledge.findings.knowledge import Knowledge
from twotower.knowledge.findings.scale import InstrumentOnScale, Scale
from twotower.knowledge.scale import row_of
from twotower.report.instruments import parts, what_is_known
from twotower.statistics.intervals import Estimate


def about(value: float, reach: float = 0.02) -> Estimate:
    return Estimate(value, value - reach, value + reach)


def test_an_instrument_that_sees_the_planted_pair_sets_the_run_between_strangers_and_it() -> None:
    of_syntax = row_of(("probe", "UUAS", "syntax"), about(-0.1), about(0.01), about(0.2), 0.95)
    assert of_syntax.sees == "yes" and of_syntax.share is not None
    assert of_syntax.share.estimate == pytest.approx(0.25, abs=0.02), "squares, whichever tower of the run is ahead"
    of_meaning = row_of(("words", "MEN", "meaning"), about(0.1), about(-0.01), about(-0.2), 0.95)
    assert of_meaning.sees == "yes" and of_meaning.share == of_syntax.share


@pytest.mark.parametrize(
    ("of", "planted"),
    [("syntax", 0.01), ("syntax", -0.2), ("meaning", 0.2), ("both", -0.1), ("", 0.0)],
    ids=["too small", "the tower of topics knows more syntax", "the tower of syntax more meaning", "turned", "none"],
)
def test_an_instrument_that_does_not_see_the_planted_pair_is_blind(of: str, planted: float) -> None:
    blind = row_of(("probe", "UUAS", of), about(0.1), about(0.01), about(planted), 0.95)
    assert blind.sees != "yes" and blind.share is None


def test_a_blind_instrument_says_so_in_its_own_output() -> None:
    row = InstrumentOnScale("lesions", "lesions, syntax against meaning", "both", *[about(0.0)] * 3, "no", None)
    known = Knowledge(scale=Scale([row]))
    [shown] = parts(known)
    assert shown.name == "scale" and shown.tables[0].rows[0][-1] == "no"
    assert what_is_known(known) == [
        "0 of 1 figures of instruments tell a pair that was planted by texts from strangers."
    ]


@pytest.fixture
def with_controls(finished: Path, second_seed: Path, tmp_path: Path) -> Path:
    """A run with strangers and a planted pair; both are another pair, which no instrument can tell apart."""
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    for place in ("strangers", "controls/planted-texts"):
        shutil.copytree(second_seed, run / place)
    return run


def test_know_asks_strangers_and_the_planted_pair_the_same(with_controls: Path, capsys) -> None:
    words = ["know", str(with_controls), "--controls", "--only", "similarity", "scale", "--compared-tokens", "200"]
    assert main(words) == 0
    captured = capsys.readouterr()
    [row] = json.loads((with_controls / "results.json").read_text())["knowledge"]["scale"]["instruments"]
    assert row["strangers"] == row["planted"] and row["sees"] != "yes" and row["share"] is None
    assert "Blind at this size" in captured.out and "controls/planted-texts: similarity" in captured.err
    assert main(words) == 0
    assert "scale: done before, skipped" in capsys.readouterr().err


def test_without_controls_the_remedy_is_named_before_anything_is_asked(finished: Path, tmp_path: Path, capsys) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    assert main(["know", str(run), "--controls"]) == 2
    error = capsys.readouterr().err
    assert "--controls" in error and "strangers: no finished run" in error and not (run / "knowledge").exists()
