"""The key `division`: labels of real and planted text, what cannot be measured, and what a reader labels himself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planted import planted
from twotower.preference import division as ruler
from twotower.preference.contexts import contexts_of
from twotower.preference.division import Division, LabelDivision, division_of, holds, with_strangers
from twotower.preference.labels import LABELS
from twotower.preference.measured import SETS, Measured
from twotower.preference.own_labels import labels_of
from twotower.preference.router import router_of
from twotower.system.errors import InputError

EFFECT = {"NOUN": 0.5, "VERB": -0.5}


@pytest.fixture(scope="module")
def divided() -> Division:
    division = division_of(planted(0, EFFECT))
    assert division is not None
    return division


def row(division: Division, label: str, given: str = "") -> LabelDivision:
    return next(label_row for label_row in division.labels if (label_row.label, label_row.given) == (label, given))


@pytest.mark.promise("the ruler finds divisions that were planted, and none where there is none")
def test_a_planted_division_by_class_is_found_and_by_nothing_else(divided: Division) -> None:
    assert row(divided, "class").verdict == row(divided, "class", "frequency").verdict == "yes"
    assert row(divided, "class").share.low > row(divided, "class").share.null_high
    assert "yes" not in {row(divided, "previous class").verdict, row(divided, "position in the sentence").verdict}


def test_without_a_joint_readout_nobody_says_that_towers_divide_the_work(divided: Division) -> None:
    assert divided.differ == "yes" and divided.surplus is None
    assert divided.gain == divided.verdict == "not measurable"


def with_joint(measured: Measured, gain: float) -> Measured:
    """Joint readouts that are so much better than the better tower's, and a tower given twice that is as good."""
    scores = measured.scores.copy()
    generator = np.random.default_rng(0)
    better = 1 + int(scores["readout_2"].mean() > scores["readout_1"].mean())
    for name in ("readout", "second"):
        scores[f"{name}_together"] = scores[f"{name}_{better}"] + gain + 0.1 * generator.standard_normal(len(scores))
    for tower in (1, 2):
        scores[f"readout_twice_{tower}"] = scores[f"readout_{tower}"] + 0.1 * generator.standard_normal(len(scores))
    return replace(measured, scores=scores)


def test_towers_divide_the_work_if_they_differ_and_gain_more_than_strangers() -> None:
    pair = division_of(with_joint(planted(0, EFFECT, type_sd=0.3), 0.1))
    strangers = division_of(with_joint(planted(1, type_sd=0.02), 0.0))
    assert pair is not None and strangers is not None
    assert (pair.gain, pair.verdict) == ("yes", "undecided")
    assert with_strangers(pair, strangers).verdict == "yes"
    assert with_strangers(pair, pair).verdict == "no"
    assert row(with_strangers(pair, strangers), "class").verdict == "yes"
    assert row(with_strangers(pair, pair), "class").verdict == "no"
    assert pair.surplus is not None
    wide = replace(pair, surplus=replace(pair.surplus, low=-1.0), gain="undecided")
    assert with_strangers(wide, strangers).gain == "undecided"
    assert with_strangers(wide, pair).gain == "no"  # no more than strangers, whatever the interval
    unsettled = replace(wide, differ="undecided")
    assert with_strangers(unsettled, pair).gain == "undecided"
    assert pair.size is not None
    unsure = replace(pair, size=replace(pair.size, low=0.0), differ="undecided")
    assert with_strangers(unsure, pair).gain == "no"  # what is known of the gain does not wait for the size
    slow = replace(strangers, differ="undecided", gain="undecided")
    assert "strangers have not converged" in with_strangers(pair, slow).why
    assert not with_strangers(pair, strangers).why


def test_a_difference_that_is_only_larger_everywhere_follows_no_label_more_than_strangers_do() -> None:
    measured = planted(0, EFFECT, type_sd=0.3)
    smaller = {
        f"{name}_1": measured.scores[f"{name}_2"] + 0.3 * (measured.scores[f"{name}_1"] - measured.scores[f"{name}_2"])
        for name in measured.sets
    }
    pair, strangers = division_of(measured), division_of(replace(measured, scores=measured.scores.assign(**smaller)))
    assert pair is not None and strangers is not None
    beside = with_strangers(pair, strangers)
    assert beside.differ == "yes" and row(pair, "class").verdict == row(strangers, "class").verdict == "yes"
    assert row(beside, "class").held.low > row(strangers, "class").held.high
    assert row(beside, "class").verdict != "yes" and holds(row(beside, "class"))


def test_all_towers_must_gain_more_than_one_given_twice() -> None:
    measured = with_joint(planted(0, EFFECT, type_sd=0.3), 0.1)
    twice = {f"readout_twice_{tower}": measured.scores[f"readout_{tower}"] + 0.099 for tower in (1, 2)}
    division = division_of(replace(measured, scores=measured.scores.assign(**twice)))
    assert division is not None and division.surplus is not None and division.surplus.null is not None
    assert division.surplus.estimate > division.surplus.null > division.surplus.low > 0
    assert division.gain == "undecided"


def test_where_towers_do_not_differ_no_label_has_a_share_to_measure() -> None:
    measured = planted(0)
    scores = measured.scores.copy()
    for name in ("readout", "second", "third", "fourth"):
        scores[f"{name}_2"] = scores[f"{name}_1"] + np.random.default_rng(0).standard_normal(len(scores))
        scores[f"{name}_1"] += np.random.default_rng(len(name)).standard_normal(len(scores))
    division = division_of(replace(measured, scores=scores))
    assert division is not None
    for label in division.labels:
        assert label.verdict in ("not measurable", "no", "undecided")
        assert (label.verdict == "not measurable") >= bool(np.isnan(label.share.estimate))


@pytest.mark.promise("the ruler finds divisions that were planted, and none where there is none")
def test_an_idle_tower_is_no_division() -> None:
    measured = planted(0, EFFECT)
    scores = measured.scores.copy()
    for name in ("readout", "second", "third", "fourth"):
        scores[f"{name}_2"] -= 2.0
    division = division_of(with_joint(replace(measured, scores=scores), 0.0))
    assert division is not None and division.differ == "yes"
    assert division.gain == division.verdict == "no"


@pytest.mark.parametrize("missing", ["second", "documents"])
def test_what_cannot_be_measured_is_not_told_as_none(missing: str) -> None:
    measured = planted(0, documents=30 if missing == "second" else 4)
    if missing == "second":
        names = [name for name in measured.scores if not str(name).startswith(("second", "third", "fourth"))]
        measured = replace(measured, scores=measured.scores[names])
    division = division_of(measured)
    assert division is not None and division.size is None
    assert division.differ == division.verdict == "not measurable"
    assert missing in division.why or "set of readouts" in division.why


def test_a_single_tower_has_no_division() -> None:
    assert division_of(planted(0, towers=1)) is None


def test_a_label_with_one_value_is_not_measurable() -> None:
    measured = planted(0)
    scores = measured.scores.assign(upos="NOUN")
    division = division_of(replace(measured, scores=scores))
    assert division is not None
    of_class = [label.verdict for label in division.labels if "class" in label.label]
    assert len(of_class) == 7 and set(of_class) == {"not measurable"}


def test_labels_of_one_s_own_are_measured_and_given_what_the_table_lacks_no_label() -> None:
    measured = planted(0, EFFECT)
    table = measured.scores[["document", "position"]].assign(noun=measured.scores["upos"] == "NOUN")
    (label,) = labels_of(table.sample(frac=0.5, random_state=0), measured)
    values = label.values(ruler.Occurrences(measured))
    assert values is not None
    assert (values >= 0).mean() == pytest.approx(0.5, abs=0.01)
    nouns = values == values.max()
    assert nouns.any() and (measured.scores["upos"][nouns] == "NOUN").all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.drop(columns="position"), "give document, position"),
        (lambda table: table.drop(columns="mine"), "give document, position"),
        (lambda table: table.assign(position=table["position"] + 10**6), "not held out"),
        (lambda table: pd.concat([table, table.head(1)]), "twice"),
        (lambda table: table.assign(document=table["document"].astype(str)), "whole numbers"),
    ],
)
def test_labels_that_do_not_fit_the_text_are_refused(change, said: str) -> None:
    measured = planted(0)
    table = measured.scores[["document", "position"]].assign(mine="a")
    with pytest.raises(InputError, match=said):
        labels_of(change(table), measured)


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    measured = planted(0)
    (tmp_path / "labels.parquet").write_text("none")
    for path, said in ((tmp_path / "labels.parquet", "no Parquet"), (tmp_path / "gone.parquet", "no file")):
        with pytest.raises(InputError, match=said):
            division_of(replace(measured, settings=replace(measured.settings, labels=str(path))))


def test_every_label_is_defined_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")
    assert [label.name for label in LABELS if f"| {label.name} |" not in page] == []


def test_a_run_has_it_and_measures_labels_from_python(finished: Path) -> None:
    import twotower

    run = twotower.Run.load(finished)
    table = run.division()
    assert {"type", "class", "previous type"} <= set(table["label"])
    scores = run.scores()
    own = run.division(scores[["document", "position"]].assign(long=scores["word"].str.len() > 6))
    assert set(own["label"]) == {"long"} and list(own["given"]) == ["", "frequency", "type"]
    assert run.results().division.size.estimate is not None


def in_context(seed: int, shift: float) -> Measured:
    """A text in which tower 1 is so much better at `word9` after `word1`, under every set of readouts."""
    measured = planted(seed, type_sd=0.0)
    scores = measured.scores.copy()
    piece, document = scores["piece_id"].to_numpy(), scores["document"].to_numpy()
    after = np.append(False, (piece[:-1] == 1) & (document[1:] == document[:-1])) & (piece == 9)
    for name in SETS:
        scores[f"{name}_1"] += shift * after
    return replace(measured, scores=scores)


def test_the_context_that_makes_the_difference_is_told_in_words() -> None:
    contexts = contexts_of(in_context(0, 1.5))
    assert (contexts[0].piece, contexts[0].after) == ("word9", "word1")
    assert contexts[0].there - contexts[0].otherwise == pytest.approx(1.5, abs=0.3)
    assert len(contexts) <= 3


def test_where_no_context_makes_a_difference_next_to_none_is_told() -> None:
    assert sum(len(contexts_of(in_context(seed, 0.0))) for seed in range(4)) <= 6


@pytest.mark.montecarlo
@pytest.mark.parametrize("documents", [30, 6])
@pytest.mark.parametrize("by_readouts", [0.0, 0.4])
def test_what_readouts_do_to_a_word_in_its_context_is_not_told(by_readouts: float, documents: int) -> None:
    """Errors by documents alone told of up to 8 contexts of equal towers, and up to 2 where readouts did nothing."""
    told = []
    for seed in range(40):
        measured = planted(seed, type_sd=0.0, documents=documents, types=200, tokens=12_000)
        scores, generator = measured.scores.copy(), np.random.default_rng([seed, 1])
        piece = scores["piece_id"].to_numpy()
        for name in SETS:
            scores[f"{name}_1"] += by_readouts * generator.standard_normal((200, 200))[np.roll(piece, 1), piece]
        told.append(len(contexts_of(replace(measured, scores=scores))))
    print(f"\n{by_readouts} nats, {documents} documents: {np.mean(told)} contexts")  # shown with -s
    assert np.mean(told) <= 0.3  # 0.2 expected at most


def test_the_router_finds_what_labels_hold_and_no_more() -> None:
    known = router_of(planted(0, EFFECT, type_sd=0.3))
    assert known is not None
    assert known.share.estimate > 0.6 and known.share.low > 0.2  # the rest is what documents do to types
    unique = {group.name: group.unique for group in known.groups}
    assert max(unique, key=lambda name: unique[name]) == "word"
    assert known.routing.low > 0.02


def test_the_router_finds_nothing_in_what_no_label_holds() -> None:
    measured = planted(0, type_sd=0.0)
    scores = measured.scores.copy()
    own = np.random.default_rng(0).standard_normal(len(scores))
    for name in SETS:
        scores[f"{name}_1"] += own
    router = router_of(replace(measured, scores=scores))
    assert router is not None and router.share.estimate < 0.02 and router.routing.low <= 0
